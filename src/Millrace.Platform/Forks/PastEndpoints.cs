using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Forks;

/// <summary>A run as it stood at a place of its journal.</summary>
/// <param name="Seq">The record it stood behind; when it stood before a step, the one in which that step begins.</param>
/// <param name="Last">The last record of the journal now.</param>
/// <param name="Data">What flowed through the tasks at the top: what the next of them begins with.</param>
/// <param name="Active">Steps that had begun and not ended.</param>
/// <param name="Waiting">What it waited for.</param>
public sealed record RunMoment(
    Guid Run, long Seq, long Last, DateTimeOffset At, RunPhase State, Json Input, Json Context, Json Data, Json? Output, WorkflowError? Error, string? Reason,
    StepCounts Steps, DateTimeOffset? WakeAt, IReadOnlyList<ActiveStep> Active, IReadOnlyList<RunWait> Waiting);

/// <summary>A step that had begun and not ended.</summary>
/// <param name="Data">What flowed through it: its input at first, then the output of the last task inside.</param>
/// <param name="TimeoutAt">When it would have been given up.</param>
public sealed record ActiveStep(
    int Id, int? Parent, int Node, string Name, string Reference, string Kind, int? Iteration, int Attempt, DateTimeOffset StartedAt,
    DateTimeOffset? WakeAt, DateTimeOffset? TimeoutAt, Guid? Child, Json Input, Json Data)
{
    public static ActiveStep Of(Step step) => new(
        step.Id, step.Parent is { Id: > 0 and var parent } ? parent : null, step.Node.Index, step.Node.Name, step.Node.Reference, step.Node.Body.Keyword,
        step.Iteration < 0 ? null : step.Iteration, step.Attempt, Micros.ToTime(step.StartedAt), Time(step.WakeAt), Time(step.TimeoutAt), step.Child, step.Input, step.Data);

    private static DateTimeOffset? Time(long? micros) => micros is { } m ? Micros.ToTime(m) : null;
}

/// <summary>Looking at what a run was like before.</summary>
internal static class PastEndpoints
{
    public static void MapPast(this RouteGroupBuilder group) =>
        group.MapGet("/{id}/state", StateAsync).WithName("GetRunState").WithSummary("The run as it stood behind a record of its journal, or just before a step began; now, when neither is named.")
            .Query("seq", "Sequence number of a record.").Query("step", "Number of a step.").Produces<RunMoment>(200).Refuses(400, 404);

    private static async Task<Ok<RunMoment>> StateAsync(
        string id, HttpRequest request, RunHistories histories, JournalReader journal, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var (seq, step) = (query.Number("seq", 0, long.MaxValue), query.Number("step", 1, int.MaxValue));
        query.NoMore();
        if (seq is not null && step is not null) throw Problem.Parameter("step", "Either a record or a step is named.", "one of seq, step");
        var run = RunEndpoints.ParseId(id);
        var (row, last) = await database.ReadAsync(db => (RunStore.Get(db, tenant, run), JournalStore.LastSeq(db, tenant, run)), cancel);
        if (row is null) throw RunEndpoints.NotFound(id);
        var workflow = await histories.WorkflowOfAsync(tenant, row, cancel);
        var past = await PastRun.ReadAsync(journal, tenant, run, workflow, step is null ? seq ?? last : null, (int?)step, cancel) ?? throw (step is not null
            ? Problem.NotFound("step.not_found", "There is no such step.", $"The run {id} has begun no step {step}.")
            : Problem.NotFound("run.record_not_found", "There is no such record.", $"The journal of run {id} has records 0 to {last}; there is no record {seq}."));
        return TypedResults.Ok(MomentOf(past, Math.Max(last, past.Seq)));
    }

    private static RunMoment MomentOf(PastRun past, long last)
    {
        var state = past.History.State;
        return new RunMoment(
            state.Id, past.Seq, last, Micros.ToTime(past.At), state.Phase, state.Input, state.Context, state.Root.Data, state.Ended == RunPhase.Completed ? state.Output : (Json?)null, state.Error, state.Reason,
            state.Counts, state.NextWake is { } wake ? Micros.ToTime(wake) : null,
            [.. state.Active.Values.OrderBy(s => s.Id).Select(ActiveStep.Of)], [.. past.History.Waiting().Select(RunWait.Of)]);
    }
}
