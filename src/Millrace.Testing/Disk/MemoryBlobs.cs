using Millrace.Storage.Blobs;

namespace Millrace.Testing.Disk;

/// <summary>A blob store that outlives every process.</summary>
public class MemoryBlobs : BlobStore
{
    private readonly Dictionary<string, byte[]> _kept = new(StringComparer.Ordinal);

    public IEnumerable<byte[]> Contents => _kept.Values;

    public override Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        var blob = NameOf(content.Span);
        _kept[blob.Sha256] = content.ToArray();
        return Task.FromResult(blob);
    }

    public override async Task<BlobRef> PutAsync(Stream content, long sizeMax, CancellationToken cancel = default)
    {
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancel);
        return copy.Length > sizeMax ? throw new BlobTooLargeException(sizeMax) : await PutAsync(copy.ToArray(), cancel);
    }

    public override Task<Stream> OpenAsync(BlobRef blob, CancellationToken cancel = default) =>
        _kept.TryGetValue(blob.Sha256, out var content) ? Task.FromResult<Stream>(new MemoryStream(content)) : throw new BlobAbsentException(blob);

    public override Task RemoveAsync(BlobRef blob, CancellationToken cancel = default)
    {
        _kept.Remove(blob.Sha256);
        return Task.CompletedTask;
    }

    public override Task<bool> ExistsAsync(BlobRef blob, CancellationToken cancel = default) => Task.FromResult(_kept.ContainsKey(blob.Sha256));
}
