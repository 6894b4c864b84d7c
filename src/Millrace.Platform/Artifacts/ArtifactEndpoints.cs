using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Millrace.Engine.Runs;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Platform.Artifacts;

/// <summary>A file that a run keeps.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Href">Where its bytes are, on this server.</param>
/// <param name="Path">Where its bytes are, on this machine's disk.</param>
public sealed record Artifact(string Name, string MediaType, long Size, string Sha256, DateTimeOffset CreatedAt, string Href, string? Path);

/// <summary>Routes under <c>/runs/{id}/artifacts</c>.</summary>
internal static class ArtifactEndpoints
{
    /// <summary>Types a browser may show; it saves all others, because what a run writes may come from anywhere.</summary>
    private static readonly string[] Shown = ["text/plain", "text/markdown", "text/csv", "application/json", "image/png", "image/jpeg", "image/gif", "image/webp"];

    /// <summary>For how long a download may begin at an address of the bucket's own.</summary>
    private static readonly TimeSpan DirectFor = TimeSpan.FromMinutes(15);

    public static void MapArtifacts(this RouteGroupBuilder runs)
    {
        var group = runs.MapGroup("/{id}/artifacts").WithTags("Artifacts");
        group.MapGet("", ListAsync).WithName("ListArtifacts").WithSummary("The files the run keeps, by name.").Refuses(404);
        group.MapGet("/{*name}", GetAsync).WithName("GetArtifact").WithSummary("The file's bytes.")
            .Query("direct", "true: where files are in a bucket the answer is 302 with an address there that is good for some minutes and needs no key.")
            .Produces<byte[]>(200, "application/octet-stream").Produces(302).Refuses(400, 404);
    }

    private static async Task<Ok<ItemList<Artifact>>> ListAsync(string id, HttpRequest request, Database database, BlobStore blobs, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        var rows = await database.ReadAsync(db => RunStore.Get(db, tenant, run) is null ? null : ArtifactStore.Of(db, tenant, run), cancel) ?? throw RunEndpoints.NotFound(id);
        return TypedResults.Ok(new ItemList<Artifact>(rows.ConvertAll(row => Of(run, row, blobs))));
    }

    private static async Task<IResult> GetAsync(string id, string name, HttpContext context, Database database, BlobStore blobs, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(context.Request);
        var direct = query.Flag("direct") ?? false;
        query.NoMore();
        var run = RunEndpoints.ParseId(id);
        var row = await database.ReadAsync(db => ArtifactStore.Get(db, tenant, run, name), cancel)
            ?? throw Problem.NotFound("artifact.not_found", "There is no such artifact.", $"The run {id} has no artifact '{name}'.");
        if (direct && blobs is S3BlobStore bucket)
        {
            context.Response.Headers.CacheControl = "no-store";
            return TypedResults.Redirect(bucket.PresignGet(new BlobRef(row.Sha256, row.Size), DirectFor, Path.GetFileName(row.Name)).AbsoluteUri);
        }
        var content = await blobs.OpenAsync(new BlobRef(row.Sha256, row.Size), cancel);
        var shown = MediaTypeHeaderValue.TryParse(row.MediaType, out var type) && Shown.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase);
        var disposition = new ContentDispositionHeaderValue(shown ? "inline" : "attachment");
        disposition.SetHttpFileName(Path.GetFileName(row.Name));
        context.Response.Headers.ContentDisposition = disposition.ToString();
        context.Response.Headers.ContentSecurityPolicy = SecurityHeaders.Sandboxed;
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Stream(content, type is null ? "application/octet-stream" : row.MediaType, entityTag: new EntityTagHeaderValue($"\"{row.Sha256}\""));
    }

    private static Artifact Of(Guid run, ArtifactRow row, BlobStore blobs) => new(
        row.Name, row.MediaType, row.Size, row.Sha256, Micros.ToTime(row.At),
        $"/api/v1/runs/{run}/artifacts/{string.Join('/', row.Name.Split('/').Select(Uri.EscapeDataString))}",
        (blobs as FileBlobStore)?.PathOf(new BlobRef(row.Sha256, row.Size)));
}
