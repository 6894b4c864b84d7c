using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Platform.Uploads;

/// <summary>
/// What clients send to the bucket by themselves and name in a request after that. It is no blob and nothing refers to it: whoever uses it reads it, and it is removed.
/// </summary>
public sealed class ClientUploads(BlobStore blobs, TimeProvider time)
{
    private static readonly TimeSpan Valid = TimeSpan.FromHours(1);

    /// <exception cref="Problem">409 <c>upload.not_offered</c>.</exception>
    internal Upload Offer(Tenant tenant, BlobRef content)
    {
        if (blobs is not S3BlobStore bucket)
            throw Problem.Conflict("upload.not_offered", "This server has no bucket.", $"Blobs are files here. Send the content in the request itself, up to {RequestBody.JsonBytesMax} bytes.");
        return new Upload("PUT", bucket.PresignPut(Owner(tenant), content, Valid).AbsoluteUri, time.GetUtcNow() + Valid);
    }

    /// <exception cref="Problem">404 <c>upload.not_found</c>, 422 <c>upload.differs</c>.</exception>
    internal async Task<byte[]> ReadAsync(Tenant tenant, BlobRef content, CancellationToken cancel)
    {
        try
        {
            return blobs is S3BlobStore bucket ? await bucket.ReadUploadAsync(Owner(tenant), content, cancel) : throw new BlobAbsentException(content);
        }
        catch (BlobAbsentException)
        {
            throw Problem.NotFound("upload.not_found", "There is no such upload.", "Nothing was uploaded under this name and size, or a run was started with it already.");
        }
        catch (BlobCorruptException)
        {
            throw new Problem(422, "upload.differs", "The upload is something else.", "What was uploaded has another SHA-256 or size than was said. It is gone; upload it again.");
        }
    }

    /// <summary>It was used.</summary>
    internal async Task RemoveAsync(Tenant tenant, BlobRef content)
    {
        try
        {
            if (blobs is S3BlobStore bucket) await bucket.RemoveUploadAsync(Owner(tenant), content);
        }
        catch (StorageUnavailableException)
        {
            // What it was for is on disk. A rule of the bucket's lifecycle removes what stays behind.
        }
    }

    private static string Owner(Tenant tenant) => tenant.Workspace.ToString("N");
}
