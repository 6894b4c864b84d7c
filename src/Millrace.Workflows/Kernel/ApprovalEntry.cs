using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>A fact about a decision that people take (<see cref="Approval"/>).</summary>
public abstract record ApprovalEntry(int Step) : Entry
{
    /// <summary>People are asked; its row is committed with this. Once more when the step belongs to another run now.</summary>
    /// <param name="Hash">SHA-256 of what is shown, in lower-case hexadecimal.</param>
    public sealed record Asked(int Step, Guid Approval, Ask Ask, string Hash) : ApprovalEntry(Step);

    public sealed record Voted(int Step, Vote Vote) : ApprovalEntry(Step);

    /// <summary>A person has handed their vote to another.</summary>
    public sealed record Delegated(int Step, string By, string To, long At) : ApprovalEntry(Step);

    /// <summary>Nobody has decided for some time.</summary>
    /// <param name="Count">How often that has been said now.</param>
    public sealed record Reminded(int Step, int Count) : ApprovalEntry(Step);

    /// <summary>More people are asked from now on.</summary>
    public sealed record Escalated(int Step) : ApprovalEntry(Step);

    public sealed record Settled(int Step, ApprovalState State) : ApprovalEntry(Step);
}

/// <summary>How a decision stands. Cancelled: its step ended without one.</summary>
public enum ApprovalState : byte { Open, Approved, Rejected, Expired, Cancelled }

/// <summary>What one person has said.</summary>
/// <param name="At">Unix microseconds.</param>
public sealed record Vote(string By, bool Approves, string? Comment, Json Form, long At);

/// <summary>Who is asked, by name.</summary>
public sealed record People(IReadOnlyList<string> Users, IReadOnlyList<string> Groups)
{
    public static readonly People Anybody = new([], []);

    public bool IsAnybody => Users.Count == 0 && Groups.Count == 0;

    public People And(People others) => new([.. Users.Union(others.Users)], [.. Groups.Union(others.Groups)]);

    public Json ToJson() => Json.Object("users", JsonArray.Of(Users.Select(u => (Json)u).ToList()), "groups", JsonArray.Of(Groups.Select(g => (Json)g).ToList()));

    public static People FromJson(Json json) => new([.. Names(json["users"])], [.. Names(json["groups"])]);

    public override string ToString() => string.Join(", ", Users.Concat(Groups.Select(g => $"the group {g}")));

    private static IEnumerable<string> Names(Json list) => (list.ArrayOrNull ?? JsonArray.Empty).Select(n => n.AsString());
}

/// <summary>What people are asked, as it was evaluated once. Times are Unix microseconds, durations microseconds.</summary>
public sealed record Ask(string Title, string? Description, Json Show, People Approvers, int Quorum)
{
    public bool RejectsByQuorum { get; init; }
    public bool MayDelegate { get; init; }
    public long? RemindEvery { get; init; }
    public long? EscalateAt { get; init; }
    public People? EscalateTo { get; init; }
    public long? ExpireAt { get; init; }
    public Expiry Expiry { get; init; }

    /// <summary>The one rule, for the run and for whoever answers a person: how so many votes settle it.</summary>
    public ApprovalState Outcome(int approvals, int rejections) =>
        rejections >= (RejectsByQuorum ? Quorum : 1) ? ApprovalState.Rejected : approvals >= Quorum ? ApprovalState.Approved : ApprovalState.Open;

    public Json ToJson()
    {
        var json = new JsonObject.Builder().Set("title", Title).Set("show", Show).Set("approvers", Approvers.ToJson()).Set("quorum", Quorum)
            .Set("reject", RejectsByQuorum ? "quorum" : "any").Set("delegate", MayDelegate);
        if (Description is not null) json.Set("description", Description);
        if (RemindEvery is { } remind) json.Set("remindEvery", remind);
        if (EscalateAt is { } escalate) json.Set("escalateAt", escalate);
        if (EscalateTo is { } to) json.Set("escalateTo", to.ToJson());
        if (ExpireAt is { } expire) json.Set("expireAt", expire).Set("expiry", (int)Expiry);
        return json.Build();
    }

    public static Ask FromJson(Json json) => new(json["title"].AsString(), json["description"].StringOrNull, json["show"], People.FromJson(json["approvers"]), (int)json["quorum"].AsNumber())
    {
        RejectsByQuorum = json["reject"].StringOrNull == "quorum",
        MayDelegate = json["delegate"].IsTruthy,
        RemindEvery = Long(json["remindEvery"]),
        EscalateAt = Long(json["escalateAt"]),
        EscalateTo = json["escalateTo"].IsObject ? People.FromJson(json["escalateTo"]) : null,
        ExpireAt = Long(json["expireAt"]),
        Expiry = (Expiry)(Long(json["expiry"]) ?? 0),
    };

    private static long? Long(Json json) => json.IsNumber ? (long)json.AsNumber() : null;
}
