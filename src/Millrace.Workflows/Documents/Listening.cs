using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles what waits for events.</summary>
internal static class Listening
{
    public static ListenBody Task(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var listen = task["listen"];
        var read = listen["read"].Text switch { "envelope" => EventRead.Envelope, "raw" => EventRead.Raw, _ => EventRead.Data };
        return new(Strategy(of, listen["to"], names), read, Iterator(of, task["foreach"], names)) { Keyword = "listen" };
    }

    /// <summary>Compiles a choice of events.</summary>
    public static EventStrategy Strategy(Compilation of, Cursor strategy, IReadOnlyList<string> names)
    {
        var (kind, filters) = strategy["all"].Is(JsonKind.Array) ? (StrategyKind.All, strategy["all"].Items)
            : strategy["any"].Is(JsonKind.Array) ? (StrategyKind.Any, strategy["any"].Items)
            : (StrategyKind.One, [strategy["one"]]);
        if (kind == StrategyKind.All && strategy["all"].Value.AsArray().Count == 0)
            of.Findings.Warn("workflow.nothing_awaited", strategy["all"].Pointer, "No event is named here, so nothing is waited for.", expected: "at least one filter; any: [] takes every event");
        var until = kind == StrategyKind.Any ? strategy["until"] : default;
        return new(kind, [.. filters.Select(f => Filter(of, f, names))])
        {
            // It sees what was read of events that came in meanwhile, and decides alone; nothing of it is kept.
            UntilCondition = until.Is(JsonKind.String) ? of.Filter(until, names, Place.Definition) : null,
            UntilEvents = until.Is(JsonKind.Object) ? Strategy(of, until, names) : null,
        };
    }

    /// <summary>Compiles <c>schedule.on</c>; null when there is none.</summary>
    public static EventTrigger? Trigger(Compilation of, Cursor schedule)
    {
        var on = schedule["on"];
        if (!on.Is(JsonKind.Object)) return null;
        // No run is there yet, so there is nothing of one to read.
        var strategy = Strategy(of, on, []);
        return new(strategy, schedule["read"].Text switch { "data" => EventRead.Data, "raw" => EventRead.Raw, _ => EventRead.Envelope });
    }

    private static EventFilter Filter(Compilation of, Cursor filter, IReadOnlyList<string> names)
    {
        var with = new List<KeyValuePair<string, ValueFilter>>();
        foreach (var (name, wanted) in filter["with"].Members)
        {
            var template = of.Template(wanted, names, Place.Definition);
            with.Add(KeyValuePair.Create(name, ValueFilter.Of(template, (text, message) => of.Findings.Warn(
                "workflow.not_a_pattern", wanted.Pointer, $"'{TextShape.Shorten(text)}' is no regular expression ({message}), so it is compared as it stands.", of.Findings.Map.Key(wanted.Pointer)))));
        }
        var correlate = new List<Correlation>();
        foreach (var (name, correlation) in filter["correlate"].Members)
        {
            // What is found is kept, so that the events to come are compared with it after a restart as before.
            if (of.Filter(correlation["from"], names, Place.Kept) is not { } from) continue;
            correlate.Add(new(name, from, correlation["expect"].IsAbsent ? null : of.Template(correlation["expect"], names, Place.Definition)));
        }
        return new(with, correlate);
    }

    /// <summary>Compiles the expressions and tasks of an asyncapi subscription, for their errors.</summary>
    public static void Subscription(Compilation of, Cursor subscription, IReadOnlyList<string> names)
    {
        of.Filter(subscription["filter"], names, Place.Definition);
        of.Filter(subscription["consume"]["while"], names, Place.Definition);
        of.Filter(subscription["consume"]["until"], names, Place.Definition);
        of.Duration(subscription["consume"]["for"], names);
        of.Aside(() => Iterator(of, subscription["foreach"], names));
    }

    private static EventIterator? Iterator(Compilation of, Cursor iterator, IReadOnlyList<string> names)
    {
        if (!iterator.Is(JsonKind.Object)) return null;
        var (item, at) = (iterator["item"].Text ?? "item", iterator["at"].Text ?? "index");
        if (item == at) of.Findings.AtValue("workflow.duplicate_name", iterator[iterator["at"].IsAbsent ? "item" : "at"].Pointer, $"The item and its index are both named '{item}'.", "two names");
        var inside = Variables.With(names, item, at);
        return new(item, at, iterator["do"].Is(JsonKind.Array) ? TaskCompiler.Scope(of, iterator["do"], inside) : null)
        {
            OutputSchema = of.Schema(iterator["output"]),
            OutputAs = of.FilterOrObject(iterator["output"]["as"], inside, Place.TaskOutput),
            ExportSchema = of.Schema(iterator["export"]),
            ExportAs = of.FilterOrObject(iterator["export"]["as"], inside, Place.Export),
        };
    }
}
