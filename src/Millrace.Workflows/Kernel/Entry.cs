using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// A fact in a run's journal. A run's state is the fold of its entries (<see cref="RunState.Apply"/>); entries that were
/// decided together are one record and reach the disk together. Values that the state already holds are not repeated.
/// Times are Unix microseconds, UTC.
/// </summary>
public abstract record Entry
{
    /// <summary>Always the first; written by whoever starts the run, before any worker sees it.</summary>
    public sealed record RunCreated(Json Input) : Entry
    {
        /// <summary>W3C traceparent of whoever started it; null when it was not traced.</summary>
        public string? Trace { get; init; }

        /// <summary>What its parent says of it; null when it needs to say nothing.</summary>
        public Part? Part { get; init; }

        /// <summary>The tick that started it; null when somebody else did.</summary>
        public RunTrigger? Trigger { get; init; }
    }

    /// <param name="Input">The transformed input, when it differs from the raw one.</param>
    public sealed record RunStarted(Json? Input, long? DeadlineAt) : Entry;

    /// <param name="Iteration">Index within a for loop's collection, or of a fork's branch; -1 elsewhere.</param>
    public sealed record StepStarted(int Step, int Parent, int Node, int Iteration) : Entry
    {
        /// <summary>The transformed input, when it differs from the parent's data.</summary>
        public Json? Input { get; init; }

        /// <summary>The transformed input holds secrets: it is computed again when needed and never written.</summary>
        public bool InputHidden { get; init; }

        public long? TimeoutAt { get; init; }

        /// <summary>When a wait task ends.</summary>
        public long? WakeAt { get; init; }

        /// <summary>What a for loop walks.</summary>
        public JsonArray? Items { get; init; }

        /// <summary>The child run, and what it starts on.</summary>
        public Guid? Child { get; init; }
    }

    public sealed record StepSkipped(int Step, int Parent, int Node, int Iteration) : Entry;

    /// <param name="Output">The transformed output, when it differs from the step's data.</param>
    /// <param name="Context">The new workflow context, when the task exports.</param>
    /// <param name="Then">The directive that holds instead of the task's own.</param>
    public sealed record StepCompleted(int Step, Json? Output, Json? Context, Flow? Then) : Entry;

    /// <summary>The parent goes on with the step's input while the effect goes on by itself (<c>await: false</c>).</summary>
    public sealed record StepDetached(int Step) : Entry;

    public sealed record StepFaulted(int Step, WorkflowError Error) : Entry;

    public sealed record StepCancelled(int Step) : Entry;

    /// <summary>A try task goes over to its catch clause.</summary>
    public sealed record StepCaught(int Step, WorkflowError Error) : Entry;

    /// <param name="Attempt">The attempt to come, counted from 1 (the first try).</param>
    public sealed record RetryScheduled(int Step, WorkflowError Error, int Attempt, long WakeAt) : Entry;

    public sealed record StepRetried(int Step, long? AttemptTimeoutAt) : Entry;

    /// <summary>A named sub-step of a function; given back to the function instead of doing the work again.</summary>
    public sealed record SubStepCompleted(int Step, string Name, Json Output) : Entry;

    /// <summary>A step that listens consumes an event.</summary>
    /// <param name="Event">Position of the event in the workspace's log.</param>
    /// <param name="Filter">The filter that takes it, in the order of the document; -1 where every event is taken.</param>
    /// <param name="Ends">The filter is one of <c>until</c>.</param>
    /// <param name="Item">What is read of it; null when it ends the listening.</param>
    /// <param name="Correlated">What the events to come must agree in with it.</param>
    public sealed record EventConsumed(int Step, long Event, int Filter, bool Ends, Json Item, JsonObject? Correlated) : Entry;

    /// <summary>What is to be done for the next event consumed begins.</summary>
    public sealed record EventTaken(int Step) : Entry;

    /// <param name="Output">The transformed output of what was done for it, when it differs from the step's data.</param>
    /// <param name="Context">The new workflow context, when the iterator exports.</param>
    public sealed record EventHandled(int Step, Json? Output, Json? Context) : Entry;

    /// <summary>A step wants no more of the items that its effect gives.</summary>
    public sealed record IntakeClosed(int Step) : Entry;

    public sealed record RunSuspended(string? Reason) : Entry;

    public sealed record RunResumed : Entry;

    /// <summary>Always with the output, so that it can be had from the last record alone.</summary>
    public sealed record RunCompleted(Json Output) : Entry;

    public sealed record RunFaulted(WorkflowError Error) : Entry;

    public sealed record RunCancelled(string? Reason) : Entry;

    /// <summary>Stands behind what a fork's journal has from that of another run: the place where the two part.</summary>
    /// <param name="Seq">The source's record at which it was cut.</param>
    /// <param name="CutAt">When that record was written: timers have the time left that they had then.</param>
    public sealed record RunForked(Guid Source, long Seq, long CutAt) : Entry
    {
        /// <summary>The source's step that begins here anew; null when everything goes on as it stood behind a record.</summary>
        public int? Step { get; init; }

        /// <summary>That step had begun at the cut and begins once more; otherwise it was about to.</summary>
        public bool Again { get; init; }

        /// <summary>Where that step stands.</summary>
        public int Scope { get; init; }

        /// <summary>What the step, or a run that has not started, begins with instead.</summary>
        public Json? Input { get; init; }

        /// <summary>The workflow context instead of the one at the cut.</summary>
        public Json? Context { get; init; }

        public string? Reason { get; init; }

        /// <summary>Active steps whose child run had ended at the cut: its end is in the fork's inbox. The others start a child of their own.</summary>
        public IReadOnlyList<int> Ended { get; init; } = [];
    }

    /// <summary>A fork's first decision: what was under way at the cut has been asked for once more.</summary>
    public sealed record RunContinued : Entry;

    /// <summary>A step of a fork starts a child run in place of the source's.</summary>
    public sealed record StepRespawned(int Step, Guid Child) : Entry;
}

/// <summary>What started a run that neither a request nor another run did.</summary>
/// <param name="At">The moment that the schedule names, Unix microseconds; the run begins then or later.</param>
public sealed record RunTrigger(Guid Schedule, long At);

/// <summary>What a decision asks of the world, to be done once its entries are on disk.</summary>
public abstract record Command
{
    public sealed record Invoke(Step Step, string Function, Json Arguments) : Command;

    /// <summary>That many of the effect's items are done with.</summary>
    /// <param name="Enough">No more are wanted.</param>
    public sealed record Handled(int Step, int Count, bool Enough) : Command;

    /// <summary>The effect's result is not wanted any more.</summary>
    public sealed record Abandon(int Step) : Command;

    /// <summary>The child's row is committed together with the entries.</summary>
    public sealed record Spawn(Step Step, Guid Child, SpawnBody Body, Json Input) : Command
    {
        public Part? Part { get; init; }

        /// <summary>What its input is made of is still to be read (<see cref="Decision.ChildGiven"/>); null when the input is there.</summary>
        public ChunkReference? From { get; init; }
    }

    public sealed record CancelChild(Guid Child) : Command;

    /// <summary>The step is told of events from now on, and of those that came since: committed together with the entries.</summary>
    public sealed record Listen(int Step, IReadOnlyList<EventKey> Keys, long Since) : Command
    {
        /// <summary>Events that the run has consumed already.</summary>
        public IReadOnlyCollection<long>? Except { get; init; }
    }

    /// <summary>What holds the run must still do so when the entries are committed.</summary>
    public sealed record Hold(Guid Id) : Command;

    /// <summary>The run goes on as another one, whose row is committed together with the entries.</summary>
    /// <param name="Latest">It runs the latest version of the definition.</param>
    public sealed record Continue(Guid Successor, Json Input, bool Latest) : Command
    {
        /// <summary>Events that the run has consumed: they are not for the other.</summary>
        public IReadOnlyCollection<long>? Heard { get; init; }
    }

    /// <summary>People are asked for a decision: its row is committed together with the entries.</summary>
    /// <param name="Form">The schema of what they fill in; null: nothing.</param>
    public sealed record Ask(int Step, Approval Approval, Json? Form) : Command;

    /// <summary>People who were asked are reminded, or more are asked: committed together with the entries.</summary>
    public sealed record Remind(Guid Approval, int Reminders, bool Escalated) : Command;

    /// <summary>A decision is over: committed together with the entries, unless a vote that was taken meanwhile says otherwise.</summary>
    /// <param name="Expired">Nobody has decided: then no vote may have settled it meanwhile, not even alike.</param>
    public sealed record Settle(Guid Approval, ApprovalState State, bool Expired = false) : Command;

    /// <summary>The step is told of no more events: committed together with the entries.</summary>
    public sealed record Deafen(int Step) : Command;
}
