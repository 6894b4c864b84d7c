using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Graph;

/// <summary>A decision that people take: <c>approve</c> of the default catalog (docs/decisions/0018-approvals.md). The run is in nobody's memory while it waits.</summary>
/// <param name="Show">What the decision is bound to: evaluated once, shown, and hashed.</param>
/// <param name="Approvers">A list of names, or an object with users and groups; null: anybody.</param>
/// <param name="Form">What a person fills in; null: nothing.</param>
/// <param name="Quorum">How many people must agree.</param>
public sealed record ApproveBody(Template Title, Template? Description, Template? Show, Template? Approvers, JsonSchema? Form, Template Quorum) : TaskBody
{
    public const string Function = "approve:1.0.0@default";
    public const int QuorumMax = 100;

    /// <summary>As many must reject as must agree; otherwise one rejection decides.</summary>
    public bool RejectsByQuorum { get; init; }

    /// <summary>A person may hand their vote to another.</summary>
    public bool MayDelegate { get; init; } = true;

    /// <summary>Time from one reminder to the next.</summary>
    public Template? Remind { get; init; }

    public Template? EscalateAfter { get; init; }

    /// <summary>Who is asked besides from then on.</summary>
    public Template? EscalateTo { get; init; }

    public Template? ExpireAfter { get; init; }
    public Expiry Expiry { get; init; }

    /// <summary>A rejection completes the step; otherwise it faults.</summary>
    public bool GoesOn { get; init; }

    public IEnumerable<Template?> Templates => [Title, Description, Show, Approvers, Quorum, Remind, EscalateAfter, EscalateTo, ExpireAfter];
}

/// <summary>What it means that nobody has decided in time.</summary>
public enum Expiry : byte { Fail, Reject, Approve }
