using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>
/// Folds a run's records into what people see: every step it ever began, with input and output. Secrets that were hidden
/// from the journal stay hidden here.
/// </summary>
public sealed class RunHistory
{
    private readonly SortedDictionary<int, StepView> _steps = [];

    public RunHistory(Workflow workflow, Guid run) => State = new RunState(workflow, run);

    public RunState State { get; }
    public IReadOnlyDictionary<int, StepView> Steps => _steps;
    public long UpdatedAt { get; private set; }

    /// <summary>Applies the next record.</summary>
    /// <returns>The steps it touched, as they are now, in order.</returns>
    public IReadOnlyList<StepView> Apply(DecodedRecord record)
    {
        var touched = new SortedSet<int>();
        foreach (var entry in record.Entries)
        {
            Before(entry, record.At, touched);
            State.Apply(entry, record.At);
            After(entry, record.At, touched);
        }
        State.Position = record.Seq;
        UpdatedAt = record.At;
        return [.. touched.Select(id => _steps[id])];
    }

    /// <summary>Everything an unfinished run waits for; empty only for a finished one.</summary>
    public IReadOnlyList<WaitingFor> Waiting()
    {
        if (State.IsFinished) return [];
        if (State.Hold is { } hold)
            return [new WaitingFor(WaitKind.Resume, UpdatedAt, null, HoldWaits.Detail(hold.Reason, State.IsStarted))];
        if (State.IsSuspended)
            return [new WaitingFor(WaitKind.Resume, UpdatedAt, null, State.Reason is { } reason ? $"It is suspended ({reason}) until somebody resumes it." : "It is suspended until somebody resumes it.")];
        // A fork that no worker has taken yet: what was under way in its source is not under way here.
        if (State.IsCut) return [new WaitingFor(WaitKind.Worker, State.StartedAt, null, "A worker will go on with it at once.")];
        var waits = State.Active.Values.OrderBy(s => s.Id).Select(Waits).OfType<WaitingFor>().ToList();
        if (waits.Count == 0) waits.Add(new WaitingFor(WaitKind.Worker, State.CreatedAt, null, "A worker will go on with it at once."));
        return waits;
    }

    private static WaitingFor? Waits(Step step)
    {
        var name = step.Node.Name;
        return step.Node.Body switch
        {
            CallBody call => new(WaitKind.Effect, step.StartedAt, step.TimeoutAt, $"'{name}' is under way: the function '{call.Function}' will return.", step.Id, step.Node.Reference),
            WaitBody => new(WaitKind.Timer, step.StartedAt, step.WakeAt, $"'{name}' waits for a time to pass.", step.Id, step.Node.Reference),
            SpawnBody spawn => new(WaitKind.Child, step.StartedAt, step.TimeoutAt, $"'{name}' waits for the end of its child run {step.Child} of {spawn.Namespace}/{spawn.Name}.", step.Id, step.Node.Reference),
            ChildrenBody => new(WaitKind.Child, step.StartedAt, Earliest(step.TimeoutAt, step.WakeAt), SpawnWaits.Detail(name, step.Window), step.Id, step.Node.Reference),
            ApproveBody => new(WaitKind.Person, step.StartedAt, Earliest(step.TimeoutAt, step.WakeAt), ApprovalWait.Of(name, step.Approval), step.Id, step.Node.Reference) { Approval = step.Approval?.Id },
            ListenBody listen => new(WaitKind.Event, step.StartedAt, step.TimeoutAt, EventWait.Of(step, listen), step.Id, step.Node.Reference) { Events = listen.To.Keys() },
            TryBody when step.WakeAt is { } at => new(WaitKind.Retry, step.StartedAt, at, $"'{name}' will try again (attempt {step.Attempt}).", step.Id, step.Node.Reference),
            _ => null,
        };
    }

    private static long? Earliest(long? one, long? other) => one is { } a && other is { } b ? Math.Min(a, b) : one ?? other;

    /// <summary>What must be seen before the state forgets a step that ends.</summary>
    private void Before(Entry entry, long at, SortedSet<int> touched)
    {
        switch (entry)
        {
            case Entry.StepCompleted e: End(e.Step, StepState.Completed, at, touched, e.Output ?? Shown(State.Find(e.Step)!)); break;
            case Entry.StepFaulted e: End(e.Step, StepState.Faulted, at, touched, null, e.Error); break;
            case Entry.StepCancelled e: End(e.Step, StepState.Cancelled, at, touched, null); break;
        }
    }

    private void After(Entry entry, long at, SortedSet<int> touched)
    {
        switch (entry)
        {
            case Entry.StepStarted e: Begin(State.Find(e.Step)!, touched); break;
            case CompensationEntry.Started e: Begin(State.Find(e.Step)!, touched); break;
            case Entry.StepSkipped e:
                _steps[e.Step] = new StepView
                {
                    Id = e.Step,
                    Parent = e.Parent,
                    Node = State.Workflow.Nodes[e.Node],
                    Iteration = e.Iteration,
                    State = StepState.Skipped,
                    StartedAt = at,
                    EndedAt = at,
                };
                touched.Add(e.Step);
                break;
            case Entry.RetryScheduled e: Change(e.Step, touched, s => s with { State = StepState.Waiting, Attempt = e.Attempt, WakeAt = e.WakeAt, Error = e.Error }); break;
            case Entry.StepRetried e: Change(e.Step, touched, s => s with { State = StepState.Running, WakeAt = null }); break;
            case Entry.StepCaught e: Change(e.Step, touched, s => s with { Error = e.Error }); break;
            case Entry.SubStepCompleted e: Change(e.Step, touched, s => s); break;
            case SpawnEntry e: Change(e.Step, touched, s => s with { Window = State.Find(e.Step)!.Window }); break;
            case ApprovalEntry e: Change(e.Step, touched, s => s with { Approval = State.Find(e.Step)!.Approval!.Id, WakeAt = State.Find(e.Step)!.WakeAt }); break;
            case RunRedriven e:
                foreach (var step in State.Find(e.Step)!.Around())
                    Change(step.Id, touched, s => s with { State = step.Window is null ? StepState.Running : StepState.Waiting, EndedAt = null, Error = null, Output = null });
                break;
            case Entry.EventConsumed e: Change(e.Step, touched, s => s); break;
            case Entry.RunForked: Part(at, touched); break;
            case Entry.StepRespawned e: Change(e.Step, touched, s => s with { Child = e.Child }); break;
        }
    }

    /// <summary>What a fork took over and does not go on with is over; what it goes on with has its timers moved.</summary>
    private void Part(long at, SortedSet<int> touched)
    {
        foreach (var id in _steps.Where(s => s.Value.EndedAt is null).Select(s => s.Key).ToList())
        {
            if (State.Find(id) is { } step) Change(id, touched, s => s with { WakeAt = step.WakeAt });
            else
            {
                End(id, StepState.Cancelled, at, touched, null);
                Change(id, touched, s => s with { IsSuperseded = true });
            }
        }
    }

    private void Begin(Step step, SortedSet<int> touched)
    {
        _steps[step.Id] = new StepView
        {
            Id = step.Id,
            Parent = step.Parent!.Id,
            Node = step.Node,
            Iteration = step.Iteration,
            State = step.Waits ? StepState.Waiting : StepState.Running,
            StartedAt = step.StartedAt,
            WakeAt = step.WakeAt,
            Child = step.Child,
            Compensates = step.Compensates == 0 ? null : step.Compensates,
            Input = Shown(step),
        };
        touched.Add(step.Id);
    }

    private void End(int id, StepState state, long at, SortedSet<int> touched, Json? output, Workflows.WorkflowError? error = null) =>
        Change(id, touched, s => s with { State = state, EndedAt = at, WakeAt = null, Output = output, Error = error ?? s.Error });

    private void Change(int id, SortedSet<int> touched, Func<StepView, StepView> change)
    {
        if (!_steps.TryGetValue(id, out var step)) return;
        _steps[id] = change(step);
        touched.Add(id);
    }

    /// <summary>A step's data, unless secrets are in it.</summary>
    private static Json Shown(Step step) => step.Data;
}
