namespace Millrace.Tests.Chaos;

/// <summary>What a run of chaos is: which definition, which effects it has when it completes, and how it may end.</summary>
/// <param name="Effects">Suffixes of the effects' names, each recorded once when the run completes.</param>
/// <param name="Children">Child runs of one that completes.</param>
internal sealed record ChaosKind(string Name, string[] Effects, int Children, string[] MayEnd, string Tasks)
{
    public const string Completed = "completed", Cancelled = "cancelled";

    public bool IsCancelled => MayEnd.Contains(Cancelled);
    public bool IsPaused => Name == "paused";

    /// <summary>It waits for an event about it.</summary>
    public bool IsListening => Name == "listening";

    /// <summary>The type of the events that runs listen for.</summary>
    public const string EventType = "chaos.told";

    /// <summary>The name under which the world outside records an effect of run <paramref name="number"/>.</summary>
    public static string Effect(int number, string suffix) => $"r{number}.{suffix}";
}

/// <summary>Forks, child runs, waits, retries, loops, cancels and suspensions, all with keyed effects.</summary>
internal static class ChaosWork
{
    private const string Completed = ChaosKind.Completed, Cancelled = ChaosKind.Cancelled;

    /// <summary>Started by others; its effect is named by its input.</summary>
    public const string Child = "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }', body: {} } }\n  - rest: { wait: PT0.3S }\n";

    public const string SlowChild = "  - rest: { wait: PT1H }\n";

    public static IReadOnlyList<ChaosKind> Kinds { get; } =
    [
        new("line", ["a", "b", "c"], 0, [Completed], Call("a") + "  - rest: { wait: PT0.2S }\n" + Call("b") + Call("c")),
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
        new("cancelled", ["a"], 0, [Cancelled], Call("a") + "  - rest: { wait: PT1H }\n"),
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

    public static ChaosKind Of(int number) => Kinds[number % Kinds.Count];

    public static string Document(string name, string tasks, Uri outside) =>
        $"document: {{ dsl: 1.0.3, namespace: chaos, name: {name}, version: 1.0.0 }}\ndo:\n{tasks.Replace("OUTSIDE", outside.ToString().TrimEnd('/'), StringComparison.Ordinal)}";

    private static string Call(string effect) =>
        $"  - {effect}: {{ call: http, with: {{ method: post, endpoint: 'OUTSIDE/effects/${{ .n }}.{effect}', body: {{}} }}, output: {{ as: $input }} }}\n";

    private static string Branch(string effect) => Indent(Call(effect));

    private static string Spawn(string effect, string child) =>
        $"  - spawn{effect}: {{ run: {{ workflow: {{ namespace: chaos, name: {child}, version: 1.0.0, input: {{ n: '${{ .n + \".{effect}\" }}' }} }} }}, output: {{ as: $input }} }}\n";

    private static string Member(string name, string needs) =>
        $"          {name}: {{ run: {{ namespace: chaos, name: child, version: 1.0.0 }}, input: {{ n: '${{ .n + \".{name}\" }}' }}, needs: [{needs}] }}\n";

    private static string Indent(string tasks) => $"        {tasks}";
}
