using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Limits;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Platform.Limits;

/// <summary>One limit for one of its keys.</summary>
/// <param name="Name">namespace/name of the definition, or the name that limits of several share.</param>
/// <param name="Kind"><c>slot</c>: runs at work at once; <c>rate</c>: starts within a time; <c>quiet</c>: a time without another start.</param>
/// <param name="IsSetting">The workspace has set it in place of the documents.</param>
public sealed record RunLimit(string Name, string Key, NeedKind Kind, int Limit, bool IsSetting, long Held, long Queued, DateTimeOffset? OldestSince);

/// <summary>Body and answer of a limit that is set; null takes back what was set.</summary>
public sealed record LimitSetting([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Limit);

/// <param name="Weight">The workspace's share of what workspaces share, 1 to 100.</param>
/// <param name="Limit">Runs of the workspace at work at once; null: as many as there are.</param>
public sealed record WorkspaceLimit(int Weight, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Limit);

/// <summary>Routes under <c>/limits</c>.</summary>
internal static class LimitEndpoints
{
    private const int BodyMax = 4 << 10, NameMax = 300;

    public static void MapLimits(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/limits").WithTags("Limits");
        group.MapGet("", ListAsync).WithName("ListLimits").WithSummary("Limits that runs hold or wait for, by name and key.").Paged().Refuses(400);
        group.MapGet("/workspace", GetAsync).WithName("GetWorkspaceLimits").WithSummary("The workspace's weight, and how many of its runs work at once.").Produces<WorkspaceLimit>(200);
        group.MapPut("/workspace", SetWorkspaceAsync).WithName("SetWorkspaceLimits").WithSummary("Set the workspace's weight, and how many of its runs work at once.")
            .Accepts<WorkspaceLimit>("application/json").Produces<WorkspaceLimit>(200).Refuses(400, 413, 415, 503);
        group.MapPut("/{name}", (string name, HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel) => SetAsync(name, request, engine, tenant, cancel))
            .WithName("SetSharedLimit").WithSummary("Set a limit that definitions share by its name, in place of what they say.")
            .Accepts<LimitSetting>("application/json").Produces<LimitSetting>(200).Refuses(400, 413, 415, 503);
        group.MapPut("/{namespace}/{name}", (string @namespace, string name, HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel) =>
                SetAsync($"{@namespace}/{name}", request, engine, tenant, cancel))
            .WithName("SetLimit").WithSummary("Set a definition's limit in place of what it says.")
            .Accepts<LimitSetting>("application/json").Produces<LimitSetting>(200).Refuses(400, 413, 415, 503);
    }

    private static async Task<Ok<Page<RunLimit>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "limits", 2);
        query.NoMore();
        var found = await database.ReadAsync(db => LimitStore.List(db, tenant, after is null ? null : (after[0], after[1]), limit + 1).ConvertAll(l =>
            new RunLimit(l.Name, l.Key, l.Kind, l.Limit, l.IsSetting, l.Held, l.Queued, l.OldestSince is { } since ? Micros.ToTime(since) : null)), cancel);
        return TypedResults.Ok(Page.Of(found, limit, l => Cursor.Of("limits", l.Name, l.Key)));
    }

    private static async Task<Ok<WorkspaceLimit>> GetAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var found = await database.ReadAsync(db => LimitStore.OfWorkspace(db, tenant), cancel);
        return TypedResults.Ok(new WorkspaceLimit(found.Weight, found.Most));
    }

    private static async Task<Ok<WorkspaceLimit>> SetWorkspaceAsync(HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var limits = new WorkspaceLimits(shape.RequiredWhole("weight", 1, WorkspaceLimits.WeightMax), Limit(shape));
        shape.NoMore();
        shape.ThrowIfWrong();
        await engine.Limits.SetAsync(tenant, limits);
        return TypedResults.Ok(new WorkspaceLimit(limits.Weight, limits.Most));
    }

    private static async Task<Ok<LimitSetting>> SetAsync(string name, HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        if (name.Length > NameMax) throw Problem.Parameter("name", $"It has {name.Length} characters; at most {NameMax} are taken.");
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var limit = Limit(shape);
        shape.NoMore();
        shape.ThrowIfWrong();
        await engine.Limits.SetAsync(tenant, name, limit);
        return TypedResults.Ok(new LimitSetting(limit));
    }

    /// <summary>Said, or said to be null: leaving it out would be a slip.</summary>
    private static int? Limit(BodyShape shape)
    {
        if (shape.Any("limit") is { IsNull: true }) return null;
        return shape.RequiredWhole("limit", 1, WorkspaceLimits.MostMax);
    }
}
