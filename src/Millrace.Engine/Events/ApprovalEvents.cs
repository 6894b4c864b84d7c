using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>
/// What is told of questions to people, for whoever sends them links, reminds them and tells them how it ended. What is shown and filled in is
/// left out: that is for those who are asked, and a sink may be anybody.
/// </summary>
internal static class ApprovalEvents
{
    public const string Prefix = "io.millrace.approval.";

    private static readonly string[] Words = ["asked", "voted", "delegated", "reminded", "escalated", "decided", "cancelled"];

    public static IEnumerable<string> Types => Words.Select(w => $"{Prefix}{w}.v1");

    /// <param name="entry">One about the question, or the end of its step while it is open: then nobody is to decide any more.</param>
    public static string WordOf(Entry entry) => entry switch
    {
        ApprovalEntry.Asked => "asked",
        ApprovalEntry.Voted => "voted",
        ApprovalEntry.Delegated => "delegated",
        ApprovalEntry.Reminded => "reminded",
        ApprovalEntry.Escalated => "escalated",
        ApprovalEntry.Settled => "decided",
        _ => "cancelled",
    };

    /// <summary>Who is asked for what, as it stands after the entry, and what the entry adds.</summary>
    public static JsonObject.Builder DataOf(Entry entry, Approval approval)
    {
        var data = new JsonObject.Builder().Set("approval", approval.Id.ToString()).Set("title", approval.Ask.Title).Set("approvers", approval.Approvers.ToJson())
            .Set("quorum", approval.Ask.Quorum).Set("reminders", approval.Reminders).Set("escalated", approval.IsEscalated);
        if (approval.Ask.ExpireAt is { } expire) data.Set("expiresAt", LifecycleEvents.TimeOf(expire));
        switch (entry)
        {
            case ApprovalEntry.Voted e: data.Set("by", e.Vote.By).Set("decision", e.Vote.Approves ? "approve" : "reject"); break;
            case ApprovalEntry.Delegated e: data.Set("by", e.By).Set("to", e.To); break;
            case ApprovalEntry.Settled e: data.Set("outcome", e.State switch { ApprovalState.Approved => "approved", ApprovalState.Rejected => "rejected", _ => "expired" }); break;
        }
        return data;
    }
}
