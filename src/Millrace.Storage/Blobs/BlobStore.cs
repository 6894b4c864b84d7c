using System.Security.Cryptography;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Content by its SHA-256. The same content is stored once, a name never changes its meaning, and nothing is overwritten.
/// Every put that returns is on disk.
/// </summary>
public abstract class BlobStore
{
    /// <exception cref="StorageUnavailableException"><c>storage.full</c>, <c>storage.fsync_failed</c> or <c>storage.io</c>; nothing of it counts.</exception>
    public abstract Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default);

    /// <summary>Reads <paramref name="content"/> to its end.</summary>
    /// <param name="sizeMax">Bytes; the put fails as soon as there is one more.</param>
    /// <exception cref="BlobTooLargeException">There was one more; nothing is kept.</exception>
    /// <exception cref="StorageUnavailableException"><c>storage.full</c>, <c>storage.fsync_failed</c> or <c>storage.io</c>; nothing of it counts.</exception>
    public abstract Task<BlobRef> PutAsync(Stream content, long sizeMax, CancellationToken cancel = default);

    /// <summary>
    /// Opens a blob for reading from its beginning. Reading to its end throws <see cref="BlobCorruptException"/> instead of
    /// reporting the end when the content is not what its name says.
    /// </summary>
    /// <exception cref="BlobAbsentException">There is no such blob.</exception>
    public abstract Task<Stream> OpenAsync(BlobRef blob, CancellationToken cancel = default);

    public abstract Task<bool> ExistsAsync(BlobRef blob, CancellationToken cancel = default);

    /// <summary>Removes a blob that nothing refers to, if it is there. Whoever calls it sees to it that nobody puts the same content meanwhile.</summary>
    /// <exception cref="StorageUnavailableException">It may be there still.</exception>
    public abstract Task RemoveAsync(BlobRef blob, CancellationToken cancel = default);

    /// <summary>Reads a whole blob and verifies it.</summary>
    /// <exception cref="BlobAbsentException">There is no such blob.</exception>
    /// <exception cref="BlobCorruptException">Its content is not what its name says.</exception>
    public async Task<byte[]> ReadAsync(BlobRef blob, CancellationToken cancel = default)
    {
        if (blob.Size > Array.MaxLength) throw new BlobTooLargeException(Array.MaxLength);
        return await ReadAsync(await OpenAsync(blob, cancel), blob, cancel);
    }

    /// <summary>Reads a stream that verifies itself to its end, and disposes it.</summary>
    protected static async Task<byte[]> ReadAsync(Stream opened, BlobRef blob, CancellationToken cancel)
    {
        await using var stream = opened;
        var content = new byte[blob.Size];
        var length = await stream.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancel);

        // The end is where the stream verifies, so it must be asked for.
        if (length < content.Length || await stream.ReadAsync(new byte[1], cancel) > 0) throw new BlobCorruptException(blob);
        return content;
    }

    protected static BlobRef NameOf(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return new BlobRef(Convert.ToHexStringLower(hash), content.Length);
    }
}

/// <summary>A blob's content is not what its name says: the disk or someone else changed it.</summary>
public sealed class BlobCorruptException(BlobRef blob) : Exception($"The content of blob {blob.Sha256} is damaged: its SHA-256 or its size differs.")
{
    public BlobRef Blob { get; } = blob;
}

public sealed class BlobAbsentException(BlobRef blob) : Exception($"There is no blob {blob.Sha256}.")
{
    public BlobRef Blob { get; } = blob;
}

public sealed class BlobTooLargeException(long sizeMax) : Exception($"The content is larger than {sizeMax} bytes.")
{
    public long SizeMax { get; } = sizeMax;
}
