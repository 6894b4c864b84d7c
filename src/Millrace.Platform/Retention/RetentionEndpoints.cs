using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Retention;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Limits;

namespace Millrace.Platform.Retention;

/// <summary>For how long runs are kept after their end, ISO 8601 durations; null: for ever.</summary>
public sealed record WorkspaceRetention(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Completed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Faulted,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Cancelled)
{
    internal static WorkspaceRetention Of(RunRetention retention) => new(Text(retention.Completed), Text(retention.Faulted), Text(retention.Cancelled));

    private static string? Text(TimeSpan? time) => time is { } t ? System.Xml.XmlConvert.ToString(t) : null;
}

/// <summary>Routes under <c>/retention</c>: what holds for runs whose definition says nothing.</summary>
internal static class RetentionEndpoints
{
    private const int BodyMax = 4 << 10;

    public static void MapRetention(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/retention").WithTags("Retention");
        group.MapGet("", GetAsync).WithName("GetRetention").WithSummary("For how long runs are kept whose definition says nothing.").Produces<WorkspaceRetention>(200);
        group.MapPut("", SetAsync).WithName("SetRetention").WithSummary("Set it for runs that end from now on.")
            .Accepts<WorkspaceRetention>("application/json").Produces<WorkspaceRetention>(200).Refuses(400, 413, 415, 503);
    }

    private static async Task<Ok<WorkspaceRetention>> GetAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        return TypedResults.Ok(WorkspaceRetention.Of(await database.ReadAsync(db => RetentionStore.OfWorkspace(db, tenant), cancel)));
    }

    private static async Task<Ok<WorkspaceRetention>> SetAsync(HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var retention = new RunRetention(Time(shape, "completed"), Time(shape, "faulted"), Time(shape, "cancelled"));
        shape.NoMore();
        shape.ThrowIfWrong();
        await engine.Retention.SetAsync(tenant, retention);
        return TypedResults.Ok(WorkspaceRetention.Of(retention));
    }

    private static TimeSpan? Time(BodyShape shape, string name)
    {
        if (shape.Any(name) is not { IsNull: false } value) return null;
        if (!Duration.TryParse(value, out var time, out var reason)) shape.Refuse(name, reason!, "P30D");
        else if (time < RunRetention.Min || time > RunRetention.Max) shape.Refuse(name, "A retention is one second to 3650 days.", "P30D");
        else return time;
        return null;
    }
}
