using System.Security.Cryptography;
using System.Text;
using Millrace.Jq;

namespace Millrace.Workflows.Limits;

public enum NeedKind : byte
{
    /// <summary>One of so many slots.</summary>
    Slot,

    /// <summary>One of so many starts within a time.</summary>
    Rate,

    /// <summary>A time without another start.</summary>
    Quiet,
}

/// <summary>One thing that a run needs before it may work.</summary>
/// <param name="Key">What the limit's expression gave for the run's input, as text.</param>
public sealed record LimitNeed(NeedKind Kind, string Name, string Key, int Most)
{
    public OnLimit OnLimit { get; init; }
    public bool UntilEnd { get; init; }
    public string? Group { get; init; }

    /// <summary>The time of a rate, or the quiet time.</summary>
    public long Micros { get; init; }
    public long MicrosMax { get; init; }
}

/// <summary>What one run needs before it may work, as it was found when the run was first taken; kept in its row.</summary>
public sealed record LimitPlan(IReadOnlyList<LimitNeed> Needs, int Priority)
{
    /// <summary>Characters of a key; of a longer one the beginning and a hash of the whole are kept.</summary>
    public const int KeyMax = 200;

    /// <summary>The slots alone: for a run that has begun before, or goes on from one that has.</summary>
    public LimitPlan SlotsOnly() => this with { Needs = [.. Needs.Where(n => n.Kind == NeedKind.Slot)] };

    /// <summary>Whether whoever has this has every slot that another needs, and no other.</summary>
    public bool HasSlotsOf(LimitPlan? other) =>
        other is not null && SlotsOnly().Needs.Select(n => (n.Name, n.Key, n.Most, n.UntilEnd)).ToHashSet().SetEquals(other.SlotsOnly().Needs.Select(n => (n.Name, n.Key, n.Most, n.UntilEnd)));

    public Json ToJson() => Json.Object("priority", Priority, "needs", JsonArray.Of(Needs.Select(ToJson).ToList()));

    private static Json ToJson(LimitNeed need)
    {
        var members = new JsonObject.Builder(9);
        members.Set("kind", (int)need.Kind);
        members.Set("name", need.Name);
        members.Set("key", need.Key);
        members.Set("most", need.Most);
        members.Set("onLimit", (int)need.OnLimit);
        members.Set("untilEnd", need.UntilEnd);
        if (need.Group is { } group) members.Set("group", group);
        members.Set("micros", need.Micros);
        members.Set("microsMax", need.MicrosMax);
        return (Json)members.Build();
    }

    /// <returns>Null when there is none.</returns>
    public static LimitPlan? Parse(string? text) => text is null ? null : FromJson(JsonText.Parse(Encoding.UTF8.GetBytes(text)));

    private static LimitPlan FromJson(Json json) => new(
        [.. (json["needs"].ArrayOrNull ?? JsonArray.Empty).Select(n => new LimitNeed((NeedKind)(int)n["kind"].AsNumber(), n["name"].AsString(), n["key"].AsString(), (int)n["most"].AsNumber())
        {
            OnLimit = (OnLimit)(int)n["onLimit"].AsNumber(),
            UntilEnd = n["untilEnd"].IsTruthy,
            Group = n["group"].StringOrNull,
            Micros = (long)n["micros"].AsNumber(),
            MicrosMax = (long)n["microsMax"].AsNumber(),
        })],
        (int)json["priority"].AsNumber());

    /// <summary>A value as a key: text as it is, anything else as JSON.</summary>
    public static string Text(Json value)
    {
        // PostgreSQL has no text with this character.
        var text = (value.StringOrNull ?? value.ToString()).Replace('\0', '\ufffd');
        if (text.Length <= KeyMax) return text;
        // Half of a pair is no text, and PostgreSQL refuses it.
        var kept = char.IsHighSurrogate(text[KeyMax - 66]) ? KeyMax - 66 : KeyMax - 65;
        return $"{text[..kept]}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
    }
}
