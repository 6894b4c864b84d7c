using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Millrace.Connectors.Http;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Resources;

/// <summary>A text that definitions of the workspace name by its address.</summary>
/// <param name="Address">What stands in a task's <c>endpoint</c>: <c>resource:///name</c>.</param>
/// <param name="Size">Bytes.</param>
public sealed record StoredResource(string Name, string Address, string MediaType, long Size, string Sha256, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static StoredResource Of(ResourceRow row) =>
        new(row.Name, $"{ResourceAddress.Scheme}:///{row.Name}", row.MediaType, row.Size, row.Sha256, Micros.ToTime(row.CreatedAt), Micros.ToTime(row.UpdatedAt));
}

/// <summary>Routes under <c>/resources</c>: documents of APIs, protos, schemas and scripts that a workspace keeps beside its definitions.</summary>
internal static class ResourceEndpoints
{
    /// <summary>Bytes of one, and how many a workspace keeps.</summary>
    private const int BytesMax = 2 << 20, CountMax = 1000;

    private static readonly string[] Types = ["text/plain", "application/yaml", "application/json", "application/octet-stream"];

    public static void MapResources(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/resources").WithTags("Resources");
        group.MapGet("", ListAsync).WithName("ListResources").WithSummary("Texts that definitions name by resource:///name, by name.").Paged().Refuses(400);
        group.MapGet("/{*name}", GetAsync).WithName("GetResource").WithSummary("The text.").Produces<string>(200, "text/plain").Refuses(404);
        group.MapPut("/{*name}", PutAsync).WithName("PutResource").WithSummary("Keep a text under a name, in the place of the one that was there.")
            .Accepts<string>(Types[0], Types[1..]).Produces<StoredResource>(200).Produces<StoredResource>(201).Refuses(400, 409, 413, 415, 503);
        group.MapDelete("/{*name}", RemoveAsync).WithName("RemoveResource").WithSummary("Keep it no longer; runs that ask for it from then on fail.").Produces(204).Refuses(404, 503);
    }

    private static async Task<Ok<Page<StoredResource>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "resources", 1)?[0];
        query.NoMore();
        var found = await database.ReadAsync(db => ResourceStore.List(db, tenant, after, limit + 1).ConvertAll(StoredResource.Of), cancel);
        return TypedResults.Ok(Page.Of(found, limit, r => Cursor.Of("resources", r.Name)));
    }

    private static async Task<IResult> GetAsync(string name, HttpContext context, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(context.Request).NoMore();
        var (row, content) = await database.ReadAsync(db => (ResourceStore.Find(db, tenant, name), ResourceStore.Content(db, tenant, name)), cancel);
        if (row is null || content is null) throw NotFound(name);
        // A browser shows it as text, whatever it says that it is: it may come from anywhere.
        context.Response.Headers.ContentSecurityPolicy = SecurityHeaders.Sandboxed;
        return TypedResults.Bytes(content, "text/plain; charset=utf-8", entityTag: new EntityTagHeaderValue($"\"{row.Sha256}\""));
    }

    private static async Task<IResult> PutAsync(string name, HttpRequest request, Database database, Tenant tenant, TimeProvider time, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        if (!ResourceAddress.IsName(name))
            throw Problem.Parameter("name", $"'{(name.Length > 100 ? name[..100] + "…" : name)}' is no name of a resource.", $"parts of letters, digits, '.', '_' and '-', divided by '/', at most {ResourceAddress.NameMax} characters");
        var content = Encoding.UTF8.GetBytes(await RequestBody.TextAsync(request, BytesMax, cancel, Types));
        if (content.Length == 0) throw Problem.Body400([new ProblemError { Code = "request.body", Message = "The text is empty.", Pointer = "" }]);
        var now = Micros.Of(time.GetUtcNow());
        var type = MediaTypeHeaderValue.Parse(request.ContentType).MediaType.Value!;
        var row = new ResourceRow(name, type, Convert.ToHexStringLower(SHA256.HashData(content)), content.Length, now, now);
        var (kept, isNew) = await database.WriteAsync<(ResourceRow?, bool)>(db =>
        {
            var known = ResourceStore.Find(db, tenant, name);
            if (known is null && ResourceStore.Count(db, tenant) >= CountMax) return (null, false);
            var put = known is null ? row : row with { CreatedAt = known.CreatedAt };
            ResourceStore.Put(db, tenant, put, content);
            return (put, known is null);
        });
        if (kept is null) throw Problem.Conflict("resource.too_many", "There are too many resources.", $"A workspace keeps at most {CountMax}; remove some first.");
        var stored = StoredResource.Of(kept);
        return isNew ? TypedResults.Created($"/api/v1/resources/{name}", stored) : TypedResults.Ok(stored);
    }

    private static async Task<NoContent> RemoveAsync(string name, HttpRequest request, Database database, Tenant tenant)
    {
        new QueryReader(request).NoMore();
        if (!await database.WriteAsync(db => ResourceStore.Remove(db, tenant, name))) throw NotFound(name);
        return TypedResults.NoContent();
    }

    private static Problem NotFound(string name) => Problem.NotFound("resource.not_found", "There is no such resource.", $"The workspace keeps nothing under the name '{name}'.");
}
