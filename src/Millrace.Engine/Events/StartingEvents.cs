using Millrace.Jq;

namespace Millrace.Engine.Events;

/// <summary>An event of a workspace's log as a run that it started knows it, also when the log keeps it no more.</summary>
public sealed record StartingEvent(long Position, string Id, string Type, string Source)
{
    internal static StartingEvent Of(long position, Json envelope) => new(position, envelope["id"].AsString(), envelope["type"].AsString(), envelope["source"].AsString());
}

/// <summary>The events that started a run: one, or several that were gathered.</summary>
/// <param name="Count">How many there were.</param>
/// <param name="Events">The last of them, at most <see cref="KeptMax"/>, in their order.</param>
public sealed record StartingEvents(int Count, IReadOnlyList<StartingEvent> Events)
{
    public const int KeptMax = 10;

    internal static StartingEvents Of(IReadOnlyList<StartingEvent> all) => new(all.Count, [.. all.Skip(all.Count - KeptMax)]);

    internal string ToText() => Json.Object("count", Count, "events", JsonArray.Of(Events.Select(Written).ToList())).ToString();

    internal static StartingEvents Parse(string text)
    {
        var json = JsonText.Parse(text);
        return new((int)json["count"].AsNumber(), [.. json["events"].AsArray().Select(e => StartingEvent.Of((long)e["position"].AsNumber(), e))]);
    }

    private static Json Written(StartingEvent e) => new JsonObject.Builder().Set("position", e.Position).Set("id", e.Id).Set("type", e.Type).Set("source", e.Source).Build();
}
