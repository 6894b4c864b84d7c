using System.Security.Cryptography;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Decides about decisions that people take: what they are asked, what their votes mean, and what happens when nobody says anything.</summary>
internal static class Approving
{
    private const int TextMax = 10_000;
    private const int PeopleMax = 1000;

    /// <summary>What is shown, as JSON text: it is written to the journal and to a row, and a person has to read it.</summary>
    private const int ShowBytesMax = 256 << 10;

    private const long RemindEveryMin = 1_000_000;

    /// <summary>Evaluates what people are asked.</summary>
    public static void Begin(Decision on, Step step, ApproveBody body)
    {
        var (input, variables) = (step.Input, new StepVariables(on, step));
        var escalateAt = TaskStart.After(on, body.EscalateAfter, input, variables);
        var ask = new Ask(Text(body.Title, "title")!, Text(body.Description, "description"), body.Show?.Evaluate(input, variables) ?? Json.Null,
            Who(body.Approvers, "approvers"), Spawning.Whole(body.Quorum.Evaluate(input, variables), "quorum", ApproveBody.QuorumMax))
        {
            RejectsByQuorum = body.RejectsByQuorum,
            MayDelegate = body.MayDelegate,
            RemindEvery = TaskStart.After(on, body.Remind, input, variables) - on.Now,
            EscalateAt = escalateAt,
            EscalateTo = escalateAt is null ? null : Who(body.EscalateTo, "escalate.to"),
            ExpireAt = TaskStart.After(on, body.ExpireAfter, input, variables),
            Expiry = body.Expiry,
        };
        if (ask.RemindEvery < RemindEveryMin) throw Wrong("'remind' is shorter than a second.");
        if (ask.Approvers is { Groups.Count: 0, Users.Count: > 0 and var people } && ask.Quorum > people) throw Wrong($"{people} people are asked; {ask.Quorum} can never agree.");
        if (JsonText.ToUtf8(ask.Show).Length > ShowBytesMax) throw Wrong($"'show' has more than {ShowBytesMax} bytes.");
        Put(on, step, body, ask);

        string? Text(Template? template, string what)
        {
            if (template is null) return null;
            var value = template.Evaluate(input, variables);
            var text = value.StringOrNull ?? throw Wrong($"'{what}' is {value.Kind}; expected a text.");
            return text.Length <= TextMax ? text : throw Wrong($"'{what}' has more than {TextMax} characters.");
        }

        People Who(Template? template, string what)
        {
            if (template is null) return People.Anybody;
            var value = template.Evaluate(input, variables);
            if (value.IsNull) return People.Anybody;
            var (users, groups) = value.IsArray ? (value, Json.EmptyArray) : (value["users"], value["groups"]);
            if (!IsNames(users) || !IsNames(groups)) throw Wrong($"'{what}' is no list of names, and no object of users and groups.");
            return People.FromJson(Json.Object("users", users, "groups", groups));
        }
    }

    /// <summary>The step belongs to another run now: people are asked once more, with all of the time.</summary>
    public static void Renew(Decision on, Step step, ApproveBody body)
    {
        var (ask, by) = (step.Approval!.Ask, on.Now - step.Approval.AskedAt);
        Put(on, step, body, ask with { EscalateAt = ask.EscalateAt + by, ExpireAt = ask.ExpireAt + by });
    }

    public static void Vote(Decision on, Step step, Vote vote)
    {
        if (!step.Approval!.MayVote(vote.By)) return;
        on.Emit(new ApprovalEntry.Voted(step.Id, vote));
        if (step.Approval.Outcome is var outcome && outcome != ApprovalState.Open) Settle(on, step, outcome, expired: false);
    }

    public static void Delegate(Decision on, Step step, string by, string to, long at)
    {
        if (step.Approval!.MayVote(by)) on.Emit(new ApprovalEntry.Delegated(step.Id, by, to, at));
    }

    /// <summary>Some time has passed.</summary>
    public static void Wake(Decision on, Step step)
    {
        var approval = step.Approval!;
        if (approval.IsExpiring(on.Now))
            Settle(on, step, approval.Ask.Expiry switch { Expiry.Approve => ApprovalState.Approved, Expiry.Reject => ApprovalState.Rejected, _ => ApprovalState.Expired }, expired: true);
        else if (approval.IsEscalating(on.Now)) Tell(on, step, new ApprovalEntry.Escalated(step.Id));
        else Tell(on, step, new ApprovalEntry.Reminded(step.Id, approval.Reminders + 1));
    }

    /// <summary>A step that ends leaves no open question.</summary>
    public static void Leave(Decision on, Step step)
    {
        if (step.Approval!.State == ApprovalState.Open) on.Commands.Add(new Command.Settle(step.Approval.Id, ApprovalState.Cancelled));
    }

    private static void Put(Decision on, Step step, ApproveBody body, Ask ask)
    {
        var id = on.Around.NewId();
        on.Emit(new ApprovalEntry.Asked(step.Id, id, ask, Hash(ask.Show)));
        on.Commands.Add(new Command.Ask(step.Id, step.Approval!, body.Form?.Source));
    }

    private static void Tell(Decision on, Step step, ApprovalEntry entry)
    {
        on.Emit(entry);
        on.Commands.Add(new Command.Remind(step.Approval!.Id, step.Approval.Reminders, step.Approval.IsEscalated));
    }

    private static void Settle(Decision on, Step step, ApprovalState outcome, bool expired)
    {
        var approval = step.Approval!;
        on.Emit(new ApprovalEntry.Settled(step.Id, outcome));
        on.Commands.Add(new Command.Settle(approval.Id, outcome, expired));
        if (outcome == ApprovalState.Expired)
            on.Fault(step, new WorkflowError(ErrorTypes.Timeout, 408, "Nobody decided", $"'{approval.Ask.Title}' was not decided in time."));
        else if (outcome == ApprovalState.Rejected && !((ApproveBody)step.Node.Body).GoesOn)
            on.Fault(step, new WorkflowError(ErrorTypes.Authorization, 403, "Rejected", Why(approval, expired)));
        else
            DataFlow.Complete(on, step, approval.Output(outcome, expired));
    }

    private static string Why(Approval approval, bool expired)
    {
        if (expired) return $"'{approval.Ask.Title}' was not decided in time, which means no.";
        var last = approval.Votes.Last(v => !v.Approves);
        return $"'{approval.Ask.Title}' was rejected by {last.By}{(last.Comment is { Length: > 0 } comment ? $": {comment}" : ".")}";
    }

    /// <summary>Of the JSON text with the members of objects in order and nothing between them, so that others come to the same.</summary>
    private static string Hash(Json shown) => Convert.ToHexStringLower(SHA256.HashData(JsonText.ToUtf8(Ordered(shown))));

    private static Json Ordered(Json value)
    {
        if (value.ArrayOrNull is { } items) return JsonArray.Of(items.Select(Ordered).ToList());
        if (value.ObjectOrNull is not { } members) return value;
        var ordered = new JsonObject.Builder(members.Count);
        foreach (var (key, member) in members.OrderBy(m => m.Key, StringComparer.Ordinal)) ordered.Set(key, Ordered(member));
        return ordered.Build();
    }

    private static bool IsNames(Json list) => list.IsNull || list.ArrayOrNull is { Count: <= PeopleMax } names && names.All(n => n.StringOrNull is { Length: > 0 and <= 200 });

    private static WorkflowFault Wrong(string detail) => new(new WorkflowError(ErrorTypes.Validation, 400, "Invalid argument", detail));
}
