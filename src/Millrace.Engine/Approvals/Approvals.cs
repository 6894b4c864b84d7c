using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Approvals;

/// <summary>What a record changes in the questions that people are asked, in the record's own transaction.</summary>
internal static class Approvals
{
    public static void Write(DbUnit db, RunRecord record)
    {
        for (var i = 0; i < record.Commands.Count; i++)
        {
            switch (record.Commands[i])
            {
                case Command.Ask ask: ApprovalStore.Ask(db, record.Tenant, record.Run, ask, record.At); break;
                case Command.Remind remind: ApprovalStore.Remind(db, record.Tenant, record.Run, remind); break;
                case Command.Settle settle: ApprovalStore.Settle(db, record.Tenant, record.Run, settle, record.SignalsSeen, record.At); break;
            }
        }
    }

    public static Json Signal(Guid approval, ApprovalVote vote)
    {
        var body = new JsonObject.Builder().Set("approval", approval.ToString()).Set("by", vote.Person).Set("form", vote.Form).Set("at", vote.At);
        if (vote.Approves is { } approves) body.Set("approves", approves);
        if (vote.Delegate is { } to) body.Set("to", to);
        if (vote.Comment is { } comment) body.Set("comment", comment);
        return body.Build();
    }

    public static void Hear(Decision decision, Signal signal)
    {
        var body = signal.Body;
        var (approval, by, at) = (Guid.Parse(body["approval"].AsString()), body["by"].AsString(), (long)body["at"].AsNumber());
        if (body["to"].StringOrNull is { } to) decision.Delegated(approval, by, to, at);
        else decision.Voted(approval, new Vote(by, body["approves"].IsTruthy, body["comment"].StringOrNull, body["form"], at));
    }
}
