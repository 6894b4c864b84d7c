using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Millrace.Storage.Files;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Content read to its end before it is sent anywhere, so that its name and size are known: a small one in memory, a larger one
/// in a temporary file that nobody else can read and that is gone when this is disposed.
/// </summary>
internal sealed class Spool : IAsyncDisposable
{
    private const int BufferBytes = 128 * 1024;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly FileStream? _file;

    private Spool(BlobRef blob, ReadOnlyMemory<byte> memory, FileStream? file = null) => (Blob, _memory, _file) = (blob, memory, file);

    public BlobRef Blob { get; }

    public static Spool Of(BlobRef blob, ReadOnlyMemory<byte> content) => new(blob, content);

    /// <param name="memoryMax">Bytes up to which it stays in memory.</param>
    /// <exception cref="BlobTooLargeException">There is more than <paramref name="sizeMax"/>.</exception>
    /// <exception cref="StorageUnavailableException">The temporary file cannot be written.</exception>
    public static async Task<Spool> ReadAsync(Stream content, long sizeMax, int memoryMax, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var memory = new MemoryStream();
        FileStream? file = null;
        var size = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await content.ReadAsync(buffer, cancel)) > 0)
            {
                size += count;
                if (size > sizeMax) throw new BlobTooLargeException(sizeMax);
                hash.AppendData(buffer, 0, count);
                if (file is null && size > memoryMax)
                {
                    FileFault.Guard(() => file = Create());
                    await FileFault.GuardAsync(() => file!.WriteAsync(memory.GetBuffer().AsMemory(0, (int)memory.Length), cancel));
                    memory = new MemoryStream();
                }

                if (file is null) memory.Write(buffer, 0, count);
                else await FileFault.GuardAsync(() => file.WriteAsync(buffer.AsMemory(0, count), cancel));
            }

            return new Spool(new BlobRef(Convert.ToHexStringLower(hash.GetHashAndReset()), size), memory.GetBuffer().AsMemory(0, (int)memory.Length), file);
        }
        catch (Exception)
        {
            if (file is not null) await file.DisposeAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A part of the content, as a stream that can be read again when sending it failed.</summary>
    public async Task<MemoryStream> PartAsync(long offset, int length, CancellationToken cancel)
    {
        if (_file is null)
        {
            var part = _memory.Slice((int)offset, length);
            return MemoryMarshal.TryGetArray(part, out var array)
                ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
                : new MemoryStream(part.ToArray(), writable: false);
        }

        var bytes = new byte[length];
        var filled = 0;
        await FileFault.GuardAsync(async () =>
        {
            while (filled < length)
            {
                var count = await RandomAccess.ReadAsync(_file.SafeFileHandle, bytes.AsMemory(filled), offset + filled, cancel);
                if (count == 0) throw new EndOfStreamException("The temporary file is shorter than what was written to it.");
                filled += count;
            }
        });
        return new MemoryStream(bytes, writable: false);
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static FileStream Create()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}"), options);
    }
}
