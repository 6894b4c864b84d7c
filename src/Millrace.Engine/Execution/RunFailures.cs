using System.Collections.Concurrent;
using Millrace.Engine.Approvals;
using Millrace.Engine.Journal;
using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows;

namespace Millrace.Engine.Execution;

/// <summary>What a worker does about runs it could not go on with, and how often it has tried.</summary>
internal sealed class RunFailures(Worker worker)
{
    private const int FailuresMax = 3;

    /// <summary>Failures further apart than that have nothing to do with one another; a run may live for years.</summary>
    private static readonly long RemembersMicros = (long)TimeSpan.FromHours(1).TotalMicroseconds;

    private readonly ConcurrentDictionary<Guid, Seen> _failures = new();

    private readonly record struct Seen(int Times, long LastAt);

    public void OfCommit(RunActor actor, RunRecord record, Exception e)
    {
        if (e is BrokenChainException) return;
        if (e is LostRunException) Lost(actor, e, record.Seq);
        else if (e is OvertakenException) worker.Standing.ReadAgain(actor);
        else OfTurn(actor, e);
    }

    public void OfTurn(RunActor actor, Exception e)
    {
        if (e is NewerBuildException newer)
        {
            worker.Forget(actor);
            _ = worker.Strays.LeaveAsync(actor.Tenant, actor.Id, actor.Lease.Id, newer);
            return;
        }
        if (e is LostRunException)
        {
            // It was let go of, and is another's or waits to be taken again.
            Lost(actor, e, actor.State.Position + 1);
            return;
        }
        worker.Forget(actor);
        if (e is NoSlotException)
        {
            worker.Lost.Add(actor.Tenant, actor.Id);
            worker.Due.Call(0);
            return;
        }
        using (worker.Log.About(actor)) CouldNotGoOn(actor.Tenant, actor.Id, e);
    }

    private void Lost(RunActor actor, Exception e, long seq)
    {
        using (worker.Log.About(actor)) worker.Log.RecordLost(actor.Id, e.Message, seq);
        worker.Forget(actor);
    }

    /// <summary>
    /// A run this worker cannot go on with, through a fault of ours or of its data, is tried again and then faulted; it never stops the
    /// others. A store that refuses is nobody's fault: the run is read again when the store lets it, however often that takes.
    /// </summary>
    public void CouldNotGoOn(Tenant tenant, Guid run, Exception e)
    {
        if (e is StorageUnavailableException)
        {
            worker.Log.StoreUnavailable($"Run {run}", e.Message);
            worker.Lost.Add(tenant, run);
            return;
        }
        EngineMetrics.TurnFailed();
        worker.Log.TurnFailed(e, run);
        var now = worker.Now;
        if (_failures.AddOrUpdate(run, new Seen(1, now), (_, seen) => new Seen(now - seen.LastAt > RemembersMicros ? 1 : seen.Times + 1, now)).Times < FailuresMax)
        {
            worker.Lost.Add(tenant, run);
            worker.Due.Call(0);
            return;
        }
        _ = worker.Strays.GiveUpAsync(tenant, run, new WorkflowError(ErrorTypes.Runtime, 500, "The engine could not go on", $"{e.GetType().Name}: {e.Message}", "/"));
    }

    public void Forget(Guid run) => _failures.TryRemove(run, out _);
}
