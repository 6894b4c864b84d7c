using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Streams;

/// <summary>The live routes: Server-Sent Events.</summary>
internal static class StreamEndpoints
{
    private const string Resume = "Position after which to go on; what a browser sends by itself when it connects again.";

    public static void MapStreams(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("").WithTags("Streams");
        group.MapGet("/runs/{id}/stream", FollowRunAsync).WithName("FollowRun").WithSummary("The run's journal as it grows: record, live and end events.")
            .Query("after", "Sequence number after which to begin, at most the last; -1, the default, is before the first.").Header("Last-Event-ID", Resume)
            .Produces<RunRecordMessage>(200, "text/event-stream").Refuses(400, 404);
        group.MapGet("/stream", FollowWorkspaceAsync).WithName("FollowWorkspace").WithSummary("Changes of state of all runs, from now on or from a position: run events.")
            .Query("after", "Position after which to begin; the log's end, unless told, and at most.").Header("Last-Event-ID", Resume)
            .Produces<Run>(200, "text/event-stream").Refuses(400);
    }

    private static async Task FollowRunAsync(string id, HttpContext context, EventStream stream, RunHistories histories, Database database, JournalReader journal, Tenant tenant)
    {
        var after = EventStream.After(context.Request);
        var run = RunEndpoints.ParseId(id);
        var row = await database.ReadAsync(db => RunStore.Get(db, tenant, run), context.RequestAborted) ?? throw RunEndpoints.NotFound(id);
        var workflow = await histories.WorkflowOfAsync(tenant, row, context.RequestAborted);
        var begin = await RunLog.BeginAsync(database, tenant, run, after, context.RequestAborted);
        await stream.WriteAsync(context, begin, from => new RunLog(tenant, row, workflow, journal, database, from));
    }

    private static async Task FollowWorkspaceAsync(HttpContext context, EventStream stream, Database database, Tenant tenant)
    {
        var begin = await WorkspaceLog.BeginAsync(database, tenant, EventStream.After(context.Request), context.RequestAborted);
        await stream.WriteAsync(context, begin, from => new WorkspaceLog(tenant, database, from));
    }
}
