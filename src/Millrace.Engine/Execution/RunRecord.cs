using Millrace.Engine.Events;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Journal;
using Millrace.Engine.Limits;
using Millrace.Engine.Retention;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Execution;

/// <summary>
/// One sealed decision: everything that changes with it, in one transaction (commit is enqueue). The commands are carried
/// out when the transaction is on disk.
/// </summary>
internal sealed class RunRecord
{
    public required Tenant Tenant { get; init; }
    public required Guid Run { get; init; }
    public required Lease Lease { get; init; }
    public required long Seq { get; init; }
    public required long At { get; init; }
    public required byte[] Entries { get; init; }

    /// <summary>Set when the record changes the run's state.</summary>
    public RunPhase? State { get; init; }

    public RunChange? Change { get; init; }
    public IReadOnlyList<NewRun> Children { get; init; } = [];
    public IReadOnlyList<Guid> ChildrenToCancel { get; init; } = [];

    /// <summary>Who is told of this run's end.</summary>
    public Guid? Parent { get; init; }

    /// <summary>The wish to go on as another run.</summary>
    private Command.Continue? Continuation()
    {
        for (var i = 0; i < Commands.Count; i++)
            if (Commands[i] is Command.Continue next) return next;
        return null;
    }

    /// <summary>Signals up to this position have been heard.</summary>
    public long SignalsSeen { get; init; }

    /// <summary>The schedule that waits for this run's end.</summary>
    public Guid? Schedule { get; init; }

    /// <summary>What the run gives back when it lets go; null for one without limits.</summary>
    public LimitPlan? Limits { get; init; }

    /// <summary>When a run that ends with the record goes, Unix microseconds; null: it is kept.</summary>
    public long? ExpiresAt { get; init; }

    /// <summary>Why a run that ends with the record is put aside; null: it is not.</summary>
    public (string Reason, WorkflowId Definition)? DeadLetter { get; init; }

    /// <summary>Signals up to this position are taken into account by the record.</summary>
    public long? SignalsTaken { get; init; }

    /// <summary>Positions of the events that the run has consumed with the record.</summary>
    public IReadOnlyList<long> Heard { get; init; } = [];

    public Tally Tally { get; init; }
    public IReadOnlyList<Command> Commands { get; init; } = [];
    public IReadOnlyList<TaskCompletionSource> Waiters { get; init; } = [];

    /// <summary>The position the journal gave it, once durable.</summary>
    public long Position { get; set; }

    /// <summary>Writes the record.</summary>
    /// <returns>False when the worker's lease is over, or another worker holds the run: nothing is written.</returns>
    public bool Write(DbUnit db)
    {
        if (!Lease.IsAlive(db)) return false;
        Position = JournalStore.Append(db, Tenant, Run, Seq, At, State, Entries);
        // The row says who holds the run; where it is somebody else, the append is undone with it.
        if (Change is not null) RunStore.ChangeState(db, Tenant, Run, Lease.Id, Change);
        foreach (var child in Children) child.Insert(db);
        foreach (var child in ChildrenToCancel)
        {
            var reason = Json.Object("reason", $"its parent {Run} ended");
            SignalStore.Send(db, Tenant, child, "cancel", reason, At);
            ContinuationStore.SendOn(db, Tenant, child, "cancel", reason, At);
        }
        // Only a run that ends can go on as another.
        var continuation = State == RunPhase.Completed ? Continuation() : null;
        var successor = continuation?.Successor;
        if (continuation is not null)
        {
            ContinuationStore.Begin(db, Tenant, Run, continuation.Successor, SignalsSeen, At);
            RunStore.InheritLater(db, Tenant, Run, continuation.Successor);
            EventStore.HandOn(db, Tenant, Run, continuation.Successor, continuation.Heard ?? []);
        }
        if (Parent is { } parent && successor is { } by) SignalStore.Send(db, Tenant, parent, "continued", Json.Object("run", Run.ToString(), "by", by.ToString()), At);
        else if (Parent is { } told) SignalStore.Send(db, Tenant, told, "child", Json.Object("run", Run.ToString()), At);
        if (Schedule is { } schedule && successor is null) ScheduleStore.RunEnded(db, Tenant, schedule, Run, At);
        Subscriptions.Write(db, this);
        HearingStore.Add(db, Tenant, Run, Heard, started: false);
        if (ExpiresAt is { } expires) RetentionStore.Expire(db, Tenant, Run, expires);
        if (DeadLetter is { } letter)
        {
            DeadLetterStore.Put(db, new DeadLetter(Tenant, DeadLetterKind.Run, Run.ToString(), letter.Reason, Change?.Error)
            { Definition = $"{letter.Definition.Namespace}/{letter.Definition.Name}" }, At);
        }
        if (Limits is not null && successor is { } heir && Children.Any(c => c.Row.Id == heir && Limits.HasSlotsOf(c.Row.Plan))) LimitStore.HandOn(db, Tenant, Run, heir);
        else if (Limits is not null && Change is { Keep: false } change) LimitStore.Leave(db, Tenant, Run, change.State >= RunPhase.Cancelled);
        Approvals.Approvals.Write(db, this);
        Holds.Standing.Check(db, this);
        if (SignalsTaken is { } taken) SignalStore.DeleteUpTo(db, Tenant, Run, taken);
        if (Change is { Keep: false }) RunStore.WakeIfSignalled(db, Tenant, Run, At);
        return true;
    }

    /// <summary>Lets a run go of which nothing came, without a record.</summary>
    /// <param name="taken">Signals up to this one were read and mean nothing.</param>
    /// <param name="limits">What it gives back.</param>
    public static int WriteLettingGo(DbUnit db, Tenant tenant, Guid run, Lease lease, RunChange change, long? taken, LimitPlan? limits)
    {
        RunStore.ChangeState(db, tenant, run, lease.Id, change);
        if (limits is not null) LimitStore.Leave(db, tenant, run, ended: false);
        if (taken is { } position) SignalStore.DeleteUpTo(db, tenant, run, position);
        RunStore.WakeIfSignalled(db, tenant, run, change.UpdatedAt);
        return 0;
    }
}

/// <summary>A run to be created: its row and the first record of its journal, in one transaction.</summary>
internal sealed class NewRun(RunRow row, Workflow workflow, Entry.RunCreated first, byte[] created)
{
    public RunRow Row => row;
    public Workflow Workflow => workflow;
    public Entry.RunCreated First => first;

    /// <summary>The position the journal gave its first record, once durable.</summary>
    public long Position { get; private set; }

    /// <summary>Keeps a large input first; the row may refer to it only then.</summary>
    public static async ValueTask<NewRun> CreateAsync(LooseBlobs blobs, RunRow row, Workflow workflow, Entry.RunCreated first)
    {
        var (bytes, large) = EntryWriter.Write([first]);
        for (var i = 0; i < large.Count; i++) await blobs.PutAsync(large[i].Utf8, large[i].Sha256);
        return new NewRun(row, workflow, first, bytes);
    }

    public void Insert(DbUnit db) => Insert(db, row);

    /// <summary>For a run that events start.</summary>
    public void Insert(DbUnit db, StartingEvents by)
    {
        Insert(db, row with { StartedBy = by });
        HearingStore.Add(db, row.Tenant, row.Id, [.. by.Events.Select(e => e.Position)], started: true);
    }

    /// <param name="asHeld">The row, with who holds it.</param>
    public void Insert(DbUnit db, RunRow asHeld)
    {
        RunStore.Insert(db, asHeld);
        if (workflow.Flow is not null) RunStore.NeedLater(db, row.Tenant, row.Id, EntryReader.LimitsFormat);
        if (row.Plan is { } plan) LimitStore.KeepPlanLater(db, row.Tenant, row.Id, plan);
        Position = JournalStore.Append(db, row.Tenant, row.Id, 0, row.CreatedAt, RunPhase.Pending, created);
    }
}
