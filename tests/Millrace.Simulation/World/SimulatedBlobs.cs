using Millrace.Simulation.Core;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Simulation.World;

/// <summary>A blob store that outlives everything, and sometimes refuses.</summary>
internal sealed class SimulatedBlobs(Dice dice) : BlobStore
{
    private readonly Dictionary<string, byte[]> _kept = new(StringComparer.Ordinal);

    /// <summary>How likely a put is refused.</summary>
    public double Refused { get; set; }

    public override Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        if (dice.Chance(Refused)) throw new StorageUnavailableException(new StorageFault(StorageFault.Io, "the blob store refused", Recoverable: true));
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

    public override Task<bool> ExistsAsync(BlobRef blob, CancellationToken cancel = default) => Task.FromResult(_kept.ContainsKey(blob.Sha256));
}
