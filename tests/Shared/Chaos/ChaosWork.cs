namespace Millrace.Tests.Chaos;

/// <summary>What a run of chaos is: which definition, which effects it has when it completes, and how it may end.</summary>
/// <param name="Effects">Suffixes of the effects' names, each recorded once when the run completes.</param>
/// <param name="Children">Child runs of one that completes.</param>
internal sealed record ChaosKind(string Name, string[] Effects, int Children, string[] MayEnd, string Tasks)
{
    public const string Completed = "completed", Cancelled = "cancelled", Faulted = "faulted";

    /// <summary>The definition that is made to stand and go on again.</summary>
    public const string Held = "held";

    /// <summary>The type of the events that runs listen for.</summary>
    public const string EventType = "chaos.told";

    /// <summary>What limits it, as its document says it.</summary>
    public string? Flow { get; init; }

    /// <summary>What its runs ask people.</summary>
    public ChaosAsk? Ask { get; init; }

    /// <summary>Of three runs that share a key the last one takes the place of the others.</summary>
    public bool IsLastOfTrio { get; init; }

    /// <summary>Somebody cancels it.</summary>
    public bool IsWithdrawn => MayEnd.Contains(Cancelled) && !IsLastOfTrio;

    public bool IsPaused => Name == "paused";
    public bool IsHeld => Name == Held;

    /// <summary>It waits for an event about it.</summary>
    public bool IsListening => Name == "listening";

    /// <summary>The name under which the world outside records an effect of run <paramref name="number"/>.</summary>
    public static string Effect(int number, string suffix) => $"r{number}.{suffix}";

    public string Document(Uri outside)
    {
        var metadata = Flow is null ? "" : $", metadata: {{ flow: {{ {Flow} }} }}";
        return $"document: {{ dsl: 1.0.3, namespace: chaos, name: {Name}, version: 1.0.0{metadata} }}\ndo:\n{Tasks.Replace("OUTSIDE", outside.ToString().TrimEnd('/'), StringComparison.Ordinal)}";
    }
}

/// <summary>Forks, child runs, waits, retries, loops, cancels, suspensions, questions and limits, all with keyed effects.</summary>
internal static class ChaosWork
{
    private const string Completed = ChaosKind.Completed, Cancelled = ChaosKind.Cancelled, Faulted = ChaosKind.Faulted;

    private const string Rest = "  - rest: { wait: PT0.2S }\n", LongRest = "  - rest: { wait: PT1H }\n";

    /// <summary>How many work at once at a line of <see cref="Limited"/>.</summary>
    private const int LimitedMost = 2;

    /// <summary>Started by others; its effect is named by its input.</summary>
    public static ChaosKind Child { get; } = new(
        "child", [], 0, [Completed], "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }', body: {} } }\n  - rest: { wait: PT0.3S }\n");

    public static ChaosKind SlowChild { get; } = new("slow", [], 0, [Cancelled], LongRest);

    /// <summary>What every build since the first can do.</summary>
    public static IReadOnlyList<ChaosKind> Plain { get; } =
    [
        new("line", ["a", "b", "c"], 0, [Completed], Call("a") + Rest + Call("b") + Call("c")),
        new("forked", ["a", "b", "c", "d"], 0, [Completed],
            "  - split:\n      fork:\n        branches:\n" + Branch("a") + Branch("b") + Branch("c") + "      output: { as: $input }\n" + Call("d")),
        new("parent", ["x", "y", "d"], 2, [Completed], Spawn("x", "child") + Spawn("y", "child") + Call("d")),
        new("shaky", ["a", "b"], 0, [Completed],
            "  - again:\n      try:\n        - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/shaky/${ .n }.a', body: {} } }\n" +
            "      catch: { errors: { with: { status: 503 } }, retry: { delay: PT0.5S, limit: { attempt: { count: 5 } } } }\n      output: { as: $input }\n" + Call("b")),
        new("looped", ["l1", "l2", "l3", "l4"], 0, [Completed],
            "  - each:\n      for: { each: item, in: '${ [1, 2, 3, 4] }' }\n      do:\n" +
            "        - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }.l${ $item }', body: {} }, output: { as: $input } }\n"),
        new("paused", ["a", "b"], 0, [Completed], Call("a") + "  - rest: { wait: PT0.5S }\n" + Call("b")),
        new("cancelled", ["a"], 0, [Cancelled], Call("a") + LongRest),
        new("raced", ["a", "b"], 0, [Completed, Cancelled], Call("a") + "  - rest: { wait: PT0.3S }\n" + Call("b")),
        new("orphaned", ["a"], 1, [Cancelled], Call("a") + Spawn("x", "slow")),
        new("joined", ["x", "y", "d"], 2, [Completed],
            "  - split:\n      fork:\n        branches:\n" + Indent(Spawn("x", "child")) + Indent(Spawn("y", "child")) + "      output: { as: $input }\n" + Call("d")),
        new("mapped", ["m0", "m1", "m2", "m3", "m4", "d"], 3, [Completed],
            "  - all:\n      call: map:1.0.0@default\n      with:\n        in: '${ .n as $n | [range(5)] | map({n: ($n + \".m\" + (. | tostring))}) }'\n" +
            "        do: { namespace: chaos, name: child, version: 1.0.0 }\n        chunk: 2\n        concurrency: 2\n      output: { as: $input }\n" + Call("d")),
        new("swarmed", ["s0", "s1", "s2", "d"], 3, [Completed],
            "  - all:\n      call: swarm:1.0.0@default\n      with:\n        nodes:\n" + Member("s0", "") + Member("s1", "s0") + Member("s2", "s0, s1") + "      output: { as: $input }\n" + Call("d")),
        new("listening", ["a", "b"], 0, [Completed],
            Call("a") + $"  - hear:\n      listen: {{ to: {{ one: {{ with: {{ type: {ChaosKind.EventType}, subject: '${{ $input.n }}' }} }} }} }}\n      output: {{ as: $input }}\n" + Call("b")),
    ];

    /// <summary>Decisions that people take.</summary>
    private static readonly IReadOnlyList<ChaosKind> Asking =
    [
        new("asked", ["a"], 0, [Completed, Faulted], Call("a") + Ask("approvers: [anna, bert]")) { Ask = new(["anna", "bert"], 1, false, 1.5) },
        new("quorum", ["a"], 0, [Completed], Call("a") + Ask("approvers: [anna, bert, cleo], quorum: 2, reject: quorum, onReject: continue")) { Ask = new(["anna", "bert", "cleo"], 2, true, 1) },
        new("handed", ["a"], 0, [Completed], Call("a") + Ask("approvers: [anna, bert], quorum: 2, onReject: continue"))
        {
            Ask = new(["dora", "bert"], 2, false, 1) { ByLink = true, HandedOnBy = "anna" },
        },
        new("expiring", ["a"], 0, [Completed], Call("a") + Ask("approvers: [anna], remind: PT1S, expire: { after: PT3S, outcome: reject }, onReject: continue"))
        {
            Ask = new(["anna"], 1, false, 6) { Expires = true },
        },
        new("withdrawn", ["a"], 0, [Cancelled], Call("a") + Ask("approvers: [anna], onReject: continue") + LongRest) { Ask = new(["anna"], 1, false, 1) { IsWithdrawn = true } },
    ];

    /// <summary>Runs that stand with their definition, wait for one another, or take each other's place.</summary>
    private static readonly IReadOnlyList<ChaosKind> Limited =
    [
        new(ChaosKind.Held, ["a", "b", "c"], 0, [Completed], Call("a") + Rest + Call("b") + "  - sleep: { wait: PT0.3S }\n" + Call("c")),
        new("limited", ["a", "b"], 0, [Completed], Busy("a") + Rest + Busy("b")) { Flow = $"concurrency: {{ key: '${{ .line }}', limit: {LimitedMost} }}" },
        new("locked", ["a", "b"], 0, [Completed], Lock("enter", "a") + Rest + Lock("leave", "b")) { Flow = "concurrency: { key: '${ .line }', limit: 1, counts: unfinished }" },
        new("newest", ["a", "b"], 0, [Completed, Cancelled], Call("a") + "  - rest: { wait: PT2S }\n" + Call("b"))
        {
            Flow = "concurrency: { key: '${ .trio }', limit: 1, onLimit: cancelInProgress }", IsLastOfTrio = true,
        },
        new("debounced", ["a"], 0, [Completed, Cancelled], Call("a")) { Flow = "debounce: { key: '${ .trio }', after: PT2S, max: PT10S }", IsLastOfTrio = true },
    ];

    /// <summary>What builds before approvals and limits cannot do, without holds, which such a build does not keep.</summary>
    public static IReadOnlyList<ChaosKind> Newer { get; } = [.. Asking, .. Limited.Where(k => !k.IsHeld)];

    public static IReadOnlyList<ChaosKind> All { get; } = [.. Plain, .. Asking, .. Limited];

    private static string Call(string effect) => Post(effect, $"effects/${{ .n }}.{effect}");

    /// <summary>Outside sees how many are at it at once.</summary>
    private static string Busy(string effect) => Post(effect, $"busy/limited-${{ .line }}/{LimitedMost}/${{ .n }}.{effect}");

    /// <summary>Outside sees who came and has not left.</summary>
    private static string Lock(string turn, string effect) => Post(effect, $"{turn}/locked-${{ .line }}/1/${{ .n }}/${{ .n }}.{effect}");

    private static string Post(string name, string path) => $"  - {name}: {{ call: http, with: {{ method: post, endpoint: 'OUTSIDE/{path}', body: {{}} }}, output: {{ as: $input }} }}\n";

    private static string Ask(string how) => $"  - ask: {{ call: approve:1.0.0@default, with: {{ title: 'Go on with ${{ .n }}?', show: '${{ {{n}} }}', {how} }} }}\n";

    private static string Branch(string effect) => Indent(Call(effect));

    private static string Spawn(string effect, string child) =>
        $"  - spawn{effect}: {{ run: {{ workflow: {{ namespace: chaos, name: {child}, version: 1.0.0, input: {{ n: '${{ .n + \".{effect}\" }}' }} }} }}, output: {{ as: $input }} }}\n";

    private static string Member(string name, string needs) =>
        $"          {name}: {{ run: {{ namespace: chaos, name: child, version: 1.0.0 }}, input: {{ n: '${{ .n + \".{name}\" }}' }}, needs: [{needs}] }}\n";

    private static string Indent(string tasks) => $"        {tasks}";
}
