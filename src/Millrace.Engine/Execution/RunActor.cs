using System.Collections.Concurrent;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Execution;

/// <summary>
/// One run in memory: takes events one at a time, lets the kernel decide, seals what was decided into a record and carries
/// out its commands once the record is durable. Whoever posts an event to an idle actor lends it a thread.
/// </summary>
internal sealed class RunActor(Worker worker, Tenant tenant, Workflow workflow, Guid id) : IThreadPoolWorkItem
{
    /// <summary>Entries after which a record is sealed though more events wait.</summary>
    private const int RecordEntriesMax = 500;

    private readonly ConcurrentQueue<RunEvent> _mailbox = new();

    /// <summary>What has been decided and not yet sealed.</summary>
    private Decision? _decision;

    /// <summary>The lease under which the run was taken: what is decided after it ended does not count, though the worker has a new one.</summary>
    private Lease _lease = worker.Lease;

    private int _busy;
    private long _at;
    private bool _held, _dead;
    private int _claimed;

    /// <summary>When the worker's timers will call, for a run that is held.</summary>
    private long _timerAt;
    private Timers.Call? _timer;

    private string? _topic;

    public Worker Worker => worker;
    public Tenant Tenant => tenant;
    public Guid Id => id;
    public Workflow Workflow => workflow;
    public RunState State { get; } = new(workflow, id);
    public string Topic => _topic ??= Topics.Run(id);
    public Lineage Lineage { get; init; }
    public Lease Lease => _lease;
    public (LimitPlan? Plan, bool IsSlotless) Limits { get; private set; }

    private EffectsUnderway Effects => field ??= new EffectsUnderway(this);
    private RunWriter Writer => field ??= new RunWriter(this);

    /// <summary>Effects that were asked for here have not ended.</summary>
    public bool HasEffects => !Effects.IsEmpty;

    public bool IsHeld => Volatile.Read(ref _held);
    public bool IsDead => Volatile.Read(ref _dead);

    /// <summary>Somebody wrote to it while it was not held.</summary>
    public bool WasCalled { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>A claim waits in its mailbox or is being read.</summary>
    public bool IsClaimed => Volatile.Read(ref _claimed) == 1;

    /// <summary>Events wait, or one is being taken.</summary>
    public bool IsBusy => Volatile.Read(ref _busy) == 1 || !_mailbox.IsEmpty;

    /// <summary>Takes over a run this worker has just created, without reading it back.</summary>
    public void Adopt(Entry.RunCreated first, long createdAt, Lease lease)
    {
        _lease = lease;
        _at = createdAt;
        State.Apply(first, createdAt);
        State.Position = 0;
        Hold(true);
        Writer.Begin(RunPhase.Pending, RunPhase.Running);
    }

    public void Post(RunEvent happened)
    {
        _mailbox.Enqueue(happened);
        if (Interlocked.CompareExchange(ref _busy, 1, 0) == 0) worker.Pool.Queue(this);
    }

    /// <summary>The worker has claimed the run, and goes on with it.</summary>
    public void Claim(RunRow row)
    {
        if (Interlocked.Exchange(ref _claimed, 1) == 0) worker.Holding(1);
        Post(new RunEvent.Claimed(row));
    }

    /// <summary>As <see cref="Post"/>, on the caller's own thread.</summary>
    public void PostHere(RunEvent happened)
    {
        _mailbox.Enqueue(happened);
        if (Interlocked.CompareExchange(ref _busy, 1, 0) == 0) Execute();
    }

    public void Execute() => _ = LoopAsync();

    /// <summary>Lets go of everything in memory and cancels effects under way; what the disk holds is the truth.</summary>
    public void Discard()
    {
        Volatile.Write(ref _dead, true);
        Post(RunEvent.Tick.Instance);
    }

    private async Task LoopAsync()
    {
        while (true)
        {
            try
            {
                while (!Volatile.Read(ref _dead) && _mailbox.TryDequeue(out var happened))
                {
                    if (happened is RunEvent.Claimed claimed) await TakeAsync(claimed.Row);
                    else if (happened is RunEvent.Signalled) await ReadInboxAsync();
                    else Handle(happened);
                    if (_mailbox.IsEmpty || _decision is { Entries.Count: >= RecordEntriesMax }) await SealAsync();
                }
            }
            catch (Exception e)
            {
                Volatile.Write(ref _dead, true);
                worker.Failures.OfTurn(this, e);
            }
            if (_dead) Bury();
            Volatile.Write(ref _busy, 0);
            if (_mailbox.IsEmpty || Interlocked.CompareExchange(ref _busy, 1, 0) != 0) return;
        }
    }

    private void Handle(RunEvent happened)
    {
        if (happened is RunEvent.Durable durable)
        {
            Carry(durable.Record);
            return;
        }
        // Also for a run that is not held: the timer is spent, and the next one must not be taken for later than it.
        if (happened is RunEvent.Tick) AwaitNoTimer();
        if (!_held) return;
        var decision = Deciding();
        var entries = decision.Entries.Count;
        switch (happened)
        {
            case RunEvent.Created when !worker.Standing.Stops(this, decision): decision.Begin(); break;
            case RunEvent.HoldsChanged: worker.Standing.Stops(this, decision); break;
            case RunEvent.EffectEnded e: Effects.End(decision, e); break;
            case RunEvent.SubStepEnded e:
                decision.SubStepCompleted(e.Step, e.Name, e.Output);
                if (decision.Entries.Count > entries) Writer.Await(e.Recorded);
                else e.Recorded.TrySetCanceled();
                break;
            case RunEvent.Tick: decision.Tick(); break;
        }
        Effects.Expect(decision.Commands);
    }

    /// <summary>Catches up with the journal and the inbox, and goes on.</summary>
    private async Task TakeAsync(RunRow row)
    {
        _lease = worker.Lease;
        if (row.Lease != _lease.Id)
        {
            // A lease that ended meanwhile gave the run back.
            worker.Forget(this);
            return;
        }

        var signals = await worker.Journal.NewsAsync(this, Writer.SignalsSeen, record =>
        {
            foreach (var entry in record.Entries) State.Apply(entry, record.At);
            State.Position = record.Seq;
            _at = Math.Max(_at, record.At);
        });
        worker.Keep(this);
        Hold(true);
        Unclaim();
        Limits = (row.Plan, row.IsSlotless);
        if (_lease != worker.Lease)
        {
            worker.Forget(this);
            return;
        }
        // A run that had ended and is to go back is told of as ended until its journal says otherwise.
        Writer.Begin(State.IsFinished ? State.Ended : row.State, row.State);
        var decision = Deciding();
        worker.Standing.Stops(this, decision);
        if (State.IsStarted && !State.IsSuspended) decision.Recover(IsUnderway, worker.IsOnce);
        await Inbox.HearAsync(this, decision, signals);
        if (!State.IsStarted && !State.IsSuspended) decision.Begin();
        decision.Tick();
        decision.Continue();
        Effects.Expect(decision.Commands);
        // Something woke it and nothing came of it: it lets go again.
        if (decision.Entries.Count == 0 && State.Phase != RunPhase.Running)
        {
            var (change, written) = Writer.LetGo();
            Hold(false);
            await written;
            worker.LetGo(this, change);
        }
    }

    private async Task ReadInboxAsync()
    {
        if (!_held)
        {
            worker.NudgeHere(id);
            return;
        }
        var signals = await worker.Journal.SignalsAsync(this, Writer.SignalsSeen);
        var decision = Deciding();
        await Inbox.HearAsync(this, decision, signals);
        Effects.Expect(decision.Commands);
    }

    /// <summary>A signal has become part of what is decided: the record that says so takes it out of the inbox.</summary>
    public void Heard(Signal signal) => Writer.Heard(signal.Position);

    /// <summary>All that is decided for one record happens at one moment, so that replaying the record gives the same state.</summary>
    private Decision Deciding()
    {
        _decision ??= new Decision(State, worker.Around(this));
        if (_decision.Entries.Count > 0 || _decision.Commands.Count > 0) return _decision;
        _at = Math.Max(_at, worker.Now);
        return _decision.At(_at);
    }

    /// <summary>Whether this worker performs the effect of that step, or is about to.</summary>
    public bool IsUnderway(int step) => Effects.Contains(step) || _decision!.Invokes(step);

    /// <summary>Turns what was decided into one record and hands it to the disk.</summary>
    private async ValueTask SealAsync()
    {
        if (_decision is not { } decision) return;
        Command[] commands = [];
        if (decision.Entries.Count == 0)
        {
            // No record will come by and do it: a timer that called for nothing, or effects begun again after a hand-over.
            AwaitTimer();
            // What is asked for again after a crash follows from what is on disk already.
            if (decision.Commands.Count == 0) return;
            commands = [.. decision.Commands];
            decision.Commands.Clear();
            Effects.CarryOut(commands);
            return;
        }
        IReadOnlyList<NewRun> children = decision.Commands.Exists(c => c is Command.Spawn or Command.Continue) ? await Children.OfAsync(this, decision, RefuseChild) : [];
        var (bytes, large) = EntryWriter.Write(decision.Entries);
        for (var i = 0; i < large.Count; i++) await worker.Keeping.Loose.PutAsync(large[i].Utf8, large[i].Sha256);
        if (decision.Commands.Count > 0) commands = [.. decision.Commands];
        var record = Writer.Record(_at, decision.Entries, bytes, commands, children);
        decision.Entries.Clear();
        decision.Commands.Clear();
        foreach (var child in children) worker.Lost.Expect(child.Row.Id);
        _ = Writer.CommitAsync(record);
        // Only now: until the record is handed over, the row says that this worker holds the run.
        Hold(record.Change?.Keep ?? true);
    }

    private void RefuseChild(Command.Spawn refused, WorkflowError error)
    {
        var decision = Deciding();
        decision.ChildRefused(refused, error);
        Effects.Expect(decision.Commands);
    }

    /// <summary>Carries out what a durable record asked for.</summary>
    private void Carry(RunRecord record)
    {
        worker.Announcements.Record(Topic, record);
        foreach (var waiter in record.Waiters) waiter.TrySetResult();
        Effects.CarryOut(record.Commands);
        foreach (var child in record.Children) worker.Adopt(child);
        foreach (var child in record.ChildrenToCancel) worker.Nudge(tenant, child);
        if (record.Parent is { } parent) worker.Nudge(tenant, parent);
        if (record.Change is { Keep: false } change) worker.LetGo(this, change);
        else AwaitTimer();
        // A decision that stopped at its budget goes on now that it is on disk.
        if (!_held || _decision is not { Entries.Count: 0, HasMore: true }) return;
        var decision = Deciding();
        decision.Continue();
        Effects.Expect(decision.Commands);
    }

    /// <summary>Has itself called at the next moment at which time alone changes something.</summary>
    private void AwaitTimer()
    {
        if (!_held || State.NextWake is not { } wake || (_timer is not null && wake >= _timerAt)) return;
        AwaitNoTimer();
        (_timer, _timerAt) = (worker.Timers.Add(this, wake), wake);
    }

    private void AwaitNoTimer()
    {
        if (_timer is { } timer) worker.Timers.Forget(timer);
        _timer = null;
    }

    private void Unclaim()
    {
        if (Interlocked.Exchange(ref _claimed, 0) == 1) worker.Holding(-1);
    }

    private void Hold(bool held)
    {
        if (_held == held) return;
        Volatile.Write(ref _held, held);
        worker.Holding(held ? 1 : -1);
        if (!held) AwaitNoTimer();
    }

    private void Bury()
    {
        Effects.CancelAll();
        while (_mailbox.TryDequeue(out var unheard))
        {
            // Nobody will adopt what it started, or go on with what was claimed for it.
            if (unheard is RunEvent.Durable durable) worker.Lost.Disown(durable.Record.Children, mayBeThere: true);
            else if (unheard is RunEvent.Claimed) worker.Lost.Add(tenant, id);
        }
        Writer.CancelWaiters();
        _decision = null;
        Unclaim();
        Hold(false);
    }
}
