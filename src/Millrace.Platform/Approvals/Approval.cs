using Millrace.Engine.Approvals;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Approvals;

/// <summary>A question that a step asks people.</summary>
/// <param name="Show">What the decision is bound to.</param>
/// <param name="Hash">SHA-256 of it, in hexadecimal.</param>
/// <param name="Form">JSON Schema of what a person fills in.</param>
/// <param name="Approvers">Who is asked; without names: anybody.</param>
/// <param name="Quorum">How many must agree.</param>
/// <param name="Reject"><c>any</c>: one rejection decides; <c>quorum</c>: as many as must agree.</param>
/// <param name="Reminders">How often people were reminded.</param>
/// <param name="Expiry">What it means that nobody has decided by <paramref name="ExpiresAt"/>.</param>
public sealed record Approval(
    Guid Id, Guid Run, int Step, ApprovalState State, string Title, string? Description, Json Show, string Hash, Json? Form, ApprovalPeople Approvers, int Quorum, string Reject,
    bool Delegable, int Reminders, bool Escalated, DateTimeOffset CreatedAt, DateTimeOffset? EscalatesAt, DateTimeOffset? ExpiresAt, Expiry? Expiry, DateTimeOffset? EndedAt,
    IReadOnlyList<ApprovalSaid> Decisions)
{
    internal static Approval Of(ApprovalRow row, IReadOnlyList<ApprovalVote> votes) => new(
        row.Id, row.Run, row.Step, row.State, row.Ask.Title, row.Ask.Description, row.Ask.Show, row.Hash, row.Form, PeopleOf(row), row.Ask.Quorum,
        row.Ask.RejectsByQuorum ? "quorum" : "any", row.Ask.MayDelegate, row.Reminders, row.Escalated, Micros.ToTime(row.CreatedAt), Time(row.Ask.EscalateAt), Time(row.Ask.ExpireAt),
        row.Ask.ExpireAt is null ? null : row.Ask.Expiry, Time(row.EndedAt), [.. votes.Select(ApprovalSaid.Of)]);

    private static ApprovalPeople PeopleOf(ApprovalRow row)
    {
        var people = row is { Escalated: true, Ask: { Approvers.IsAnybody: false, EscalateTo: { } more } } ? row.Ask.Approvers.And(more) : row.Ask.Approvers;
        return new(people.Users, people.Groups);
    }

    private static DateTimeOffset? Time(long? micros) => micros is { } m ? Micros.ToTime(m) : null;
}

public sealed record ApprovalPeople(IReadOnlyList<string> Users, IReadOnlyList<string> Groups);

/// <summary>What one person has said.</summary>
/// <param name="Decision"><c>approve</c>, <c>reject</c>, or <c>delegate</c>: they handed their vote to <paramref name="To"/>.</param>
public sealed record ApprovalSaid(string By, string Decision, string? To, string? Comment, Json? Form, DateTimeOffset At)
{
    internal static ApprovalSaid Of(ApprovalVote vote) => new(
        vote.Person, vote.Approves switch { true => "approve", false => "reject", null => "delegate" }, vote.Delegate, vote.Comment, vote.Form.IsNull ? (Json?)null : vote.Form, Micros.ToTime(vote.At));
}

/// <summary>Body of a decision. Described here, read by hand.</summary>
/// <param name="By">Who decides; of a link, whom it was made for unless told.</param>
/// <param name="Decision"><c>approve</c> or <c>reject</c>.</param>
/// <param name="Form">What the person has filled in; must fit the form's schema when they approve.</param>
/// <param name="Hash">What the person has seen; refused when it is not what the decision is bound to.</param>
public sealed record DecisionBody(string? By, string Decision, string? Comment, Json? Form, string? Hash);

/// <summary>Body of a wish to hand one's vote to another.</summary>
public sealed record DelegationBody(string By, string To, string? Comment);

/// <summary>Body of a request for a link.</summary>
/// <param name="For">The person in whose name it decides.</param>
public sealed record LinkBody(string For);

/// <summary>A link with which whoever has it decides. The token is told this once; the server keeps only its hash.</summary>
/// <param name="Url">For programs: GET tells the question, POST decides.</param>
/// <param name="Page">For people.</param>
public sealed record ApprovalLink(string Token, string Url, string Page, string For);
