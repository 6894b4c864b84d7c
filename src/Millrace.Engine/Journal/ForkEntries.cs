using System.Text.Json;
using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>The entry at which a fork parts from its source, as the journal holds it; its values are written as those of all entries.</summary>
internal static class ForkEntries
{
    public static void Write(Entry.RunForked e, Utf8JsonWriter to)
    {
        to.WriteString("source"u8, e.Source);
        to.WriteNumber("seq"u8, e.Seq);
        to.WriteNumber("cutAt"u8, e.CutAt);
        if (e.Step is { } step)
        {
            to.WriteNumber("step"u8, step);
            to.WriteNumber("scope"u8, e.Scope);
        }
        if (e.Again) to.WriteBoolean("again"u8, true);
        if (e.Ended.Count == 0) return;
        to.WriteStartArray("ended"u8);
        foreach (var one in e.Ended) to.WriteNumberValue(one);
        to.WriteEndArray();
    }

    public static Entry.RunForked Forked(Json e, Json? input, Json? context) =>
        new(Guid.Parse(e["source"].AsString()), (long)e["seq"].AsNumber(), (long)e["cutAt"].AsNumber())
        {
            Step = e["step"].IsNumber ? (int)e["step"].AsNumber() : null,
            Scope = e["scope"].IsNumber ? (int)e["scope"].AsNumber() : 0,
            Again = e["again"].IsTruthy,
            Input = input,
            Context = context,
            Reason = e["reason"].StringOrNull,
            Ended = [.. (e["ended"].ArrayOrNull ?? JsonArray.Empty).Select(n => (int)n.AsNumber())],
        };
}
