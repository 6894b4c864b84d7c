using System.Globalization;
using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Millrace.Storage.Blobs;

/// <summary>
/// Requests to one bucket, each with a time limit and few retries, and every failure as a fault of the storage. The only user of
/// the client library.
/// </summary>
internal sealed class S3Bucket : IDisposable
{
    /// <summary>Content up to this is sent in one request, more of it in parts of at least this.</summary>
    public const int PartBytes = 16 << 20;

    private const int PartsMost = 10_000;
    private const int PartsAtOnce = 3;
    private const int RetriesMax = 2;
    private const int Megabyte = 1 << 20;

    private readonly AmazonS3Client _client;
    private readonly AmazonS3Client _signer;
    private readonly S3Options _options;

    public S3Bucket(S3Options options)
    {
        _options = options;
        _client = ClientOf(options, options.Endpoint);
        // A signature holds for one host, so it is made for the one that clients reach.
        _signer = options.Public is { } reached ? ClientOf(options, reached) : _client;
    }

    public TimeSpan Timeout => _options.Timeout;

    /// <returns>The object's size; null when there is none.</returns>
    public Task<long?> SizeAsync(string key, CancellationToken cancel) => GuardAsync(
        async () =>
        {
            try
            {
                return (long?)(await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = key }, cancel)).ContentLength;
            }
            catch (AmazonS3Exception e) when (IsAbsent(e))
            {
                return null;
            }
        },
        cancel);

    /// <param name="etag">What the object must still be; null for whatever it is.</param>
    /// <returns>The object from <paramref name="offset"/> on; null when there is none.</returns>
    public Task<(Stream Content, string ETag)?> OpenAsync(string key, long offset, string? etag, CancellationToken cancel) => GuardAsync(
        async () =>
        {
            try
            {
                var request = new GetObjectRequest { BucketName = _options.Bucket, Key = key, EtagToMatch = etag };
                if (offset > 0) request.ByteRange = new ByteRange(string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-"));
                var response = await _client.GetObjectAsync(request, cancel);
                return ((Stream, string)?)(response.ResponseStream, response.ETag);
            }
            catch (AmazonS3Exception e) when (IsAbsent(e))
            {
                return null;
            }
        },
        cancel);

    public async Task PutAsync(string key, Spool content, CancellationToken cancel)
    {
        if (content.Blob.Size > PartBytes)
        {
            await PutInPartsAsync(key, content, cancel);
            return;
        }

        await using var body = await content.PartAsync(0, (int)content.Blob.Size, cancel);
        var request = new PutObjectRequest { BucketName = _options.Bucket, Key = key, InputStream = body, UseChunkEncoding = false, AutoCloseStream = false };
        await GuardAsync(() => _client.PutObjectAsync(request, cancel), cancel);
    }

    public Task DeleteAsync(string key, CancellationToken cancel) => GuardAsync(() => _client.DeleteObjectAsync(_options.Bucket, key, cancel), cancel);

    public Uri Presign(HttpVerb verb, string key, TimeSpan valid, Action<GetPreSignedUrlRequest> complete)
    {
        var request = new GetPreSignedUrlRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            Verb = verb,
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime + valid,
            Protocol = (_options.Public ?? _options.Endpoint)?.Scheme == "http" ? Protocol.HTTP : Protocol.HTTPS,
        };
        complete(request);
        return new Uri(_signer.GetPreSignedURL(request));
    }

    public void Dispose()
    {
        _client.Dispose();
        _signer.Dispose();
    }

    private static AmazonS3Client ClientOf(S3Options options, Uri? endpoint)
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = options.Region,
            ForcePathStyle = options.PathStyle,
            Timeout = options.Timeout,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = RetriesMax,
            // Compatible servers do not know the newer checksums. Bodies are signed, and what is read is verified by its name.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (endpoint is not null) config.ServiceURL = endpoint.AbsoluteUri;
        else config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        return new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config);
    }

    /// <summary>The parts become an object when all are there, and vanish when one of them fails.</summary>
    private async Task PutInPartsAsync(string key, Spool content, CancellationToken cancel)
    {
        var size = content.Blob.Size;
        var partBytes = (int)Math.Max(PartBytes, (size / PartsMost / Megabyte + 1) * Megabyte);
        var begin = new InitiateMultipartUploadRequest { BucketName = _options.Bucket, Key = key };
        var upload = (await GuardAsync(() => _client.InitiateMultipartUploadAsync(begin, cancel), cancel)).UploadId;
        try
        {
            var parts = new PartETag[(size + partBytes - 1) / partBytes];
            await Parallel.ForEachAsync(
                Enumerable.Range(0, parts.Length),
                new ParallelOptions { MaxDegreeOfParallelism = PartsAtOnce, CancellationToken = cancel },
                async (index, _) =>
                {
                    // When a part fails the others end first: one that arrives after the upload was aborted would stay behind.
                    var offset = (long)index * partBytes;
                    await using var body = await content.PartAsync(offset, (int)Math.Min(partBytes, size - offset), cancel);
                    var request = new UploadPartRequest
                    {
                        BucketName = _options.Bucket,
                        Key = key,
                        UploadId = upload,
                        PartNumber = index + 1,
                        PartSize = body.Length,
                        InputStream = body,
                        UseChunkEncoding = false,
                    };
                    var part = await GuardAsync(() => _client.UploadPartAsync(request, cancel), cancel);
                    parts[index] = new PartETag(index + 1, part.ETag);
                });
            var end = new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload, PartETags = [.. parts] };
            await GuardAsync(() => _client.CompleteMultipartUploadAsync(end, cancel), cancel);
        }
        catch (Exception)
        {
            await AbortAsync(key, upload);
            throw;
        }
    }

    private async Task AbortAsync(string key, string upload)
    {
        try
        {
            await _client.AbortMultipartUploadAsync(_options.Bucket, key, upload, CancellationToken.None);
        }
        catch (Exception)
        {
            // The failure that led here is the one to tell. A rule of the bucket's lifecycle removes what stays behind.
        }
    }

    private static bool IsAbsent(AmazonS3Exception e) => e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket";

    private static async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        try
        {
            return await call();
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            throw new StorageUnavailableException(FaultOf(e));
        }
    }

    // Every request stands alone, so a further try may always succeed.
    private static StorageFault FaultOf(Exception e) => e is AmazonServiceException service && service.ErrorCode is { Length: > 0 } code
        ? new StorageFault(
            service.StatusCode == HttpStatusCode.InsufficientStorage || code is "QuotaExceeded" or "XMinioStorageFull" ? StorageFault.Full : StorageFault.Io,
            $"{code}: {e.Message}",
            Recoverable: true)
        : new StorageFault(StorageFault.Io, e.Message, Recoverable: true);
}
