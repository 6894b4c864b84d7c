using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles what waits for events: modelled and checked, not executable yet.</summary>
internal static class Listening
{
    public static ListenBody Task(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        of.Unsupported(task["listen"], "Listening for events");
        Strategy(of, task["listen"]["to"], names);
        return new(task["listen"]["to"].Value, Iterator(of, task["foreach"], names)) { Keyword = "listen" };
    }

    /// <summary>Compiles the expressions of a choice of events, for their errors.</summary>
    public static void Strategy(Compilation of, Cursor strategy, IReadOnlyList<string> names)
    {
        foreach (var filter in strategy["all"].Items.Concat(strategy["any"].Items).Append(strategy["one"]))
        {
            of.Template(filter["with"], names, Place.Definition);
            foreach (var (_, correlation) in filter["correlate"].Members)
            {
                of.Filter(correlation["from"], names, Place.Definition);
                of.Template(correlation["expect"], names, Place.Definition);
            }
        }
        if (strategy["until"].Is(JsonKind.String)) of.Filter(strategy["until"], names, Place.Definition);
        else if (strategy["until"].Is(JsonKind.Object)) Strategy(of, strategy["until"], names);
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

    private static Scope? Iterator(Compilation of, Cursor iterator, IReadOnlyList<string> names)
    {
        if (!iterator.Is(JsonKind.Object)) return null;
        var inside = Variables.With(names, iterator["item"].Text ?? "item", iterator["at"].Text ?? "index");
        of.Schema(iterator["output"]);
        of.FilterOrObject(iterator["output"]["as"], inside, Place.TaskOutput);
        of.Schema(iterator["export"]);
        of.FilterOrObject(iterator["export"]["as"], inside, Place.Export);
        return iterator["do"].Is(JsonKind.Array) ? TaskCompiler.Scope(of, iterator["do"], inside) : null;
    }
}
