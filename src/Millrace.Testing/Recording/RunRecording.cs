using System.Globalization;
using System.Text;
using System.Xml;
using Millrace.Jq;
using Millrace.Testing.Scenarios;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Testing.Recording;

/// <summary>One run as the HTTP API tells of it.</summary>
/// <param name="Run"><c>Run</c>.</param>
/// <param name="Steps"><c>Step</c>, each with its output, in order.</param>
/// <param name="Journal"><c>JournalRecord</c>.</param>
/// <param name="Source">The text of its definition.</param>
/// <param name="Input">The bare value.</param>
public sealed record ToldRun(Json Run, IReadOnlyList<Json> Steps, IReadOnlyList<Json> Journal, string Source, Json Input)
{
    internal IEnumerable<(Json Record, Json Entry)> Entries => Journal.SelectMany(r => (r["entries"].ArrayOrNull ?? JsonArray.Empty).Select(e => (r, e)));
}

/// <summary>Makes a scenario of a run that was: its input, what each call gave, the events it consumed, what people wished and decided, its end.</summary>
public static class RunRecording
{
    /// <param name="root">The run, and its children and theirs after it, in the order in which they began.</param>
    /// <param name="events">CloudEvents by their position.</param>
    /// <param name="output">Null where the run did not complete.</param>
    /// <exception cref="FormatException">A definition cannot be read.</exception>
    public static string Write(ToldRun root, IReadOnlyList<ToldRun> children, Json? output, IReadOnlyDictionary<long, Json> events)
    {
        var began = Time(root.Run["createdAt"]);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# Recorded from run {root.Run["id"].StringOrNull}. Play it with: ./millrace test FILE\n");
        Document(page, "workflow: ", "  ", root.Source);
        var others = children.Select(c => c.Source).Distinct(StringComparer.Ordinal).Where(s => s != root.Source).ToList();
        if (others.Count > 0) page.Append("workflows:\n");
        foreach (var other in others) Document(page, "  - ", "    ", other);
        page.Append("scenarios:\n");
        var state = root.Run["state"].StringOrNull ?? "";
        page.Append(CultureInfo.InvariantCulture, $"  - name: {Json.Of($"It {state} as run {root.Run["id"].StringOrNull} did")}\n");
        page.Append(CultureInfo.InvariantCulture, $"    now: {Json.Of(root.Run["createdAt"].StringOrNull)}\n    input: {root.Input}\n");
        Items(page, "mocks", children.Prepend(root).SelectMany(r => Mocks(r, isOne: children.Count == 0)).OrderBy(m => m.At).Select(m => m.Mock));
        Items(page, "events", Consumed(root, children, began, events));
        Items(page, "signals", Wishes(root, began).Concat(RecordedVotes.Of([root, .. children], began)).OrderBy(w => w.At).Select(w => w.Item));
        var expect = new JsonObject.Builder().Set("state", state);
        var ids = Ids([root, .. children]);
        if (output is { } given) expect.Set("output", Literal(given, ids));
        if (root.Run["error"].IsObject) expect.Set("error", Literal(root.Run["error"], ids));
        page.Append(CultureInfo.InvariantCulture, $"    expect: {(Json)expect.Build()}\n");
        return page.ToString();
    }

    /// <param name="isOne">It is the only run; else the mocks of each say whose they are, whichever calls first when it is played.</param>
    private static IEnumerable<(DateTimeOffset At, Json Mock)> Mocks(ToldRun run, bool isOne)
    {
        var workflow = WorkflowLoader.Load(run.Source).Workflow ?? throw new FormatException("The run's definition cannot be read by this build.");
        foreach (var step in run.Steps)
        {
            var node = step["node"] is { IsNumber: true } number && (int)number.AsNumber() < workflow.Nodes.Count ? workflow.Nodes[(int)number.AsNumber()] : null;
            // Events are emitted anew; a step that was skipped called nobody.
            if (node?.Body is not CallBody { Function: not "emit" } call || step["state"].StringOrNull == "skipped") continue;
            var mock = new JsonObject.Builder().Set("call", Name(call.Function)).Set("task", node.Reference).Set("times", 1);
            if (!isOne) mock.Set("workflow", run.Run["definition"]["name"]).Set("input", Literal(run.Input));
            if (step["endedAt"].StringOrNull is { } ended && Time(ended) - Time(step["startedAt"]) is { Ticks: > 0 } took) mock.Set("after", Span(took));
            if (call.Each is not null) mock.Set("returns", Literal(JsonArray.Of(Given(run, step["id"]))));
            else if (step["state"].StringOrNull == "completed") mock.Set("outputs", step["output"]);
            else if (step["state"].StringOrNull == "faulted" && step["error"]["status"].AsNumber() != 408) mock.Set("faults", step["error"].AsObject().Without("instance"));
            else mock.Set("hangs", true);
            yield return (Time(step["startedAt"]), mock.Build());
        }
    }

    /// <summary>The items that an effect gave.</summary>
    private static Json[] Given(ToldRun run, Json step) =>
        [.. run.Entries.Select(e => e.Entry).Where(e => e["e"].StringOrNull == "substep.completed" && e["step"] == step && e["name"].StringOrNull?.StartsWith(Intake.Prefix, StringComparison.Ordinal) == true).Select(e => e["output"])];

    /// <summary>Each event once, when the first of the runs consumed it; those that they emit themselves come again by themselves.</summary>
    private static IEnumerable<Json> Consumed(ToldRun root, IReadOnlyList<ToldRun> children, DateTimeOffset began, IReadOnlyDictionary<long, Json> events)
    {
        var seen = new HashSet<long>();
        var own = children.Prepend(root).SelectMany(r => r.Steps).Where(s => s["kind"].StringOrNull == "emit").Select(s => (s["output"]["source"].StringOrNull, s["output"]["id"].StringOrNull)).ToHashSet();
        foreach (var record in children.Prepend(root).SelectMany(r => r.Journal).OrderBy(r => Time(r["at"])))
        {
            foreach (var position in Positions(record))
                if (seen.Add(position) && events.TryGetValue(position, out var one) && !own.Contains((one["source"].StringOrNull, one["id"].StringOrNull))) yield return Json.Object("at", Span(Time(record["at"]) - began), "event", one);
        }
    }

    /// <summary>Positions of the events that a record consumed.</summary>
    public static IEnumerable<long> Positions(Json record) =>
        (record["entries"].ArrayOrNull ?? JsonArray.Empty).Where(e => e["e"].StringOrNull == "event.consumed" && e["event"].IsNumber).Select(e => (long)e["event"].AsNumber());

    private static IEnumerable<(TimeSpan At, Json Item)> Wishes(ToldRun root, DateTimeOffset began)
    {
        foreach (var (record, entry) in root.Entries)
        {
            var wish = entry["e"].StringOrNull switch { "run.suspended" => "suspend", "run.resumed" => "resume", "run.cancelled" => "cancel", _ => null };
            var at = Time(record["at"]) - began;
            if (wish is not null) yield return (at, Json.Object("at", Span(at), wish, entry["reason"].StringOrNull ?? ""));
        }
    }

    /// <summary>What is called otherwise each time: the runs, and the questions that they ask.</summary>
    private static HashSet<string> Ids(IReadOnlyList<ToldRun> runs) =>
    [
        .. runs.Select(r => r.Run["id"].StringOrNull).OfType<string>(),
        // Of children that could not be started as well.
        .. runs.SelectMany(r => r.Entries).Select(e => e.Entry["child"].StringOrNull).OfType<string>(),
        .. runs.SelectMany(r => r.Entries).Where(e => e.Entry["e"].StringOrNull == "approval.asked").Select(e => e.Entry["approval"].StringOrNull).OfType<string>(),
    ];

    /// <summary>As mocks name it: without version and catalog.</summary>
    private static string Name(string function) => function.Split(':')[0];

    private static void Document(StringBuilder page, string key, string indent, string source)
    {
        page.Append(key).Append("|\n");
        foreach (var line in source.TrimEnd().Split('\n')) page.Append(line.TrimEnd('\r').Length == 0 ? "" : indent + line.TrimEnd('\r')).Append('\n');
    }

    private static void Items(StringBuilder page, string key, IEnumerable<Json> items)
    {
        var all = items.ToList();
        if (all.Count == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"    {key}:\n");
        foreach (var item in all) page.Append(CultureInfo.InvariantCulture, $"      - {item}\n");
    }

    /// <summary>A text that looks like a condition is compared as the text that it is, and an id that is another one each time as a text.</summary>
    internal static Json Literal(Json value, HashSet<string>? ids = null) => value.Kind switch
    {
        JsonKind.String when ids?.Contains(value.AsString()) == true => "${ type == \"string\" }",
        JsonKind.String when Conditions.IsCondition(value) => $"${{ . == {value} }}",
        JsonKind.Array => JsonArray.Of(value.AsArray().Select(v => Literal(v, ids)).ToArray()),
        JsonKind.Object => JsonObject.Of(value.AsObject().Select(m => new KeyValuePair<string, Json>(m.Key, Literal(m.Value, ids))).ToArray()),
        _ => value,
    };

    private static DateTimeOffset Time(Json text) => DateTimeOffset.Parse(text.AsString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>Rounded down, so that nothing that a person or an event waited for comes later than it did.</summary>
    private static string Span(TimeSpan span) => XmlConvert.ToString(span < TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Floor(span.TotalMilliseconds)));
}
