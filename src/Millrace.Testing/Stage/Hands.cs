using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Storage;
using Millrace.Testing.Scenarios;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Stage;

/// <summary>
/// What people do to runs by hand in a scenario, by the operations that the HTTP routes use. It outlives every crash: whoever got no answer asks for
/// the same once more, and it is done once.
/// </summary>
internal sealed class Hands(World world, IReadOnlyList<Workflow> workflows)
{
    private readonly Dictionary<ScriptItem, string> _asked = new(ReferenceEqualityComparer.Instance);

    /// <param name="run">The run that the scenario is about.</param>
    /// <param name="named">Runs of the definition that the item names.</param>
    /// <returns>The run that it is about from then on.</returns>
    /// <exception cref="StageException">It is refused.</exception>
    public async Task<Guid> DoAsync(DurableEngine engine, Guid run, IReadOnlyList<Guid> named, ScriptItem item)
    {
        var before = _asked.ContainsKey(item);
        if (!before) _asked.Add(item, $"scenario-{_asked.Count}");
        switch (item)
        {
            case ScriptItem.Retry retry: return await RetryAsync(engine, run, retry);
            case ScriptItem.Redrive redrive: await RedriveAsync(engine, run, redrive, before); break;
            case ScriptItem.Concurrency change: await ChangeAsync(engine, run, change); break;
            case ScriptItem.Tell tell: await TellAsync(engine, named, tell); break;
            case ScriptItem.Hold hold: await HoldAsync(engine, hold, before); break;
        }
        return run;
    }

    private async Task<Guid> RetryAsync(DurableEngine engine, Guid run, ScriptItem.Retry retry) => await engine.ForkAsync(
        new ForkRequest(Tenant.Default, run, new ForkPoint.Failure()) { Reason = retry.Reason, IdempotencyKey = _asked[retry], RequestHash = "" }) switch
    {
        ForkOutcome.Started started => started.Run,
        ForkOutcome.Existing existing => existing.Run,
        ForkOutcome.Refused refused => throw new StageException($"retry: {refused.Why.Detail}"),
        _ => throw new StageException("retry: there is no run"),
    };

    private async Task RedriveAsync(DurableEngine engine, Guid run, ScriptItem.Redrive redrive, bool before)
    {
        var (history, step) = await FindAsync(engine, run, "redrive", redrive.Task);
        if (history.State.IsFinished && history.State.IsRedrivable(step) && await engine.RedriveAsync(Tenant.Default, run, step, history.State.Position) == ControlOutcome.Accepted) return;
        // It was asked for before somebody died, and the run has gone back meanwhile.
        if (before) return;
        throw new StageException($"redrive: {(history.State.IsFinished ? $"all children of '{redrive.Task}' have completed" : "the run has not ended")}");
    }

    private async Task ChangeAsync(DurableEngine engine, Guid run, ScriptItem.Concurrency change)
    {
        var (_, step) = await FindAsync(engine, run, "concurrency", change.Task);
        await engine.ChangeConcurrencyAsync(Tenant.Default, run, step, change.To);
    }

    private async Task TellAsync(DurableEngine engine, IReadOnlyList<Guid> runs, ScriptItem.Tell tell)
    {
        foreach (var run in runs)
        {
            var outcome = await engine.Signals.SendAsync(Tenant.Default, run, tell.Name, tell.Data, _asked[tell]);
            if (outcome is not SignalOutcome.Sent) throw new StageException($"signal: '{tell.Name}' is refused: the run has ended");
        }
    }

    private async Task HoldAsync(DurableEngine engine, ScriptItem.Hold hold, bool before)
    {
        var id = hold.Workflow is not { } name ? null
            : workflows.FirstOrDefault(w => w.Id.Name == name)?.Id ?? throw new StageException($"{(hold.Stands ? "hold" : "release")}: the scenario has no workflow '{name}'");
        var (space, of) = (id?.Namespace ?? "", id?.Name ?? "");
        var done = hold.Stands ? await engine.Holds.SuspendAsync(Tenant.Default, space, of, hold.Reason) : await engine.Holds.ResumeAsync(Tenant.Default, space, of);
        if (!done && !before) throw new StageException(hold.Stands ? "hold: it stands already" : "release: it does not stand");
    }

    /// <summary>The last step of a task with many children.</summary>
    private async Task<(RunHistory History, int Step)> FindAsync(DurableEngine engine, Guid run, string wish, string task)
    {
        var row = await world.ReadAsync(db => RunStore.Get(db, Tenant.Default, run)) ?? throw new StageException($"{wish}: there is no run");
        var history = new RunHistory(world.Workflow(row.Hash), run);
        foreach (var record in await engine.Journal.AfterAsync(Tenant.Default, run, -1)) history.Apply(record);
        var step = history.Steps.Values.LastOrDefault(s => s.Node.Body is ChildrenBody && (s.Node.Name == task || s.Node.Reference == task))
            ?? throw new StageException($"{wish}: no map or swarm '{task}' has begun");
        return (history, step.Id);
    }
}
