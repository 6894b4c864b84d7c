using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// One execution of a task that has not ended. Ended steps leave the state at once, so the cost of a step does not grow
/// with the length of the run.
/// </summary>
public sealed class Step
{
    private List<Step>? _children;

    internal Step(int id, Step? parent, Node? node, long startedAt)
    {
        Id = id;
        Parent = parent;
        Node = node!;
        StartedAt = startedAt;
        Effect = id;
    }

    /// <summary>Counted from 1 in the order of starting; 0 is the run itself.</summary>
    public int Id { get; }

    public Step? Parent { get; }

    /// <summary>Null only for the run itself (id 0).</summary>
    public Node Node { get; }

    public long StartedAt { get; internal set; }
    public int Iteration { get; internal set; } = -1;

    public Json RawInput { get; internal set; }
    public Json Input { get; internal set; }
    internal bool InputHidden { get; set; }

    /// <summary>What flows through a composite step: its input at first, then the output of its last child.</summary>
    public Json Data { get; internal set; }

    /// <summary>Steps directly inside that have not ended.</summary>
    internal List<Step> Children => _children ??= [];
    internal bool HasChildren => _children is { Count: > 0 };

    /// <summary>Place in the scope of the child that started last; -1 before the first.</summary>
    internal int Position { get; set; } = -1;

    /// <summary>The directive to follow next, while no child is active; null when there is nothing to follow.</summary>
    internal Flow? Pending { get; set; }

    public long? TimeoutAt { get; internal set; }

    /// <summary>When a wait or a retry delay ends.</summary>
    public long? WakeAt { get; internal set; }

    /// <summary>For loops: the collection and the current index.</summary>
    internal JsonArray? Items { get; set; }
    internal int Index { get; set; } = -1;

    /// <summary>The place in the run's batch of the input that the step belongs to; 0 where there is no batch.</summary>
    public int BatchItem => Parent is null ? Math.Max(Index, 0) : Parent.BatchItem;

    /// <summary>Forks: outputs by branch, and how many branches have ended.</summary>
    internal Json[]? Results { get; set; }
    internal int Ended { get; set; }
    internal int Winner { get; set; } = -1;

    /// <summary>Forks: a branch that had begun and begins once more; -1 when there is none.</summary>
    internal int Redo { get; set; } = -1;

    /// <summary>Forks: what the branch that begins next is given instead of the input.</summary>
    internal Json? Edited { get; set; }

    /// <summary>What a task that begins directly inside is given.</summary>
    internal Json ForNext => Edited ?? (Node?.Body is ForkBody ? Input : Data);
    internal WorkflowError? LastError { get; set; }

    /// <summary>Effects: the step whose number makes the idempotency key, an earlier one where an earlier attempt may have been carried out (<see cref="Kernel.Unsure"/>).</summary>
    public int Effect { get; internal set; }

    /// <summary>Try tasks that retry: effects of earlier attempts that ended without a result, by place.</summary>
    internal Dictionary<string, UnsureEffect>? Unsure { get; set; }

    /// <summary>Try tasks: attempts begun, and the error being handled.</summary>
    public int Attempt { get; internal set; } = 1;
    internal WorkflowError? Caught { get; set; }
    internal bool InCatch => Caught is not null;
    internal long? AttemptTimeoutAt { get; set; }

    /// <summary>Calls: recorded sub-steps by name.</summary>
    public Dictionary<string, Json>? SubSteps { get; internal set; }

    /// <summary>Maps and swarms: their children; null before what they work on is evaluated.</summary>
    public Window? Window { get; internal set; }

    /// <summary>Approve tasks: the decision that people are to take; null before they are asked.</summary>
    public Approval? Approval { get; internal set; }

    /// <summary>How it ended; pending while it has not.</summary>
    internal RunPhase Outcome { get; set; }

    /// <summary>Extended tasks: what is done before and after.</summary>
    internal Extension? Extension { get; set; }

    /// <summary>The task itself, within the step that stands around it and its extensions.</summary>
    public bool IsExtended => Parent?.Extension?.Extends(this) == true;
    /// <summary>The step that this one undoes; 0 where it undoes none.</summary>
    public int Compensates { get; internal set; }

    /// <summary>What a handler may know of the step it undoes.</summary>
    internal Json Compensated { get; set; }

    public bool Detached { get; internal set; }
    public Guid? Child { get; internal set; }

    /// <summary>Listen tasks: what has been heard.</summary>
    public Listener? Listener { get; internal set; }

    /// <summary>Calls that do something for each item: what the effect has given.</summary>
    public Intake? Intake { get; internal set; }

    public bool IsEffect => Node?.Body is CallBody;

    /// <summary>From its beginning it waits for a time, a person, an event or another run.</summary>
    public bool Waits => Node?.Body is WaitBody or ApproveBody or ListenBody or ChildrenBody or SpawnBody { Await: true };

    /// <summary>The step and all it stands in but the run itself, innermost first.</summary>
    public IEnumerable<Step> Around()
    {
        for (var one = this; one.Node is not null; one = one.Parent!) yield return one;
    }

    /// <summary>The tasks that directives of this step's children move about in; null when it has no such scope.</summary>
    internal Scope? Scope(Workflow workflow) => Node is null ? workflow.Do : Node.Body switch
    {
        DoBody body => body.Tasks,
        ForBody body => body.Tasks,
        ListenBody body => body.ForEach?.Tasks,
        CallBody body => body.Each?.Iterator.Tasks,
        ExtendedBody => Extension?.Tasks,
        TryBody body => InCatch ? body.Catch.Do : body.Tasks,
        _ => null,
    };
}
