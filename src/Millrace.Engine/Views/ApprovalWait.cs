using System.Globalization;
using System.Text;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Views;

/// <summary>Says whose decision a step waits for, and how far it is.</summary>
internal static class ApprovalWait
{
    /// <returns>A sentence.</returns>
    public static string Of(string name, Approval? approval)
    {
        if (approval is null) return $"'{name}' is about to ask for a decision.";
        var ask = approval.Ask;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"'{name}' waits for {(approval.Approvers.IsAnybody ? "somebody" : approval.Approvers)} to decide on '{ask.Title}': ");
        text.Append(CultureInfo.InvariantCulture, $"{approval.Approvals} of {ask.Quorum} have agreed");
        if (approval.Votes.Count > approval.Approvals) text.Append(CultureInfo.InvariantCulture, $", {approval.Votes.Count - approval.Approvals} have not");
        if (approval.Reminders > 0) text.Append(CultureInfo.InvariantCulture, $", reminded {approval.Reminders} {(approval.Reminders == 1 ? "time" : "times")}");
        if (approval.IsEscalated) text.Append(", escalated");
        return text.Append('.').ToString();
    }
}
