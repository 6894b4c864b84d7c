using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>Routes under <c>/definitions</c>.</summary>
internal static class DefinitionEndpoints
{
    private const int NameMax = 200;

    private static readonly string[] DocumentTypes = ["application/yaml", "application/x-yaml", "text/yaml", "text/plain", "application/json"];

    public static void MapDefinitions(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/definitions").WithTags("Definitions");
        group.MapGet("", ListAsync).WithName("ListDefinitions").WithSummary("The latest version of each definition, by name.")
            .Query("q", "Only definitions whose name, title or summary holds this text, or whose document has all of its words.").Paged().Refuses(400);
        group.MapPost("", PushAsync).WithName("PushDefinition").WithSummary("Push a document; the body is the document itself.")
            .TakesDocument().Produces<DefinitionVersion>(200).Produces<DefinitionVersion>(201).Refuses(400, 409, 413, 415, 422);
        group.MapPost("/validation", ValidateAsync).WithName("ValidateDefinition").WithSummary("Check a document; changes nothing.").TakesDocument().Refuses(400, 413, 415);
        group.MapGet("/{namespace}/{name}", GetLatestAsync).WithName("GetLatestDefinition").WithSummary("The latest version.").Refuses(404);
        group.MapGet("/{namespace}/{name}/versions", ListVersionsAsync).WithName("ListDefinitionVersions").WithSummary("The versions, newest first.").Paged().Refuses(400, 404);
        group.MapGet("/{namespace}/{name}/versions/{version}", GetAsync).WithName("GetDefinition").WithSummary("One version; latest is a version.").Refuses(404);
        group.MapGet("/{namespace}/{name}/versions/{version}/source", SourceAsync).WithName("GetDefinitionSource").WithSummary("The text as it was pushed.")
            .Produces<string>(200, "application/yaml").Refuses(404);
        group.MapGet("/{namespace}/{name}/versions/{version}/graph", GraphAsync).WithName("GetDefinitionGraph").WithSummary("The tasks and how they follow each other.").Refuses(404);
    }

    private static async Task<Ok<Page<DefinitionSummary>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var (text, limit) = (query.Text("q", NameMax), query.Limit);
        var after = Cursor.Parse(query.Cursor, "definitions", 2);
        query.NoMore();
        var found = await database.ReadAsync(unit => DefinitionStore.Latest(unit, tenant, text, after is null ? null : (after[0], after[1]), limit + 1), cancel);
        return TypedResults.Ok(Page.Of(found, limit, d => Cursor.Of("definitions", d.Namespace, d.Name)));
    }

    private static async Task<IResult> PushAsync(HttpRequest request, PushDefinition push, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var source = await RequestBody.TextAsync(request, WorkflowLoader.SourceBytesMax, cancel, DocumentTypes);
        var (definition, created) = await push.PushAsync(tenant, source, cancel);
        var location = $"/api/v1/definitions/{definition.Namespace}/{definition.Name}/versions/{definition.Version}";
        return created ? TypedResults.Created(location, definition) : TypedResults.Ok(definition);
    }

    private static async Task<Ok<ValidationResult>> ValidateAsync(HttpRequest request, PushDefinition push, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(await push.ValidateAsync(tenant, await RequestBody.TextAsync(request, WorkflowLoader.SourceBytesMax, cancel, DocumentTypes), cancel));
    }

    private static Task<Ok<DefinitionVersion>> GetLatestAsync(string @namespace, string name, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel) =>
        GetAsync(@namespace, name, SemanticVersion.Latest, request, database, tenant, cancel);

    private static async Task<Ok<DefinitionVersion>> GetAsync(string @namespace, string name, string version, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(await FindAsync(database, tenant, new DefinitionName(@namespace, name, version), cancel));
    }

    private static async Task<Ok<Page<DefinitionSummary>>> ListVersionsAsync(string @namespace, string name, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "versions", 1)?[0];
        query.NoMore();
        if (after is not null && !SemanticVersion.IsVersion(after)) throw Problem.Parameter("cursor", "This is no cursor of this list.");
        var found = await database.ReadAsync(unit => DefinitionStore.Versions(unit, tenant, @namespace, name, after, limit + 1), cancel);
        if (found.Count == 0 && after is null) throw NotFound(new DefinitionName(@namespace, name, null));
        return TypedResults.Ok(Page.Of(found, limit, d => Cursor.Of("versions", d.Version)));
    }

    private static async Task<IResult> SourceAsync(string @namespace, string name, string version, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var definition = await FindAsync(database, tenant, new DefinitionName(@namespace, name, version), cancel);
        var source = await database.ReadAsync(unit => DefinitionStore.Source(unit, tenant, definition.Hash), cancel);
        return TypedResults.Bytes(source!, "application/yaml; charset=utf-8");
    }

    private static async Task<Ok<GraphView>> GraphAsync(
        string @namespace, string name, string version, HttpRequest request, Database database, CompiledDefinitions compiled, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var definition = await FindAsync(database, tenant, new DefinitionName(@namespace, name, version), cancel);
        var workflow = (await compiled.FindAsync(database, tenant, definition.Hash, cancel))!;
        return TypedResults.Ok(GraphView.Of(workflow));
    }

    private static async Task<DefinitionVersion> FindAsync(Database database, Tenant tenant, DefinitionName name, CancellationToken cancel) =>
        await database.ReadAsync(unit => DefinitionStore.Find(unit, tenant, name), cancel) ?? throw NotFound(name);

    internal static Problem NotFound(DefinitionName name) =>
        Problem.NotFound("definition.not_found", "There is no such definition.", $"There is no definition {name}.");
}
