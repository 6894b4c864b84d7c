using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Millrace.Storage.Files;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Blobs as files: <c>&lt;folder&gt;/ab/cdef…</c>, where <c>abcdef…</c> is the SHA-256. A blob is written aside, synced, renamed into
/// its place, and then the name is synced, so a file under its final name is always whole. Processes of one machine may share a folder.
/// </summary>
public sealed class FileBlobStore : BlobStore
{
    private const string AsideFolder = "tmp";

    /// <summary>A put that has not been written to for so long is over.</summary>
    private static readonly TimeSpan LeftAfter = TimeSpan.FromHours(6);

    private const int BufferBytes = 128 * 1024;

    private readonly string _folder;
    private readonly string _aside;
    private readonly OneAtATime _puts = new();

    /// <summary>Creates the folder when it is missing, and removes what an interrupted put left behind.</summary>
    /// <exception cref="StorageUnavailableException">The folder cannot be made or written.</exception>
    /// <param name="shared">Other processes may be putting into the folder now, so only what is old is removed.</param>
    public FileBlobStore(string folder, bool shared = false)
    {
        _folder = Path.GetFullPath(folder);
        _aside = Path.Combine(_folder, AsideFolder);
        FileFault.Guard(() =>
        {
            DurableFolder.Create(_aside);
            RemoveLeft(shared);

            // Made and synced once here, so that a put has one name less to make durable.
            for (var prefix = 0; prefix <= byte.MaxValue; prefix++)
                Directory.CreateDirectory(Path.Combine(_folder, prefix.ToString("x2", CultureInfo.InvariantCulture)));
        });
        FileFault.GuardSync(() => DurableFolder.Sync(_folder));
    }

    private void RemoveLeft(bool shared)
    {
        foreach (var left in new DirectoryInfo(_aside).EnumerateFiles())
        {
            if (!shared || left.LastWriteTimeUtc < TimeProvider.System.GetUtcNow().UtcDateTime - LeftAfter) left.Delete();
        }
    }

    /// <summary>Where the blob's file is, for programs that read files by themselves. It says nothing about whether it is there.</summary>
    public string PathOf(BlobRef blob) => Path.Combine(_folder, blob.Sha256[..2], blob.Sha256[2..]);

    public override async Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        var blob = NameOf(content.Span);
        await _puts.RunAsync(
            blob,
            async () =>
            {
                if (IsThere(blob)) return;
                await using var aside = new AsideFile(_aside);
                await aside.WriteAsync(content, cancel);
                Settle(aside, blob);
            },
            cancel);
        return blob;
    }

    public override async Task<BlobRef> PutAsync(Stream content, long sizeMax, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeMax);
        await using var aside = new AsideFile(_aside);
        var blob = await CopyAsync(content, sizeMax, aside, cancel);
        await _puts.RunAsync(
            blob,
            () =>
            {
                if (!IsThere(blob)) Settle(aside, blob);
                return Task.CompletedTask;
            },
            cancel);
        return blob;
    }

    public override Task<Stream> OpenAsync(BlobRef blob, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            var file = new FileStream(PathOf(blob), new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = 0,
            });
            StorageMetrics.BlobsRead.Add(blob.Size);
            return Task.FromResult<Stream>(new VerifiedStream(file, blob));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BlobAbsentException(blob);
        }
    }

    public override Task<bool> ExistsAsync(BlobRef blob, CancellationToken cancel = default) => Task.FromResult(IsThere(blob));

    public override Task RemoveAsync(BlobRef blob, CancellationToken cancel = default) => _puts.RunAsync(
        blob,
        () =>
        {
            FileFault.Guard(() => File.Delete(PathOf(blob)));
            return Task.CompletedTask;
        },
        cancel);

    private static async Task<BlobRef> CopyAsync(Stream content, long sizeMax, AsideFile aside, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await content.ReadAsync(buffer, cancel)) > 0)
            {
                if (aside.Size + count > sizeMax) throw new BlobTooLargeException(sizeMax);
                hash.AppendData(buffer, 0, count);
                await aside.WriteAsync(buffer.AsMemory(0, count), cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return new BlobRef(Convert.ToHexStringLower(hash.GetHashAndReset()), aside.Size);
    }

    private bool IsThere(BlobRef blob) => new FileInfo(PathOf(blob)) is { Exists: true } file && file.Length == blob.Size;

    private void Settle(AsideFile aside, BlobRef blob)
    {
        aside.Sync();
        var path = PathOf(blob);
        FileFault.Guard(() => File.Move(aside.Path, path, overwrite: true));
        try
        {
            FileFault.GuardSync(() => DurableFolder.Sync(Path.GetDirectoryName(path)!));
        }
        catch (StorageUnavailableException)
        {
            // Were it left, the next put would find it and take its name for durable.
            FileFault.Guard(() => File.Delete(path));
            throw;
        }

        StorageMetrics.BlobsWritten.Add(blob.Size);
    }

    /// <summary>A file under a name of its own, gone when disposed unless it was moved to its place.</summary>
    private sealed class AsideFile : IAsyncDisposable
    {
        private readonly SafeFileHandle _file;

        public AsideFile(string folder)
        {
            Path = System.IO.Path.Combine(folder, Guid.CreateVersion7().ToString("N"));
            SafeFileHandle? file = null;
            FileFault.Guard(() => file = File.OpenHandle(Path, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, FileOptions.Asynchronous));
            _file = file!;
        }

        public string Path { get; }
        public long Size { get; private set; }

        public async Task WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancel)
        {
            await FileFault.GuardAsync(() => RandomAccess.WriteAsync(_file, content, Size, cancel));
            Size += content.Length;
        }

        public void Sync() => FileFault.GuardSync(() =>
        {
            // On macOS only .NET's call makes the disk empty its own cache.
            if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(_file);
            if (!OperatingSystem.IsWindows()) Posix.SyncFile(_file, Path);
        });

        public ValueTask DisposeAsync()
        {
            _file.Dispose();
            File.Delete(Path);
            return ValueTask.CompletedTask;
        }
    }
}
