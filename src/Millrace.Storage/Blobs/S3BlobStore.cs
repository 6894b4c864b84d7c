using System.Net.Http.Headers;
using Amazon.S3;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Blobs as objects of a bucket: <c>&lt;prefix&gt;ab/cdef…</c>, where <c>abcdef…</c> is the SHA-256. A server makes an object visible when it is
/// whole; an object of another size counts as absent all the same. Many processes may use one bucket.
/// </summary>
/// <remarks>
/// A stream is read to its end before anything is sent (in memory, or in a temporary file when it is large): only then is its
/// name known, so what is there already is not sent again, and no copying on the server and no leftovers under temporary names
/// are needed. The key needs <c>s3:ListBucket</c> besides reading and writing, or a missing object looks like a refusal. Give the bucket
/// a lifecycle rule that aborts unfinished uploads and expires <c>incoming/</c> after some days: a process that is killed cannot.
/// </remarks>
public sealed class S3BlobStore : BlobStore, IDisposable
{
    private const int LooksMax = 5;

    private static readonly TimeSpan ValidMax = TimeSpan.FromDays(7);
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(50);

    private readonly S3Bucket _bucket;
    private readonly string _prefix;
    private readonly OneAtATime _puts = new();

    public S3BlobStore(S3Options options) => (_bucket, _prefix) = (new S3Bucket(options), options.Prefix);

    public override async Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        await using var spool = Spool.Of(NameOf(content.Span), content);
        await PutAsync(spool, cancel);
        return spool.Blob;
    }

    public override async Task<BlobRef> PutAsync(Stream content, long sizeMax, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeMax);
        await using var spool = await Spool.ReadAsync(content, sizeMax, S3Bucket.PartBytes, cancel);
        await PutAsync(spool, cancel);
        return spool.Blob;
    }

    public override Task<Stream> OpenAsync(BlobRef blob, CancellationToken cancel = default) => OpenAsync(KeyOf(blob), blob, cancel);

    public override async Task<bool> ExistsAsync(BlobRef blob, CancellationToken cancel = default) =>
        await _bucket.SizeAsync(KeyOf(blob), cancel) == blob.Size;

    public override Task RemoveAsync(BlobRef blob, CancellationToken cancel = default) => _puts.RunAsync(blob, () => _bucket.DeleteAsync(KeyOf(blob), cancel), cancel);

    /// <summary>An address from which anybody can download the blob for a time, without a key. It says nothing about whether it is there.</summary>
    /// <param name="valid">Up to seven days.</param>
    /// <param name="fileName">Under which a browser saves it; it is then never shown in place.</param>
    public Uri PresignGet(BlobRef blob, TimeSpan valid, string? fileName = null) => _bucket.Presign(HttpVerb.GET, KeyOf(blob), Checked(valid), request =>
    {
        request.ResponseHeaderOverrides.ContentType = "application/octet-stream";
        if (fileName is not null) request.ResponseHeaderOverrides.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileNameStar = fileName }.ToString();
    });

    /// <summary>
    /// An address to which anybody can upload this content for a time, by PUT of exactly its bytes (at most 5 GB). The upload is no blob: it stands
    /// apart until <see cref="ReadUploadAsync"/>, because not every server verifies the content.
    /// </summary>
    /// <param name="owner">Keeps the uploads of one from those of others; safe as part of a key.</param>
    /// <param name="valid">Up to seven days.</param>
    public Uri PresignPut(string owner, BlobRef content, TimeSpan valid) => _bucket.Presign(HttpVerb.PUT, UploadKeyOf(owner, content), Checked(valid), request =>
    {
        request.Headers.ContentLength = content.Size;
        request.Parameters["x-amz-checksum-sha256"] = Convert.ToBase64String(Convert.FromHexString(content.Sha256));
    });

    /// <summary>Reads and verifies what was uploaded to <see cref="PresignPut"/>'s address.</summary>
    /// <exception cref="BlobAbsentException">Nothing was uploaded.</exception>
    /// <exception cref="BlobCorruptException">Something else was uploaded; it is gone.</exception>
    public async Task<byte[]> ReadUploadAsync(string owner, BlobRef content, CancellationToken cancel = default)
    {
        try
        {
            return await ReadAsync(await OpenAsync(UploadKeyOf(owner, content), content, cancel), content, cancel);
        }
        catch (BlobCorruptException)
        {
            await RemoveUploadAsync(owner, content, cancel);
            throw;
        }
    }

    public Task RemoveUploadAsync(string owner, BlobRef content, CancellationToken cancel = default) => _bucket.DeleteAsync(UploadKeyOf(owner, content), cancel);

    public void Dispose() => _bucket.Dispose();

    private static TimeSpan Checked(TimeSpan valid) => valid > TimeSpan.Zero && valid <= ValidMax
        ? valid
        : throw new ArgumentOutOfRangeException(nameof(valid), valid, "An address is valid for up to seven days.");

    private string KeyOf(BlobRef blob) => $"{_prefix}{blob.Sha256[..2]}/{blob.Sha256[2..]}";

    private string UploadKeyOf(string owner, BlobRef content) => $"{_prefix}incoming/{owner}/{content.Sha256}";

    private async Task<Stream> OpenAsync(string key, BlobRef blob, CancellationToken cancel)
    {
        var (content, etag) = await _bucket.OpenAsync(key, 0, null, cancel) ?? throw new BlobAbsentException(blob);
        StorageMetrics.BlobsRead.Add(blob.Size);
        return new VerifiedStream(new S3ReadStream(_bucket, key, etag, content), blob);
    }

    private Task PutAsync(Spool content, CancellationToken cancel) => _puts.RunAsync(
        content.Blob,
        async () =>
        {
            if (await ExistsAsync(content.Blob, cancel)) return;
            try
            {
                await _bucket.PutAsync(KeyOf(content.Blob), content, cancel);
            }
            catch (StorageUnavailableException)
            {
                // Perhaps it succeeded, and only the answer was lost.
                if (!await ExistsAsync(content.Blob, cancel)) throw;
            }

            await LookAsync(content.Blob, cancel);
            StorageMetrics.BlobsWritten.Add(content.Blob.Size);
        },
        cancel);

    /// <summary>A put counts when the server shows the whole object; some compatible servers do so a moment late.</summary>
    private async Task LookAsync(BlobRef blob, CancellationToken cancel)
    {
        for (var look = 1; !await ExistsAsync(blob, cancel); look++)
        {
            if (look == LooksMax) throw new StorageUnavailableException(new StorageFault(StorageFault.Io, $"The server took blob {blob.Sha256} and does not show it whole.", Recoverable: true));
            await Task.Delay(LookPause * look, cancel);
        }
    }
}
