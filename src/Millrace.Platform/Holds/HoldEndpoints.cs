using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Holds;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Holds;

/// <summary>A definition that is suspended, or the workspace.</summary>
/// <param name="Namespace">Absent, as is the name, for the whole workspace.</param>
public sealed record Suspension(string? Namespace, string? Name, string? Reason, DateTimeOffset Since)
{
    internal static Suspension Of(HoldRow row) => new(row.Namespace.Length == 0 ? null : row.Namespace, row.Name.Length == 0 ? null : row.Name, row.Reason, Micros.ToTime(row.CreatedAt));
}

/// <summary>Routes that have all runs of a definition, or of the workspace, stand and go on.</summary>
internal static class HoldEndpoints
{
    private const int BytesMax = 64 << 10;

    public static void MapHolds(this IEndpointRouteBuilder api)
    {
        api.MapGet("/suspensions", ListAsync).WithTags("Suspensions").WithName("ListSuspensions").WithSummary("The definitions that are suspended, and the workspace when it is.");
        var definition = api.MapGroup("/definitions/{namespace}/{name}").WithTags("Definitions");
        definition.MapPost("/suspension", (string @namespace, string name, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
            SuspendAsync(@namespace, name, request, engine, database, tenant, cancel)).WithName("SuspendDefinition")
            .WithSummary("No run of it begins, and those under way stop before their next step.").Takes().Produces<Suspension>(202).Refuses(400, 404, 409, 415, 503);
        definition.MapPost("/resumption", (string @namespace, string name, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
            ResumeAsync(@namespace, name, request, engine, database, tenant, cancel)).WithName("ResumeDefinition")
            .WithSummary("Its runs go on where they were; one that was suspended by itself stays so.").Takes().Produces<Suspension>(202).Refuses(400, 404, 409, 415, 503);
        var workspace = api.MapGroup("/workspace").WithTags("Workspace");
        workspace.MapPost("/suspension", (HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
            SuspendAsync("", "", request, engine, database, tenant, cancel)).WithName("SuspendWorkspace")
            .WithSummary("No run begins, and those under way stop before their next step.").Takes().Produces<Suspension>(202).Refuses(400, 409, 415, 503);
        workspace.MapPost("/resumption", (HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
            ResumeAsync("", "", request, engine, database, tenant, cancel)).WithName("ResumeWorkspace")
            .WithSummary("The workspace's runs go on where they were; what was suspended by itself stays so.").Takes().Produces<Suspension>(202).Refuses(400, 409, 415, 503);
    }

    private static RouteHandlerBuilder Takes(this RouteHandlerBuilder route) => route.Accepts<ReasonBody>(isOptional: true, "application/json");

    private static async Task<Ok<ItemList<Suspension>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(new ItemList<Suspension>(await database.ReadAsync(db => HoldStore.Of(db, tenant).ConvertAll(Suspension.Of), cancel)));
    }

    private static async Task<IResult> SuspendAsync(string space, string name, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        var reason = await ReasonAsync(space, name, request, database, tenant, cancel);
        if (!await engine.Holds.SuspendAsync(tenant, space, name, reason)) throw Problem.Conflict("suspension.already", "It is suspended already.", $"{Words(space, name)} is suspended already.");
        return TypedResults.Accepted((string?)null, await database.ReadAsync(db => HoldStore.Find(db, tenant, space, name) is { } row ? Suspension.Of(row) : null, cancel));
    }

    private static async Task<IResult> ResumeAsync(string space, string name, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        await ReasonAsync(space, name, request, database, tenant, cancel);
        var over = await database.ReadAsync(db => HoldStore.Find(db, tenant, space, name), cancel);
        if (over is null || !await engine.Holds.ResumeAsync(tenant, space, name)) throw Problem.Conflict("suspension.none", "It is not suspended.", $"{Words(space, name)} is not suspended.");
        return TypedResults.Accepted((string?)null, Suspension.Of(over));
    }

    private static async Task<string?> ReasonAsync(string space, string name, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.OptionalJsonAsync(request, BytesMax, cancel));
        var reason = shape.OptionalText("reason", RunEndpoints.ReasonMax);
        shape.NoMore();
        shape.ThrowIfWrong();
        if (name.Length > 0 && await database.ReadAsync(db => DefinitionStore.Find(db, tenant, new DefinitionName(space, name, null)), cancel) is null)
            throw DefinitionEndpoints.NotFound(new DefinitionName(space, name, null));
        return reason;
    }

    private static string Words(string space, string name) => name.Length == 0 ? "The workspace" : $"{space}/{name}";
}
