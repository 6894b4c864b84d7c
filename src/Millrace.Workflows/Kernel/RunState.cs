using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>The fold of a run's journal: what is going on now. Owned by one thread at a time.</summary>
public sealed class RunState
{
    private readonly Dictionary<int, Step> _active = [];
    private readonly StepTimers _timers = new();
    private readonly Redrive _redrive = new();
    private int _effects, _intakes;
    private bool _suspended;

    public RunState(Workflow workflow, Guid id)
    {
        Workflow = workflow;
        Id = id;
        Root = new Step(0, null, null, 0);
    }

    public Workflow Workflow { get; }
    public Guid Id { get; }

    /// <summary>The run itself, as the scope of the top-level tasks.</summary>
    public Step Root { get; private set; }

    public Json Input { get; internal set; }

    /// <summary>W3C traceparent that all spans of the run descend from; null when nobody traced its start.</summary>
    public string? Trace { get; private set; }

    /// <summary>The tick that started it; null when somebody else did.</summary>
    public RunTrigger? Trigger { get; internal set; }

    public Json Context { get; internal set; }
    public Json Output { get; private set; }
    public WorkflowError? Error { get; private set; }
    public string? Reason { get; private set; }
    public long CreatedAt { get; private set; }
    public long StartedAt { get; internal set; }
    public long EndedAt { get; private set; }
    public int LastStep { get; private set; }

    /// <summary>What its parent said of it; null when nothing.</summary>
    public Part? Part { get; internal set; }

    /// <summary>The inputs it carries out one after the other; null when it has one.</summary>
    public Batch? Batch { get; private set; }

    /// <summary>Events that the run has consumed.</summary>
    internal EventsHeard Heard { get; } = new();

    /// <summary>What has been done and can be undone.</summary>
    internal Compensations Compensations { get; } = new();

    /// <summary>What it did is being undone before it ends.</summary>
    public bool IsUndoing => Compensations.End is not null;

    public StepCounts Counts { get; internal set; }
    public RunPhase Ended { get; private set; }

    /// <summary>Where the run parted from another one; null for one that began by itself.</summary>
    public Entry.RunForked? Fork { get; internal set; }

    /// <summary>A fork that has not gone on yet: what was under way at the cut is still to be asked for.</summary>
    public bool IsCut { get; internal set; }

    /// <summary>Sequence number of the last record applied; -1 before the first. Kept by the caller.</summary>
    public long Position { get; set; } = -1;

    public bool IsFinished => Ended != RunPhase.Pending;
    /// <summary>Nothing new begins: it was suspended, or its definition or workspace is.</summary>
    public bool IsSuspended => _suspended || Hold is not null;

    internal bool IsStanding => _suspended;

    /// <summary>What holds it besides a wish of its own.</summary>
    public RunHold? Hold { get; private set; }
    public bool IsStarted => StartedAt != 0;
    public IReadOnlyDictionary<int, Step> Active => _active;

    /// <summary>Calls under way.</summary>
    public int Effects => _effects;

    public RunPhase Phase =>
        IsFinished ? Ended
        : _suspended || (IsStarted && Hold is not null) ? RunPhase.Suspended
        : !IsStarted ? RunPhase.Pending
        : _effects > 0 || HasPending ? RunPhase.Running
        : RunPhase.Waiting;

    /// <summary>The earliest moment at which time alone changes something; null when none will.</summary>
    public long? NextWake => IsFinished || IsSuspended ? null : _timers.Next;

    /// <summary>True when some scope can go on at once: a decision stopped at its budget, or the run was suspended meanwhile.</summary>
    internal bool HasPending
    {
        get
        {
            if (Root.Pending is not null) return true;
            // What only waits for its effect cannot go on; what takes its items can.
            if (_effects == _active.Count && _intakes == 0) return false;
            foreach (var step in _active.Values)
                if (step.Pending is not null) return true;
            return false;
        }
    }

    internal IEnumerable<Step> PendingSteps() =>
        _active.Values.Append(Root).Where(s => s.Pending is not null).OrderBy(s => s.Id);

    internal Timer? DueTimer(long now) => _timers.Due(now);

    /// <summary>Whether a run that has ended can go back to that step.</summary>
    public bool IsRedrivable(int step) => IsFinished && Batch is null && Compensations.End is null && _redrive.Has(step);

    public Step? Find(int id) => id == 0 ? Root : _active.GetValueOrDefault(id);

    /// <param name="at">Time of the record the entry belongs to.</param>
    public void Apply(Entry entry, long at)
    {
        switch (entry)
        {
            case Entry.StepStarted e: Start(e, at); break;
            case Entry.StepCompleted e: Complete(e); break;
            case Entry.StepSkipped e: Skip(e); break;
            case Entry.StepFaulted e: Fault(e); break;
            case Entry.StepCancelled e:
                Counts = Counts with { Cancelled = Counts.Cancelled + 1 };
                Remove(_active[e.Step], RunPhase.Cancelled);
                break;
            case Entry.StepDetached e: Places.Detach(_active[e.Step]); break;
            case Entry.StepCaught e: EnterCatch(_active[e.Step], e.Error); break;
            case Entry.RetryScheduled e: ScheduleRetry(e); break;
            case Entry.StepRetried e: Retry(e); break;
            case Entry.SubStepCompleted e: Consuming.Note(_active[e.Step], e); break;
            case Entry.IntakeClosed e: _active[e.Step].Intake!.IsClosed = true; break;
            case Entry.EventConsumed e: Consume(e); break;
            case Entry.EventTaken e: Take(_active[e.Step]); break;
            case Entry.EventHandled e: Handle(_active[e.Step], e); break;
            case Entry.RunCreated e: Create(e, at); break;
            case ExtensionEntry e: Extending.Apply(_active[e.Step], e); break;
            case SpawnEntry e: Spawn(_active[e.Step], e, at); break;
            case ApprovalEntry e: Hear(_active[e.Step], e, at); break;
            case CompensationEntry e: Compensations.Apply(e, this, at); break;
            case HoldEntry e: Hold = e is HoldEntry.Held held ? new RunHold(held.Hold, held.Reason) : null; break;
            case ItemEnded e: EndItem(e); break;
            case RunRedriven e: GoBack(e); break;
            case Entry.RunStarted e: Begin(e, at); break;
            case Entry.RunSuspended e:
                _suspended = true;
                Reason = e.Reason;
                break;
            case Entry.RunResumed:
                _suspended = false;
                Reason = null;
                break;
            case Entry.RunCompleted e:
                Output = e.Output;
                End(RunPhase.Completed, at);
                break;
            case Entry.RunFaulted e:
                Error = e.Error;
                End(RunPhase.Faulted, at);
                break;
            case Entry.RunCancelled e:
                Reason = e.Reason;
                End(RunPhase.Cancelled, at);
                break;
            case Entry.RunForked e:
                (_suspended, Reason, Hold) = (false, null, null);
                Forking.Apply(this, e, at);
                break;
            case Entry.RunContinued: IsCut = false; break;
            case Entry.StepRespawned e: _active[e.Step].Child = e.Child; break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    private void Create(Entry.RunCreated e, long at)
    {
        (Input, Trace, Trigger, CreatedAt, Part) = (e.Input, e.Trace, e.Trigger, at, e.Part);
        if (Part is not { Batch: true }) return;
        Batch = new Batch(e.Input.AsArray(), Part.Collect);
        Input = Batch.Item;
    }

    private void EndItem(ItemEnded e)
    {
        _timers.Drop(Root.TimeoutAt, Root, TimerKind.Timeout);
        Compensations.Clear();
        Batch!.Apply(e);
        Input = Batch.Item;
        Root.Pending = Batch.Waits ? Flow.Continue : null;
    }

    private void Spawn(Step step, SpawnEntry e, long at)
    {
        _timers.Drop(step.WakeAt, step, TimerKind.Wake);
        if (e is SpawnEntry.Opened opened) step.Window = Window.Open(step.Node.Body, opened);
        else step.Window!.Apply(e, at);
        _timers.Add(step.WakeAt = step.Window.WakeAt, step, TimerKind.Wake);
        step.Pending = step.Window.CanGoOn ? Flow.Continue : null;
    }

    private void Hear(Step step, ApprovalEntry e, long at)
    {
        _timers.Drop(step.WakeAt, step, TimerKind.Wake);
        if (e is ApprovalEntry.Asked asked) step.Approval = new Approval(asked, at);
        else step.Approval!.Apply(e, at);
        _timers.Add(step.WakeAt = step.Approval!.WakeAt, step, TimerKind.Wake);
    }

    private void Begin(Entry.RunStarted e, long at)
    {
        if (StartedAt == 0) StartedAt = at;
        if (Batch is not null) Batch.Waits = false;
        Root = new Step(0, null, null, at) { RawInput = Input, Input = e.Input ?? Input, Index = Batch?.Index ?? -1 };
        Context = Root.Data = Root.Input;
        Root.Pending = Flow.Continue;
        if (e.DeadlineAt is { } deadline)
        {
            Root.TimeoutAt = deadline;
            _timers.Add(deadline, Root, TimerKind.Timeout);
        }
    }

    private void Start(Entry.StepStarted e, long at)
    {
        var (parent, node) = (Find(e.Parent)!, Workflow.Nodes[e.Node]);
        var raw = parent.ForNext;
        var step = new Step(e.Step, parent, node, at)
        {
            RawInput = raw,
            Input = e.Input ?? raw,
            InputHidden = e.InputHidden,
            Iteration = e.Iteration,
            TimeoutAt = e.TimeoutAt,
            WakeAt = e.WakeAt,
            Items = e.Items,
            Child = e.Child,
        };
        step.Data = step.Input;
        if (step.IsEffect) step.Effect = Unsure.EffectOf(step, Context);
        if (node.Body is ListenBody listen) step.Listener = new Listener(listen.To);
        if (node.Body is CallBody { Each: not null }) step.Intake = new Intake();
        if (node.Body is ForkBody fork) step.Results = new Json[fork.Branches.Count];
        if (node.Body is DoBody or TryBody or InvokeBody or ForBody or ForkBody or ExtendedBody) step.Pending = Flow.Continue;
        Attach(step, parent);
    }

    internal void Attach(Step step, Step parent)
    {
        LastStep = step.Id;
        Counts = Counts with { Started = Counts.Started + 1 };
        _active.Add(step.Id, step);
        parent.Children.Add(step);
        Places.Visit(parent, step.Node, step.Iteration);
        if (step.IsEffect) _effects++;
        if (step.Intake is not null) _intakes++;
        _timers.AddAll(step);
    }

    private void Skip(Entry.StepSkipped e)
    {
        var parent = Find(e.Parent)!;
        LastStep = e.Step;
        Counts = Counts with { Skipped = Counts.Skipped + 1 };
        Places.Visit(parent, Workflow.Nodes[e.Node], e.Iteration);
        if (parent.Node?.Body is ForkBody) Places.EndBranch(parent, e.Iteration, parent.Input);
        else parent.Pending = Flow.Continue;
    }

    private void Complete(Entry.StepCompleted e)
    {
        var step = _active[e.Step];
        var output = e.Output ?? (step.Detached ? step.Input : step.Data);
        if (e.Context is { } context) Context = context;
        Counts = Counts with { Completed = Counts.Completed + 1 };
        if (step.Node.Compensate is not null) Compensations.Keep(step, output);
        Remove(step, RunPhase.Completed);
        if (!step.Detached) Places.Pass(step, output, e.Then ?? step.Node.Then);
    }

    private void Fault(Entry.StepFaulted e)
    {
        var step = _active[e.Step];
        Counts = Counts with { Faulted = Counts.Faulted + 1 };
        Remove(step, RunPhase.Faulted);
        if (step.Compensates > 0) Compensations.Failed(step);
        step.Parent!.LastError = e.Error;
        if (step.Parent.Node?.Body is ForkBody { Compete: true } && !step.Detached) Places.CountBranch(step.Parent);
    }

    private void Consume(Entry.EventConsumed e)
    {
        Heard.Add(e.Event, LastStep);
        var step = _active[e.Step];
        step.Listener!.Consume(e, queues: ((ListenBody)step.Node.Body).ForEach is not null);
    }

    private static void Take(Step step)
    {
        (step.Data, step.Position, step.Pending) = (step.Listener!.Take(), -1, Flow.Continue);
    }

    private void Handle(Step step, Entry.EventHandled e)
    {
        step.Pending = null;
        if (e.Context is { } context) Context = context;
        step.Intake?.Handle(e.Output ?? step.Data);
        step.Listener?.Handle(e.Output ?? step.Data);
    }


    private void EnterCatch(Step step, WorkflowError error)
    {
        step.Caught = error;
        step.Position = -1;
        step.Data = step.Input;
        step.Pending = Flow.Continue;
        _timers.Drop(step.AttemptTimeoutAt, step, TimerKind.Attempt);
        step.AttemptTimeoutAt = null;
    }

    private void ScheduleRetry(Entry.RetryScheduled e)
    {
        var step = _active[e.Step];
        step.LastError = e.Error;
        step.Attempt = e.Attempt;
        step.WakeAt = e.WakeAt;
        step.Pending = null;
        _timers.Drop(step.AttemptTimeoutAt, step, TimerKind.Attempt);
        step.AttemptTimeoutAt = null;
        _timers.Add(step.WakeAt, step, TimerKind.Wake);
    }

    private void Retry(Entry.StepRetried e)
    {
        var step = _active[e.Step];
        _timers.Drop(step.WakeAt, step, TimerKind.Wake);
        step.WakeAt = null;
        step.AttemptTimeoutAt = e.AttemptTimeoutAt;
        _timers.Add(step.AttemptTimeoutAt, step, TimerKind.Attempt);
        step.Position = -1;
        step.Data = step.Input;
        step.Pending = Flow.Continue;
    }

    /// <summary>The steps around one are under way again, as they were.</summary>
    private void GoBack(RunRedriven e)
    {
        var (step, context) = _redrive.Take(e.Step);
        (Ended, EndedAt, Output, Error, Reason, Context) = (RunPhase.Pending, 0, Json.Null, null, null, context);
        foreach (var one in step.Around())
        {
            Redrive.Restore(one);
            _active.Add(one.Id, one);
            Counts = one.Outcome switch
            {
                RunPhase.Completed => Counts with { Completed = Counts.Completed - 1 },
                RunPhase.Faulted => Counts with { Faulted = Counts.Faulted - 1 },
                _ => Counts with { Cancelled = Counts.Cancelled - 1 },
            };
        }
        step.Window!.Reopen();
        step.Pending = step.Window.CanGoOn ? Flow.Continue : null;
    }

    internal void Remove(Step step, RunPhase outcome)
    {
        step.Outcome = outcome;
        _redrive.Keep(step, Context);
        _active.Remove(step.Id);
        step.Parent!.Children.Remove(step);
        if (step.IsEffect) _effects--;
        if (step.Intake is not null) _intakes--;
        if (step.IsEffect && outcome != RunPhase.Completed) Unsure.Remember(step, Context);
        if (step.Compensates > 0) Root.Pending = Flow.Continue;
        _timers.DropAll(step);
    }

    private void End(RunPhase phase, long at)
    {
        Ended = phase;
        EndedAt = at;
        Root.Pending = null;
        _active.Clear();
        _timers.Clear();
        (_effects, _intakes) = (0, 0);
    }

    /// <summary>The timers again, from what the steps say.</summary>
    internal void ResetTimers()
    {
        _timers.Clear();
        foreach (var step in _active.Values.Append(Root)) _timers.AddAll(step);
    }
}
