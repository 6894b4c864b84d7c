using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

public enum StepState : byte { Running, Waiting, Suspended, Cancelled, Faulted, Completed, Skipped }

/// <summary>One step as people see it. Times are Unix microseconds, UTC.</summary>
public sealed record StepView
{
    public required int Id { get; init; }
    public required int Parent { get; init; }
    public required Node Node { get; init; }
    public StepState State { get; init; }
    public int Iteration { get; init; } = -1;
    public int Attempt { get; init; } = 1;
    public long StartedAt { get; init; }
    public long? EndedAt { get; init; }
    public WorkflowError? Error { get; init; }
    public long? WakeAt { get; init; }
    public Guid? Child { get; init; }

    /// <summary>Maps and swarms: their children. It goes on changing while the step does.</summary>
    public Window? Window { get; init; }
    /// <summary>The step that this one undoes.</summary>
    public int? Compensates { get; init; }

    /// <summary>Approve tasks: the question that people are asked.</summary>
    public Guid? Approval { get; init; }
    public Json Input { get; init; }

    /// <summary>A fork took it over as it was under way, and began its task once more in its place.</summary>
    public bool IsSuperseded { get; init; }

    /// <summary>Null while there is none.</summary>
    public Json? Output { get; init; }
}

/// <summary>What an unfinished run waits for.</summary>
public enum WaitKind : byte { Timer, Effect, Child, Resume, Worker, Retry, Event, Slot, Person }

/// <summary>One thing a run waits for, since when, and what will wake it.</summary>
/// <param name="Detail">A sentence.</param>
public sealed record WaitingFor(WaitKind On, long Since, long? WakeAt, string Detail, int? Step = null, string? Reference = null)
{
    /// <summary>Types and sources of the events it listens for; null when it waits for something else.</summary>
    public IReadOnlyList<EventKey>? Events { get; init; }

    /// <summary>The question that people are asked; null when it waits for something else.</summary>
    public Guid? Approval { get; init; }
}
