using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Forks;

/// <summary>Where a fork parts from its source.</summary>
public abstract record ForkPoint
{
    /// <summary>Just before that step began.</summary>
    public sealed record Before(int Step) : ForkPoint;

    /// <summary>Just before the last step of that task began.</summary>
    /// <param name="Reference">JSON pointer of the task.</param>
    public sealed record BeforeTask(string Reference) : ForkPoint;

    /// <summary>Behind that record of the journal.</summary>
    public sealed record Behind(long Seq) : ForkPoint;

    /// <summary>Just before what ended a run that faulted or was cancelled; the step that faulted begins once more.</summary>
    public sealed record Failure : ForkPoint;
}

/// <summary>A wish for a new run that goes on from a state another one had.</summary>
public sealed record ForkRequest(Tenant Tenant, Guid Source, ForkPoint Point)
{
    /// <summary>The version to go on with; null: the source's own.</summary>
    public Workflow? Workflow { get; init; }

    /// <summary>What the step begins with instead.</summary>
    public Json? Input { get; init; }

    /// <summary>The workflow context instead.</summary>
    public Json? Context { get; init; }

    public string? Reason { get; init; }

    /// <summary>At most 255 characters; the same key starts one run.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Tells whether the same key comes with the same request.</summary>
    public string? RequestHash { get; init; }
}

/// <summary>How a wish for a fork ended. All are answered after their commit.</summary>
public abstract record ForkOutcome
{
    public sealed record Started(Guid Run) : ForkOutcome;

    /// <summary>The key has started this run before, with the same request.</summary>
    public sealed record Existing(Guid Run) : ForkOutcome;

    /// <summary>The key was used for another request.</summary>
    public sealed record Conflict(Guid Run) : ForkOutcome;

    public sealed record NotFound : ForkOutcome;

    public sealed record Refused(ForkRefusal Why) : ForkOutcome;
}

/// <summary>Why a run cannot be forked like that.</summary>
/// <param name="Code">Stable; what programs decide on.</param>
/// <param name="Pointer">The part of the wish that is wrong; null when it is the run.</param>
/// <param name="Reference">JSON pointer of a task in the definition.</param>
public sealed record ForkRefusal(string Code, string Detail, string? Pointer = null, string? Reference = null);

internal sealed class ForkRefusedException(ForkRefusal why) : Exception(why.Detail)
{
    public ForkRefusal Why { get; } = why;
}
