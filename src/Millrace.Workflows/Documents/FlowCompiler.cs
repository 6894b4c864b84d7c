using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Limits;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>Reads <c>document.metadata.flow</c>: limits on how many runs work at once and how fast they begin.</summary>
internal static class FlowCompiler
{
    private const int LimitsMax = 8, LimitMax = 1_000_000, RateMax = 10_000, NameMax = 100;

    private static readonly TimeSpan PerMax = TimeSpan.FromDays(1), QuietMax = TimeSpan.FromDays(7);

    private static readonly Shape Key = new AnyShape("a text or a runtime expression in ${ }", JsonKind.String, JsonKind.Number, JsonKind.Object);
    private static readonly Shape LimitName = new TextShape($"a name of at most {NameMax} characters, without '/', and not 'workspace'", t => t.Length is > 0 and <= NameMax && !t.Contains('/') && t != "workspace");

    private static readonly Shape Concurrency = new ObjectShape("a limit on concurrency",
        Must("limit", new WholeShape(1, LimitMax)), May("key", Key), May("name", LimitName), May("groupRoundRobin", Enclosed),
        May("onLimit", new ChoiceShape("queue", "cancelInProgress", "cancelNewest")), May("counts", new ChoiceShape("running", "unfinished")));

    private static readonly Shape Policy = new ObjectShape("flow control",
        May("concurrency", new EitherShape("a limit on concurrency or a list of them", Concurrency, new ListShape("a list of limits on concurrency", Concurrency))),
        May("rateLimit", new ObjectShape("a rate limit", Must("limit", new WholeShape(1, RateMax)), Must("per", Dsl.Duration), May("key", Key), May("name", LimitName))),
        May("debounce", new ObjectShape("a debounce", Must("after", Dsl.Duration), May("max", Dsl.Duration), May("key", Key), May("name", LimitName))),
        May("priority", new EitherShape($"a whole number from -{FlowControl.PriorityMax} to {FlowControl.PriorityMax}, or a runtime expression in ${{ }}",
            new WholeShape(-FlowControl.PriorityMax, FlowControl.PriorityMax), Enclosed)));

    /// <param name="owner">The definition, as its limits are named: namespace/name.</param>
    /// <returns>Null when there is none, or something is wrong with it.</returns>
    public static FlowControl? Compile(Compilation of, Cursor flow, string owner)
    {
        if (flow.IsAbsent) return null;
        Policy.Check(flow.Value, flow.Pointer, of.Findings);
        foreach (var at in (Cursor[])[flow["rateLimit"]["per"], flow["debounce"]["after"], flow["debounce"]["max"]]) CheckLiteral(of, at);
        if (of.Findings.Any) return null;
        var concurrency = flow["concurrency"];
        Cursor[] limits = concurrency.Is(JsonKind.Array) ? [.. concurrency.Items] : concurrency.IsAbsent ? [] : [concurrency];
        if (limits.Length > LimitsMax) of.Findings.AtKey("workflow.too_large", concurrency.Pointer, $"There are {limits.Length} limits; at most {LimitsMax} are taken.");
        var read = new FlowControl
        {
            Concurrency = [.. limits.Select((limit, i) => Limit(of, limit, i == 0 ? owner : $"{owner}#{i + 1}"))],
            Rate = Rate(of, flow["rateLimit"], owner),
            Debounce = Quiet(of, flow["debounce"], owner),
            Priority = flow["priority"].IsAbsent ? null : of.Template(flow["priority"], [], Place.Kept),
        };
        CheckNames(of, limits, read);
        return of.Findings.Any || (read.Concurrency.Count == 0 && read.Rate is null && read.Debounce is null && read.Priority is null) ? null : read;
    }

    private static ConcurrencyLimit Limit(Compilation of, Cursor at, string name)
    {
        var onLimit = at["onLimit"].Text switch { "cancelInProgress" => OnLimit.CancelInProgress, "cancelNewest" => OnLimit.CancelNewest, _ => OnLimit.Queue };
        if (onLimit != OnLimit.Queue && at["counts"].Text == "running")
            of.Findings.AtKey("workflow.conflict", at["counts"].Pointer, "Runs that are cancelled for others, or because of others, count until they have ended.", "counts: unfinished");
        if (onLimit != OnLimit.Queue && !at["groupRoundRobin"].IsAbsent)
            of.Findings.AtKey("workflow.conflict", at["groupRoundRobin"].Pointer, "Only runs that wait in a queue take turns.", "onLimit: queue");
        return new ConcurrencyLimit(at["name"].Text ?? name, KeyOf(of, at["key"]), (int)at["limit"].Value.AsNumber(), onLimit,
            at["groupRoundRobin"].IsAbsent ? null : of.Template(at["groupRoundRobin"], [], Place.Kept), onLimit != OnLimit.Queue || at["counts"].Text == "unfinished");
    }

    private static StartRate? Rate(Compilation of, Cursor at, string owner)
    {
        if (at.IsAbsent) return null;
        var per = Time(at["per"]);
        if (per < TimeSpan.FromMilliseconds(1) || per > PerMax) of.Findings.AtValue("workflow.bad_value", at["per"].Pointer, "The time of a rate is one millisecond to one day.", "PT1S");
        return new StartRate($"{at["name"].Text ?? owner}#rate", KeyOf(of, at["key"]), (int)at["limit"].Value.AsNumber(), per);
    }

    private static Debounce? Quiet(Compilation of, Cursor at, string owner)
    {
        if (at.IsAbsent) return null;
        var after = Time(at["after"]);
        var max = at["max"].IsAbsent ? QuietMax : Time(at["max"]);
        if (after < TimeSpan.FromMilliseconds(1) || after > QuietMax) of.Findings.AtValue("workflow.bad_value", at["after"].Pointer, "The quiet time is one millisecond to seven days.", "PT10S");
        else if (max < after || max > QuietMax) of.Findings.AtValue("workflow.bad_value", at["max"].Pointer, "The longest delay is at least the quiet time and at most seven days.", "PT5M");
        return new Debounce($"{at["name"].Text ?? owner}#debounce", KeyOf(of, at["key"]), after, max);
    }

    private static Template KeyOf(Compilation of, Cursor key) => key.IsAbsent ? Template.Of("") : of.Template(key, [], Place.Kept);

    private static void CheckNames(Compilation of, Cursor[] limits, FlowControl read)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < limits.Length; i++)
            if (!seen.Add(read.Concurrency[i].Name)) of.Findings.AtValue("workflow.duplicate_name", limits[i]["name"].Pointer, $"Two limits of the definition are named '{read.Concurrency[i].Name}'.", "another name");
    }

    /// <summary>The times hold for all runs; only keys and the priority differ from run to run.</summary>
    private static void CheckLiteral(Compilation of, Cursor duration)
    {
        if (duration.Text is { } text && text.Contains("${", StringComparison.Ordinal))
            of.Findings.AtValue("workflow.bad_value", duration.Pointer, "A limit's times are written out: they are the same for all its runs.", "PT1M");
    }

    private static TimeSpan Time(Cursor at) => Graph.Duration.TryParse(at.Value, out var time, out _) ? time : TimeSpan.Zero;
}
