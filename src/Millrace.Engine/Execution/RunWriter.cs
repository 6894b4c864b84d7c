using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What one run's actor hands to the disk: its records, and that it lets the run go. Touched only by the actor in its turn.</summary>
internal sealed class RunWriter(RunActor actor)
{
    private readonly List<TaskCompletionSource> _waiters = [];

    /// <summary>Records are handed over without waiting for those before them.</summary>
    private readonly WriteChain _chain = new();

    /// <summary>The state that the journal says, and the one that the row says.</summary>
    private RunPhase _phase, _rowPhase;

    private bool _signalsTaken;

    /// <summary>Signals up to this position have been heard.</summary>
    public long SignalsSeen { get; private set; }

    /// <summary>What is on disk when the run is taken.</summary>
    public void Begin(RunPhase journal, RunPhase row) => (_phase, _rowPhase) = (journal, row);

    public void Heard(long position)
    {
        SignalsSeen = position;
        _signalsTaken = true;
    }

    /// <summary>Whoever waits until the next record is durable.</summary>
    public void Await(TaskCompletionSource waiter) => _waiters.Add(waiter);

    public void CancelWaiters()
    {
        foreach (var waiter in _waiters) waiter.TrySetCanceled();
        _waiters.Clear();
    }

    /// <param name="entries">What was decided, and as it is kept.</param>
    public RunRecord Record(long now, List<Entry> entries, byte[] bytes, Command[] commands, IReadOnlyList<NewRun> children)
    {
        var (state, workflow) = (actor.State, actor.Workflow);
        var phase = state.Phase;
        // A suspended run stays held while effects under way here may still end; those of a worker that died are begun again when it goes on.
        var keeps = !state.IsFinished && (phase == RunPhase.Running || (state.Effects > 0 && actor.HasEffects));
        var change = phase == _rowPhase && keeps ? null : new RunChange(phase, keeps, keeps ? null : state.NextWake,
            state.IsStarted ? state.StartedAt : null, state.IsFinished ? state.EndedAt : null, now, state.Error, state.Reason, state.Counts);
        var record = new RunRecord
        {
            Tenant = actor.Tenant,
            Run = actor.Id,
            Lease = actor.Lease,
            Seq = state.Position + 1,
            At = now,
            Entries = bytes,
            State = phase == _phase ? null : phase,
            Change = change,
            Children = children,
            ChildrenToCancel = Array.Exists(commands, c => c is Command.CancelChild) ? [.. commands.OfType<Command.CancelChild>().Select(c => c.Child)] : [],
            Parent = state.IsFinished ? actor.Lineage.Parent : null,
            Schedule = state.IsFinished && workflow.Schedule is { TracksRuns: true } ? state.Trigger?.Schedule : null,
            // A wish that met the end goes with it: a run that is taken back later must not find it.
            SignalsTaken = state.IsFinished ? long.MaxValue : _signalsTaken ? SignalsSeen : null,
            Limits = actor.Limits.Plan,
            ExpiresAt = state.IsFinished ? actor.Worker.Keeping.ExpiryOf(actor.Tenant, workflow, phase, now) : null,
            DeadLetter = phase == RunPhase.Faulted && workflow.DeadLetters ? ("run.faulted", workflow.Id) : null,
            Commands = commands,
            SignalsSeen = SignalsSeen,
            Heard = entries.Exists(e => e is Entry.EventConsumed) ? [.. entries.OfType<Entry.EventConsumed>().Select(e => e.Event).Distinct()] : [],
            Tally = Telemetry.EngineMetrics.Count(entries),
            Waiters = _waiters.Count == 0 ? [] : [.. _waiters],
        };
        state.Position++;
        _phase = _rowPhase = phase;
        _signalsTaken = false;
        _waiters.Clear();
        return record;
    }

    /// <summary>Ends with word to the actor that the record is durable, or with the run forgotten.</summary>
    public async Task CommitAsync(RunRecord record)
    {
        var worker = actor.Worker;
        try
        {
            if (!await worker.Database.WriteAsync(record.Write, _chain))
            {
                worker.Lost.Disown(record.Children, mayBeThere: false);
                worker.Fenced(record.Lease);
                worker.Forget(actor);
                return;
            }
        }
        catch (Exception e)
        {
            worker.Lost.Disown(record.Children, mayBeThere: e is StorageUnavailableException);
            worker.Failures.OfCommit(actor, record, e);
            return;
        }
        actor.PostHere(new RunEvent.Durable(record));
    }

    /// <summary>Lets go of a run of which nothing came, without a record.</summary>
    public (RunChange Change, Task Written) LetGo()
    {
        var (state, worker, lease) = (actor.State, actor.Worker, actor.Lease);
        var change = new RunChange(state.Phase, false, state.NextWake, state.IsStarted ? state.StartedAt : null, null, worker.Now, null, state.Reason, state.Counts);
        long? taken = _signalsTaken ? SignalsSeen : null;
        _signalsTaken = false;
        var plan = actor.Limits.Plan;
        return (change, worker.Database.WriteAsync(db => RunRecord.WriteLettingGo(db, actor.Tenant, actor.Id, lease, change, taken, plan)));
    }
}
