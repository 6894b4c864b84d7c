using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Everything a decision takes from outside: no clock, no randomness and no I/O is read by the kernel itself.</summary>
public sealed record Surroundings(Func<Guid> NewId, Func<double> Random)
{
    /// <summary>The values of the secrets a definition lists; null when one of them is missing.</summary>
    public Func<IReadOnlyList<string>, Json?> Secrets { get; init; } = _ => null;

    /// <summary>Entries after which a decision stops to be committed, so that an endless loop of pure tasks can be cancelled.</summary>
    public int EntriesMax { get; init; } = 1000;
}

/// <summary>
/// One turn of the run state machine: takes the state and what happened, and gathers entries, already applied to the state, and
/// commands to carry out once the entries are on disk. Pure but for the state it was given.
/// </summary>
public sealed class Decision(RunState state, Surroundings around)
{
    private readonly Stack<Step> _agenda = new();
    private JqOptions? _options;

    public RunState State => state;

    /// <summary>The moment at which all of it happens, Unix microseconds: that of the record it becomes.</summary>
    public long Now { get; private set; }

    public List<Entry> Entries { get; } = [];
    public List<Command> Commands { get; } = [];

    /// <summary>The run ends with this record and goes on as another.</summary>
    public bool GoesOn => Commands.Exists(c => c is Command.Continue);

    /// <summary>True when the decision stopped at its budget: commit, then decide <see cref="Continue"/>.</summary>
    public bool HasMore => !State.IsFinished && !State.IsSuspended && State.HasPending;

    /// <summary>Whether this decision asks for the effect of that step.</summary>
    public bool Invokes(int step) => Commands.Exists(c => c is Command.Invoke invoke && invoke.Step.Id == step);

    internal Surroundings Around => around;
    internal JqOptions Options => _options ??= new JqOptions { Now = Now / 1e6 };

    /// <summary>Begins a decision at that moment; what the last one gathered is dropped.</summary>
    public Decision At(long now)
    {
        Now = now;
        _options = null;
        Entries.Clear();
        Commands.Clear();
        _agenda.Clear();
        return this;
    }

    /// <summary>Begins a run whose <see cref="Entry.RunCreated"/> is applied.</summary>
    public void Begin()
    {
        if (State.IsStarted || State.IsFinished) return;
        DataFlow.BeginRun(this);
        Settle();
    }

    /// <summary>Goes on wherever the state can go on.</summary>
    public void Continue()
    {
        if (State.IsSuspended) return;
        foreach (var step in State.PendingSteps().Reverse()) _agenda.Push(step);
        Settle();
    }

    /// <summary>Commands for all that was under way when the state was last seen, after a crash or a hand-over.</summary>
    /// <param name="isUnderway">Whether this worker is performing the effect of that step.</param>
    /// <param name="isOnce">Whether a function must not be repeated when its outcome is lost.</param>
    public void Recover(Func<int, bool> isUnderway, Func<string, bool> isOnce)
    {
        if (State.IsCut)
        {
            Forking.GoOn(this);
            Settle();
            return;
        }
        if (State.Effects == 0) return;
        foreach (var step in State.Active.Values.Where(s => s.IsEffect && !isUnderway(s.Id)).OrderBy(s => s.Id).ToArray())
        {
            if (State.IsFinished || State.Find(step.Id) != step) continue;
            if (isOnce(((CallBody)step.Node.Body).Function)) Fault(step, OutcomeUnknown(step));
            else TaskStart.Invoke(this, step);
        }
        Settle();
    }

    /// <summary>An effect ended. Ignored when the step has ended meanwhile.</summary>
    public void EffectCompleted(int step, Json output)
    {
        if (Effect(step) is not { } found) return;
        if (found.Intake is null) DataFlow.Complete(this, found, output);
        else Consuming.End(this, found);
        Settle();
    }

    public void EffectFailed(int step, WorkflowError error)
    {
        if (Effect(step) is not { } found) return;
        Fault(found, error);
        Settle();
    }

    public void SubStepCompleted(int step, string name, Json output)
    {
        if (Effect(step) is not { } found) return;
        Emit(new Entry.SubStepCompleted(step, name, output));
        if (found.Intake is null) return;
        Follow(found);
        Settle();
    }

    /// <summary>Whether some step waits for the end of that child.</summary>
    public bool Awaits(Guid child) => Spawning.OwnerOf(State, child) is not null || State.Active.Values.Any(s => s.Child == child);

    /// <summary>A child run ended. Ignored when nobody waits for it.</summary>
    public void ChildEnded(Guid child, RunPhase phase, Json output, WorkflowError? error)
    {
        if (State.IsFinished) return;
        if (Spawning.OwnerOf(State, child) is { } owner)
        {
            Spawning.Ended(this, owner, child, phase, output, error);
            Settle();
            return;
        }
        var step = State.Active.Values.FirstOrDefault(s => s.Child == child);
        if (step is null) return;
        switch (phase)
        {
            case RunPhase.Completed: DataFlow.Complete(this, step, output); break;
            case RunPhase.Faulted: Fault(step, error! with { Instance = step.Node.Reference }); break;
            default: Fault(step, new WorkflowError(ErrorTypes.Runtime, 499, "Child run cancelled", $"The child run {child} was cancelled.", step.Node.Reference)); break;
        }
        Settle();
    }

    /// <summary>A child has gone on as another run. Ignored when nobody waits for it.</summary>
    public void ChildContinued(Guid child, Guid successor)
    {
        if (State.IsFinished) return;
        if (Spawning.OwnerOf(State, child) is { } owner) Emit(new SpawnEntry.ChildContinued(owner.Id, child, successor));
        else if (State.Active.Values.FirstOrDefault(s => s.Child == child) is { } step) Emit(new Entry.StepRespawned(step.Id, successor));
    }

    /// <summary>A child could not be started: its definition is not there, or refuses the input.</summary>
    public void ChildRefused(Command.Spawn refused, WorkflowError error)
    {
        Commands.Remove(refused);
        if (refused.Step.Window?.Has(refused.Child) == true) ChildEnded(refused.Child, RunPhase.Faulted, Json.Null, error);
        if (refused.Step.Window is not null || State.IsFinished || State.Find(refused.Step.Id) != refused.Step) return;
        Fault(refused.Step, error);
        Settle();
    }

    /// <summary>What a child works on has been read (<see cref="Command.Spawn.From"/>).</summary>
    /// <returns>The command as it is to be carried out; null when it is not.</returns>
    public Command.Spawn? ChildGiven(Command.Spawn asked, JsonArray items)
    {
        var given = Spawning.Given(this, asked, items);
        if (given is null) Settle();
        return given;
    }

    /// <summary>What all children of one definition run from now on, so that a step does not change versions on its way.</summary>
    public void ChildPinned(Step step, string definition, string hash)
    {
        // Its time may have run out in the very decision that started it.
        if (State.Find(step.Id) == step) Emit(new SpawnEntry.Pinned(step.Id, definition, hash));
    }

    /// <summary>Changes how many children of a step are under way at once. Ignored when it has ended.</summary>
    public void ChangeConcurrency(int step, int concurrency)
    {
        if (State.IsFinished || State.Find(step) is not { Window: not null } found) return;
        Spawning.ChangeConcurrency(this, found, concurrency);
        Settle();
    }

    /// <summary>Takes a run that has ended back to a step whose children did not all complete.</summary>
    public void Redrive(int step)
    {
        if (!State.IsFinished) return;
        if (!State.IsRedrivable(step))
        {
            // It stays what it was; its row does not say so any more.
            Emit(State.Ended switch
            {
                RunPhase.Faulted => new Entry.RunFaulted(State.Error!),
                RunPhase.Cancelled => new Entry.RunCancelled(State.Reason),
                _ => new Entry.RunCompleted(State.Output),
            });
            return;
        }
        Emit(new RunRedriven(step));
        Continue();
    }

    /// <summary>An event came in that some step may listen for.</summary>
    /// <param name="position">Its place in the workspace's log: the same event may be told of again.</param>
    public void EventArrived(long position, Json envelope)
    {
        if (State.IsFinished) return;
        foreach (var step in State.Active.Values.Where(s => s.Listener is not null && !BeginsToListen(s)).OrderBy(s => s.Id).ToArray())
            if (State.Find(step.Id) == step) Listening.Offer(this, step, position, envelope);
        Settle();
    }

    /// <summary>It is told of all that came since the run began, in the order of the log, when this decision is on disk; what is left of what others were told of would come too early.</summary>
    private bool BeginsToListen(Step step) => Commands.Exists(c => c is Command.Listen listen && listen.Step == step.Id);

    /// <summary>A person has said yes or no. Ignored when the decision is not open any more.</summary>
    public void Voted(Guid approval, Vote vote)
    {
        if (State.IsFinished || ApprovalStep(approval) is not { } step) return;
        Approving.Vote(this, step, vote);
        Settle();
    }

    /// <summary>A person has handed their vote to another.</summary>
    public void Delegated(Guid approval, string by, string to, long at)
    {
        if (!State.IsFinished && ApprovalStep(approval) is { } step) Approving.Delegate(this, step, by, to, at);
    }

    /// <summary>Fires the timers that are due.</summary>
    public void Tick()
    {
        while (!State.IsFinished && !State.IsSuspended && State.DueTimer(Now) is { } timer)
        {
            var step = State.Find(timer.Step)!;
            if (timer.Kind == TimerKind.Wake) Wake(step);
            else Faults.TimedOut(this, step, timer.Kind);
            Settle();
        }
    }

    /// <param name="cleanUp">What was done is undone first, which a second wish of the kind changes nothing about; without, nothing more is undone.</param>
    public void Cancel(string? reason, bool cleanUp = true)
    {
        if (State.IsFinished || (cleanUp && State.Compensations.End is not null)) return;
        CancelAll();
        if (cleanUp && Compensating.Begin(this, null, reason)) Settle();
        else Emit(new Entry.RunCancelled(reason));
    }

    /// <summary>Effects under way end and are recorded; nothing new begins.</summary>
    public void Suspend(string? reason)
    {
        if (!State.IsFinished && !State.IsStanding) Emit(new Entry.RunSuspended(reason));
    }

    public void Resume()
    {
        if (State.IsFinished || !State.IsStanding) return;
        Emit(new Entry.RunResumed());
        GoOn();
    }

    /// <summary>Its definition or workspace stands: as suspended, whatever is wanted of the run itself.</summary>
    public void Hold(RunHold hold)
    {
        if (State.IsFinished || State.Hold is not null) return;
        Emit(new HoldEntry.Held(hold.Id, hold.Reason));
        Commands.Add(new Command.Hold(hold.Id));
    }

    /// <summary>What held it does so no more; it goes on where it was, unless something else holds it.</summary>
    public void Release(Guid hold, RunHold? other)
    {
        if (State.IsFinished || State.Hold?.Id != hold) return;
        Emit(new HoldEntry.Released());
        if (other is not null) Hold(other);
        GoOn();
    }

    private void GoOn()
    {
        if (State.IsSuspended) return;
        if (!State.IsStarted) Begin();
        // A fork that stood before it could go on: what was under way is asked for before anything begins, or that would be asked for twice.
        if (State.IsCut) Forking.GoOn(this);
        Tick();
        Continue();
    }

    internal void Emit(Entry entry)
    {
        if (State.Workflow.Listens) Listening.Leave(this, entry);
        State.Apply(entry, Now);
        Entries.Add(entry);
    }

    internal void Follow(Step scope) => _agenda.Push(scope);

    internal void Fault(Step step, WorkflowError error) => Faults.Raise(this, step, error);

    /// <summary>Ends everything below <paramref name="step"/>.</summary>
    internal void CancelBelow(Step step)
    {
        if (!step.HasChildren) return;
        foreach (var child in step.Children.ToArray())
        {
            CancelBelow(child);
            Drop(child);
            Emit(new Entry.StepCancelled(child.Id));
        }
    }

    internal void EndRun(Json output)
    {
        CancelAll();
        DataFlow.EndRun(this, output);
    }

    internal void FaultRun(WorkflowError error)
    {
        CancelAll();
        if (!Compensating.Begin(this, error, null)) Finish(new Entry.RunFaulted(error));
    }

    /// <summary>Ends the run, or the input of its batch that is at hand.</summary>
    internal void Finish(Entry end)
    {
        if (State.Batch?.Ends(end) is not { } item)
        {
            Emit(end);
            return;
        }
        Emit(item);
        if (State.Batch.IsOver) Emit(new Entry.RunCompleted(State.Batch.Output));
        else Follow(State.Root);
    }

    internal void CancelAll()
    {
        CancelBelow(State.Root);
        foreach (var step in State.Active.Values.ToArray())
        {
            Drop(step);
            Emit(new Entry.StepCancelled(step.Id));
        }
        _agenda.Clear();
    }

    /// <summary>What the step asked of the world is not wanted any more.</summary>
    internal void Drop(Step step)
    {
        if (step.IsEffect)
        {
            Commands.RemoveAll(c => c is Command.Invoke invoke && invoke.Step == step);
            Commands.Add(new Command.Abandon(step.Id));
        }
        if (step.Child is { } child && step.Node.Body is SpawnBody { Await: true }) Commands.Add(new Command.CancelChild(child));
        if (step.Window is { Running: > 0 } window) Commands.AddRange(window.Children.Select(c => new Command.CancelChild(c)));
    }

    private void Wake(Step step)
    {
        if (step.Node.Body is TryBody) Faults.Retry(this, step);
        else if (step.Window is not null) Spawning.Wake(this, step);
        else if (step.Approval is not null) Approving.Wake(this, step);
        else DataFlow.Complete(this, step, step.Data);
    }

    private void Settle()
    {
        while (_agenda.TryPop(out var scope) || Compensating.MovesOn(State, out scope))
        {
            if (State.IsFinished || State.IsSuspended || Entries.Count >= Around.EntriesMax) return;
            if (scope.Pending is { } flow && State.Find(scope.Id) == scope) Progress.Go(this, scope, flow);
        }
    }

    private Step? Effect(int id) => !State.IsFinished && State.Find(id) is { IsEffect: true } step ? step : null;

    private Step? ApprovalStep(Guid approval) => State.Active.Values.FirstOrDefault(s => s.Approval?.Id == approval);

    private static WorkflowError OutcomeUnknown(Step step) => new(
        ErrorTypes.Runtime, 500, "Outcome unknown",
        "The effect was under way when its worker stopped. It may or may not have happened, and this function is not repeated by itself.",
        step.Node.Reference);
}
