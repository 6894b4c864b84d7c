using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Runs;

/// <summary>Body of a request to change how many children of a step are under way at once.</summary>
public sealed record ConcurrencyBody(int Concurrency);

/// <summary>Routes that act on the children of a map or a swarm.</summary>
internal static class SpawnEndpoints
{
    private const int BytesMax = 1 << 10;

    public static void MapSpawn(this RouteGroupBuilder group)
    {
        group.MapPut("/{id}/steps/{step}/concurrency", ChangeAsync).WithName("ChangeConcurrency").WithSummary("Change how many children of a map or a swarm are under way at once.")
            .Accepts<ConcurrencyBody>("application/json").Produces<RunStep>(202).Refuses(400, 404, 409, 415, 503);
        group.MapPost("/{id}/steps/{step}/redrive", RedriveAsync).WithName("RedriveStep")
            .WithSummary("Take a run that has ended back to a map or a swarm: the children that did not complete are carried out again, and so is what follows the step.")
            .Produces<Run>(202).Refuses(400, 404, 409, 503);
        group.MapResults();
    }

    private static async Task<IResult> ChangeAsync(
        string id, string step, HttpRequest request, DurableEngine engine, RunHistories histories, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BytesMax, cancel));
        var concurrency = shape.RequiredWhole("concurrency", 1, ChildrenBody.ConcurrencyMax);
        shape.NoMore();
        shape.ThrowIfWrong();
        var (found, _, _) = await FindAsync(histories, tenant, run, step, cancel);
        if (found.EndedAt is not null) throw Problem.Conflict("step.already_ended", "The step has ended.", "The children of a step that has ended cannot be changed.");
        return await engine.ChangeConcurrencyAsync(tenant, run, found.Id, concurrency) switch
        {
            ControlOutcome.Accepted => TypedResults.Accepted($"/api/v1/runs/{run}/steps/{found.Id}", found),
            ControlOutcome.NotFound => throw RunEndpoints.NotFound(id),
            _ => throw Problem.Conflict("run.already_finished", "The run has ended.", "A run that has ended cannot be changed."),
        };
    }

    private static async Task<IResult> RedriveAsync(
        string id, string step, HttpRequest request, DurableEngine engine, RunHistories histories, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        ControlOutcome outcome;
        do
        {
            var (found, redrivable, seen) = await FindAsync(histories, tenant, run, step, cancel);
            outcome = redrivable is null ? ControlOutcome.NotFinished
                : redrivable == true ? await engine.RedriveAsync(tenant, run, found.Id, seen)
                : throw Problem.Conflict("step.not_redrivable", "There is nothing to carry out again.",
                    "All children of the step have completed, or it stands in a fork or in an input of a batch, which a run cannot go back to.");
        }
        while (outcome == ControlOutcome.Changed);
        return outcome switch
        {
            ControlOutcome.Accepted => TypedResults.Accepted($"/api/v1/runs/{run}", await RunEndpoints.FindAsync(database, tenant, run, cancel)),
            ControlOutcome.NotFound => throw RunEndpoints.NotFound(id),
            ControlOutcome.Continued => throw Problem.Conflict("run.continued", "The run has gone on as another.", "What follows it is under way in the run that it has gone on as."),
            _ => throw Problem.Conflict("run.not_finished", "The run has not ended.", "Only a run that has ended can go back to a step. Cancel it first, or wait for its end."),
        };
    }

    /// <returns>The step, whether its run can go back to it, null while the run has not ended, and the run's last record at that time.</returns>
    internal static async Task<(RunStep Step, bool? Redrivable, long Seen)> FindAsync(RunHistories histories, Tenant tenant, Guid run, string step, CancellationToken cancel)
    {
        var number = int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
        var found = await histories.ReadAsync(tenant, run, (_, history) =>
        {
            var view = history.Steps.GetValueOrDefault(number);
            bool? redrivable = history.State.IsFinished ? history.State.IsRedrivable(number) : null;
            return Tuple.Create(view is null ? null : RunStep.Of(view, values: false), redrivable, view?.Node.Body is ChildrenBody, history.State.Position);
        }, cancel) ?? throw RunEndpoints.NotFound(run.ToString());
        if (found.Item1 is null) throw Problem.NotFound("step.not_found", "There is no such step.", $"The run {run} has no step {step}.");
        if (!found.Item3) throw Problem.Conflict("step.no_children", "The step has no window of children.", "Only a map or a swarm has one.");
        return (found.Item1, found.Item2, found.Item4);
    }
}
