using System.Xml;
using Millrace.Jq;

namespace Millrace.Testing.Recording;

/// <summary>What people said in runs that were, as a scenario lets them say it again: those votes that counted, each at its very moment, which is part of the output.</summary>
internal static class RecordedVotes
{
    public static IEnumerable<(TimeSpan At, Json Item)> Of(IReadOnlyList<ToldRun> runs, DateTimeOffset began)
    {
        var questions = runs.SelectMany(Asked).ToLookup(a => a.Task, StringComparer.Ordinal);
        foreach (var run in runs)
        {
            foreach (var (_, entry) in run.Entries)
            {
                if (entry["e"].StringOrNull is not ("approval.voted" or "approval.delegated")) continue;
                var asked = Asked(run).Last(a => a.Step == entry["step"]);
                var at = DateTimeOffset.UnixEpoch.AddTicks((long)entry["at"].AsNumber() * TimeSpan.TicksPerMicrosecond) - began;
                var said = new JsonObject.Builder().Set("task", asked.Task);
                // Where a task asks several times, what is decided says which question it is.
                if (questions[asked.Task].Skip(1).Any() && !asked.Show.IsNull) said.Set("show", RunRecording.Literal(asked.Show));
                said.Set("by", entry["by"]);
                Say(said, entry);
                yield return (at, Json.Object("at", XmlConvert.ToString(at < TimeSpan.Zero ? TimeSpan.Zero : at), "decide", said.Build()));
            }
        }
    }

    private static void Say(JsonObject.Builder said, Json entry)
    {
        if (entry["e"].StringOrNull == "approval.delegated") said.Set("delegate", entry["to"]);
        else said.Set(entry["approves"].IsTruthy ? "approve" : "reject", true);
        if (entry["comment"].IsString) said.Set("comment", entry["comment"]);
        if (!entry["form"].IsNull) said.Set("form", entry["form"]);
    }

    /// <summary>The questions of a run, each with the pointer of its task.</summary>
    private static IEnumerable<(Json Step, string Task, Json Show)> Asked(ToldRun run)
    {
        foreach (var (_, entry) in run.Entries)
        {
            if (entry["e"].StringOrNull != "approval.asked") continue;
            var step = run.Steps.FirstOrDefault(s => s["id"] == entry["step"]);
            yield return (entry["step"], step["reference"].StringOrNull ?? "", entry["ask"]["show"]);
        }
    }
}
