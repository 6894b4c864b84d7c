using System.Globalization;
using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>A decision that a step waits for: who has said what so far; a fold of the step's <see cref="ApprovalEntry"/> facts.</summary>
public sealed class Approval
{
    /// <summary>Reminders of one decision; who has not heard by then will not.</summary>
    private const int RemindersMax = 1000;

    private readonly List<Vote> _votes = [];
    private readonly List<ApprovalEntry.Delegated> _delegations = [];
    private long? _remindAt;

    internal Approval(ApprovalEntry.Asked e, long at)
    {
        (Id, Ask, Hash, AskedAt) = (e.Approval, e.Ask, e.Hash, at);
        _remindAt = at + Ask.RemindEvery;
    }

    public Guid Id { get; }
    public Ask Ask { get; }
    public string Hash { get; }
    public long AskedAt { get; }
    public int Reminders { get; private set; }
    public bool IsEscalated { get; private set; }
    public ApprovalState State { get; private set; }
    public IReadOnlyList<Vote> Votes => _votes;

    /// <summary>Who is asked now.</summary>
    public People Approvers => IsEscalated && !Ask.Approvers.IsAnybody ? Ask.Approvers.And(Ask.EscalateTo!) : Ask.Approvers;

    public int Approvals => _votes.Count(v => v.Approves);

    internal ApprovalState Outcome => Ask.Outcome(Approvals, _votes.Count - Approvals);
    internal bool IsExpiring(long now) => Ask.ExpireAt <= now;
    internal bool IsEscalating(long now) => !IsEscalated && Ask.EscalateAt <= now;

    /// <summary>When time alone says something next.</summary>
    internal long? WakeAt
    {
        get
        {
            if (State != ApprovalState.Open) return null;
            var first = long.MaxValue;
            if (_remindAt is { } remind) first = Math.Min(first, remind);
            if (!IsEscalated && Ask.EscalateAt is { } escalate) first = Math.Min(first, escalate);
            if (Ask.ExpireAt is { } expire) first = Math.Min(first, expire);
            return first == long.MaxValue ? null : first;
        }
    }

    /// <summary>A person has one vote, and none when they have handed it on.</summary>
    internal bool MayVote(string by) => State == ApprovalState.Open && !_votes.Exists(v => v.By == by) && !_delegations.Exists(d => d.By == by);

    internal void Apply(ApprovalEntry entry, long at)
    {
        switch (entry)
        {
            case ApprovalEntry.Voted e: _votes.Add(e.Vote); break;
            case ApprovalEntry.Delegated e: _delegations.Add(e); break;
            case ApprovalEntry.Reminded e:
                Reminders = e.Count;
                _remindAt = Reminders < RemindersMax ? at + Ask.RemindEvery : null;
                break;
            case ApprovalEntry.Escalated: IsEscalated = true; break;
            case ApprovalEntry.Settled e: State = e.State; break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    /// <summary>What the step gives: how it ended, and who has said what about which arguments.</summary>
    internal Json Output(ApprovalState outcome, bool expired)
    {
        var json = new JsonObject.Builder().Set("outcome", Word(outcome)).Set("approval", Id.ToString()).Set("hash", Hash)
            .Set("decisions", JsonArray.Of(_votes.ConvertAll(v => (Json)new JsonObject.Builder().Set("by", v.By).Set("decision", v.Approves ? "approve" : "reject")
                .Set("comment", v.Comment is { } comment ? comment : Json.Null).Set("form", v.Form).Set("at", Time(v.At)).Build())));
        if (_delegations.Count > 0)
            json.Set("delegations", JsonArray.Of(_delegations.ConvertAll(d => (Json)new JsonObject.Builder().Set("by", d.By).Set("to", d.To).Set("at", Time(d.At)).Build())));
        if (expired) json.Set("expired", true);
        return json.Build();
    }

    private static string Word(ApprovalState state) => state == ApprovalState.Approved ? "approved" : "rejected";

    private static string Time(long micros) => DateTime.UnixEpoch.AddMicroseconds(micros).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
