using System.Text.Json.Serialization;
using Millrace.Engine.Events;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Uploads;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Platform.Runs;

/// <summary>The version a run executes; it never changes.</summary>
public sealed record RunDefinition(string Namespace, string Name, string Version, string Hash);

/// <summary>The step of another run that started this one.</summary>
public sealed record RunParent(Guid Run, int Step);

/// <summary>The schedule that started a run, and the moment that it names.</summary>
public sealed record RunTrigger(Guid Schedule, DateTimeOffset At);

/// <summary>Who or what may start a run.</summary>
public enum StarterKind : byte { Caller, Schedule, Event, Run, Fork }

/// <summary>What started a run; a run that goes on in the place of another was started by what started that one.</summary>
/// <param name="By">A caller of the API, a schedule, an event, a step of another run, or whoever forked a run.</param>
/// <param name="At">The schedule's tick.</param>
/// <param name="Run">The run that started it, or that it is a fork of.</param>
/// <param name="Count">How many events started it together.</param>
/// <param name="Events">The last of them, at most ten.</param>
public sealed record RunStarter(StarterKind By, DateTimeOffset? At, Guid? Run, int? Count, IReadOnlyList<StartingEvent>? Events)
{
    internal static RunStarter Of(RunRow row) => row switch
    {
        { Fork: { } fork } => new(StarterKind.Fork, null, fork.Run, null, null),
        { Parent: { } parent } => new(StarterKind.Run, null, parent, null, null),
        { StartedBy: { } events } => new(StarterKind.Event, null, null, events.Count, events.Events),
        { Trigger: { } tick } => new(StarterKind.Schedule, Micros.ToTime(tick.At), null, null, null),
        _ => new(StarterKind.Caller, null, null, null, null),
    };
}

/// <summary>The run this one goes on from.</summary>
/// <param name="Seq">The record of that run at which it was cut.</param>
/// <param name="Step">The step of that run that began anew; null when everything went on as it stood.</param>
public sealed record RunFork(Guid Run, long Seq, int? Step)
{
    internal static RunFork? Of(RunRow row) => row.Fork is { } fork ? new RunFork(fork.Run, fork.Seq, fork.Step) : null;
}

/// <summary>One thing that a run counts in.</summary>
/// <param name="Kind">A slot, a start within a time (rate), or quiet before its start.</param>
/// <param name="Name">As <c>GET /limits</c> lists it: namespace/name of the definition, or the name that limits of several share; behind it which one, where it is not the first slot (<c>#2</c>, <c>#rate</c>, <c>#debounce</c>).</param>
/// <param name="Key">What the limit's expression gave for the run.</param>
/// <param name="Most">Slots there are, or starts within the time.</param>
public sealed record RunLimit(NeedKind Kind, string Name, string Key, int Most);

/// <summary>What flow control found for a run when it was first taken (<c>metadata.flow</c> of its definition).</summary>
/// <param name="Priority">Of those that wait, the highest goes first; 0 where nothing is said.</param>
public sealed record RunFlow(int Priority, IReadOnlyList<RunLimit> Limits)
{
    internal static RunFlow? Of(RunRow? row) => LimitPlan.Parse(row?.Limits) is { } plan
        ? new RunFlow(plan.Priority, [.. plan.Needs.Select(n => new RunLimit(n.Kind, n.Name, n.Key, n.Most))]) : null;
}

/// <summary>One execution of one version of a definition.</summary>
/// <param name="Steps">Steps by how they ended; skipped ones were never started.</param>
/// <param name="Position">Sequence number of the last record of its journal.</param>
/// <param name="WakeAt">When time alone will next change something.</param>
/// <param name="Reason">Why it was cancelled or suspended, when somebody said so.</param>
public sealed record Run(
    Guid Id, RunDefinition Definition, RunPhase State, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, DateTimeOffset UpdatedAt,
    RunParent? Parent, WorkflowError? Error, StepCounts Steps, long Position, DateTimeOffset? WakeAt, string? Reason, RunTrigger? Trigger)
{
    /// <summary>Who or what started it.</summary>
    public required RunStarter StartedBy { get; init; }

    /// <summary>Where it parted from another run; null for one that began by itself.</summary>
    public RunFork? ForkOf { get; init; }

    /// <summary>The run it goes on from, and the one it has gone on as; told of one run, not in lists.</summary>
    public Guid? Continues { get; init; }
    public Guid? ContinuedBy { get; init; }

    /// <summary>Its priority and the limits that it counts in, once it has been taken; told of one run, not in lists. Null: its definition knows none.</summary>
    public RunFlow? Flow { get; init; }

    /// <summary>When retention lets it go, once it has ended; told of one run, not in lists. Null: it is kept.</summary>
    public DateTimeOffset? KeptUntil { get; init; }

    /// <summary>True when it has ended and lies in the dead letters; told of one run, not in lists.</summary>
    public bool? DeadLetter { get; init; }

    /// <param name="position">The last record's sequence number, which the row does not hold.</param>
    public static Run Of(RunRow row, long position) => new(
        row.Id, DefinitionOf(row), row.State, Micros.ToTime(row.CreatedAt), Time(row.StartedAt), Time(row.EndedAt), Micros.ToTime(row.UpdatedAt),
        ParentOf(row), row.Error, row.Counts, position, row.IsFinished ? null : Time(row.WakeAt), row.Reason, TriggerOf(row))
    { ForkOf = RunFork.Of(row), StartedBy = RunStarter.Of(row) };

    /// <param name="row">What never changes.</param>
    /// <param name="history">Everything else, as of the record last applied.</param>
    public static Run Of(RunRow row, RunHistory history)
    {
        var state = history.State;
        return new Run(
            row.Id, DefinitionOf(row), state.Phase, Micros.ToTime(row.CreatedAt), state.IsStarted ? Micros.ToTime(state.StartedAt) : null,
            state.IsFinished ? Micros.ToTime(state.EndedAt) : null, Micros.ToTime(history.UpdatedAt),
            ParentOf(row), state.Error, state.Counts, state.Position, Time(state.NextWake), state.Reason, TriggerOf(row))
        { ForkOf = RunFork.Of(row), StartedBy = RunStarter.Of(row) };
    }

    private static RunDefinition DefinitionOf(RunRow row) => new(row.Definition.Namespace, row.Definition.Name, row.Definition.Version, row.Hash);

    private static RunParent? ParentOf(RunRow row) => row.Parent is { } parent ? new RunParent(parent, row.ParentStep ?? 0) : null;

    private static RunTrigger? TriggerOf(RunRow row) => row.Trigger is { } trigger ? new RunTrigger(trigger.Schedule, Micros.ToTime(trigger.At)) : null;

    private static DateTimeOffset? Time(long? micros) => micros is { } m ? Micros.ToTime(m) : null;
}

/// <summary>One execution of one task.</summary>
/// <param name="Parent">The step it stands in; null at the top.</param>
/// <param name="Node">Index of the task in the definition's graph.</param>
/// <param name="Reference">JSON pointer of the task.</param>
/// <param name="Iteration">Index in a for loop's collection, or of a fork's branch.</param>
/// <param name="Attempt">Counts from 1; of a try task, whose attempts its retry policy counts.</param>
/// <param name="Child">The run it started.</param>
/// <param name="Spawn">How far the children of a map or a swarm are.</param>
/// <param name="Approval">The question that people are asked.</param>
/// <param name="Compensates">The step that it undoes.</param>
public sealed record RunStep(
    int Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Parent, int Node, string Name, string Reference, string Kind, StepState State,
    int? Iteration, int Attempt, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, WorkflowError? Error, DateTimeOffset? WakeAt, Guid? Child, Json? Input, Json? Output, SpawnProgress? Spawn, Guid? Approval = null, int? Compensates = null)
{
    /// <param name="values">Whether input and output are told; lists leave them out because they may be large.</param>
    public static RunStep Of(StepView step, bool values) => new(
        step.Id, step.Parent == 0 ? null : step.Parent, step.Node.Index, step.Node.Name, step.Node.Reference, step.Node.Body.Keyword, step.State,
        step.Iteration < 0 ? null : step.Iteration, step.Attempt, Micros.ToTime(step.StartedAt), step.EndedAt is { } ended ? Micros.ToTime(ended) : null,
        step.Error, step.WakeAt is { } wake ? Micros.ToTime(wake) : null, step.Child, values ? step.Input : (Json?)null, values ? step.Output : null,
        values ? step.Window?.Progress : step.Window?.Counts, step.Approval, step.Compensates);
}

/// <summary>One record of a run's journal: what was decided together and reached the disk together.</summary>
/// <param name="Entries">As stored, each with its kind in <c>e</c>; a large value is a reference in a member whose name ends in <c>@</c>.</param>
public sealed record JournalRecord(long Seq, DateTimeOffset At, Json Entries);

/// <summary>One thing an unfinished run waits for.</summary>
/// <param name="Detail">A sentence.</param>
public sealed record RunWait(int? Step, string? Reference, WaitKind On, DateTimeOffset Since, DateTimeOffset? WakeAt, string Detail, IReadOnlyList<EventKey>? Events, Guid? Approval)
{
    public static RunWait Of(WaitingFor wait) => new(
        wait.Step, wait.Reference, wait.On, Micros.ToTime(wait.Since), wait.WakeAt is { } wake ? Micros.ToTime(wake) : null, wait.Detail, wait.Events, wait.Approval);
}

/// <summary>Body of a request to start a run. Described here, read by hand: see <see cref="StartRun"/>.</summary>
/// <param name="Input">An empty object when absent.</param>
/// <param name="Upload">Instead of it: an input that was uploaded.</param>
public sealed record StartRunBody(StartRunDefinition Definition, Json? Input, UploadContent? Upload);

/// <param name="Version">The latest when absent.</param>
public sealed record StartRunDefinition(string Namespace, string Name, string? Version);

/// <summary>Body of a request to cancel a run; it may be left out.</summary>
/// <param name="CleanUp">False: nothing is undone, and what is being undone stops.</param>
public sealed record CancelBody(string? Reason, bool? CleanUp);

/// <summary>Body of a request to suspend or resume a run; it may be left out.</summary>
public sealed record ReasonBody(string? Reason);
