namespace Millrace.Tests.Chaos;

/// <summary>Maps and swarms of every kind, events that runs send and hear, and runs that somebody stands, forks or widens with others.</summary>
internal static class ChaosSpread
{
    private const string Completed = ChaosKind.Completed;

    private const string Kept = "      output: { as: '${ $workflow.input }' }\n";

    /// <summary>A step has as many children as that: each chunk's, and those of a swarm that nobody needed any more end otherwise.</summary>
    public static IReadOnlyList<ChaosKind> All { get; } =
    [
        new("cursored", ["m0", "m1", "m2", "m3", "m4", "m5", "d"], 3, [Completed],
            Spread("in: { first: 0, items: '${ .n as $n | [range($cursor; $cursor + 2)] | map({n: ($n + \".m\" + (. | tostring))}) }', next: '${ if $cursor < 4 then $cursor + 2 else null end }' }", Named("child"), "concurrency: 2") + Kept + ChaosWork.Call("d")),
        new("referred", ["m0", "m1", "m2", "m3", "m0.r", "m1.r", "m2.r", "m3.r", "d"], 4, [Completed],
            Spread(Items(4), Named("echo"), "chunk: 2, results: reference") + "  - again:\n      call: map:1.0.0@default\n      with: { in: '${ .results }', do: { namespace: chaos, name: echo, version: 1.0.0 }, input: { n: '${ $item.n + \".r\" }' } }\n" + Kept + ChaosWork.Call("d")),
        new("inplace", ["m0", "m1", "m2", "m3", "m4", "d"], 3, [Completed],
            Spread(Items(5), "[ { a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }', body: {} } } } ]", "chunk: 2, concurrency: 2") + Kept + ChaosWork.Call("d")),
        new("widened", ["m0", "m1", "m2", "m3", "m4", "m5", "d"], 6, [Completed], Spread(Items(6), Named("child"), "concurrency: 1") + Kept + ChaosWork.Call("d")) { Sequel = ChaosSequel.Widen },
        new("first", ["s0", "d"], ChaosKind.AnyNumber, [Completed], Swarm("join: any", Member("s0", "child"), Member("s1", "slow")) + ChaosWork.Call("d")),
        new("enough", ["s0", "s1", "d"], ChaosKind.AnyNumber, [Completed], Swarm("join: 2", Member("s0", "child"), Member("s1", "child", ", needs: [s0]"), Member("s2", "slow")) + ChaosWork.Call("d")),
        new("tried", ["s0", "s1", "d"], ChaosKind.AnyNumber, [Completed], Swarm("join: all", Member("s0", "shy", ", retry: { count: 3, delay: PT0.3S }"), Member("s1", "child", ", needs: [s0]")) + ChaosWork.Call("d")),
        new("skipped", ["s2", "d"], ChaosKind.AnyNumber, [Completed], Swarm("onError: collect", Member("m4", "picky"), Member("s1", "child", ", needs: [m4]"), Member("s2", "child")) + ChaosWork.Call("d")),
        new("timed-out", ["s1", "d"], ChaosKind.AnyNumber, [Completed], Swarm("onError: collect", Member("s0", "slow", ", timeout: PT0.5S"), Member("s1", "child")) + ChaosWork.Call("d")),
        new("speaking", ["a", "b"], 0, [Completed],
            ChaosWork.Call("a") + $"  - say: {{ emit: {{ event: {{ with: {{ type: {ChaosKind.SpokenType}, source: 'https://chaos.example/runs', subject: '${{ .n }}' }} }} }}, output: {{ as: $input }} }}\n" +
            $"  - hear: {{ listen: {{ to: {{ one: {{ with: {{ type: {ChaosKind.SpokenType}, subject: '${{ $input.n }}' }} }} }} }}, output: {{ as: $input }} }}\n" + ChaosWork.Call("b")),
        new("hearing", [ChaosKind.AlsoType, ChaosKind.EventType, "b"], 0, [Completed],
            $"  - hear:\n      listen: {{ to: {{ any: [ {About(ChaosKind.AlsoType)}, {About(ChaosKind.EventType)} ], until: '${{ length >= 2 }}' }}, read: envelope }}\n" +
            "      foreach: { item: event, do: [ { each: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ $event.data.n }.${ $event.type }', body: {} } } } ] }\n" + Kept + ChaosWork.Call("b"))
        {
            Told = [ChaosKind.AlsoType, ChaosKind.EventType],
        },
        new("copied", ["a", "b"], 0, [Completed], ChaosWork.Call("a") + ChaosWork.Call("b") + "  - rest: { wait: PT0.2S }\n") { Sequel = ChaosSequel.BulkFork },
        new("stood", ["a", "b"], 0, [Completed],
            ChaosWork.Call("a") + $"  - hear: {{ listen: {{ to: {{ one: {{ with: {{ type: {ChaosKind.FreeType} }} }} }} }}, output: {{ as: $input }} }}\n" + ChaosWork.Call("b")) { Sequel = ChaosSequel.BulkStand },
    ];

    private static string Items(int count) => $"in: '${{ .n as $n | [range({count})] | map({{n: ($n + \".m\" + (. | tostring))}}) }}'";

    private static string Named(string child) => $"{{ namespace: chaos, name: {child}, version: 1.0.0 }}";

    private static string Spread(string items, string work, string how) => $"  - all:\n      call: map:1.0.0@default\n      with: {{ {items}, do: {work}, {how} }}\n";

    private static string Swarm(string how, params string[] members) => $"  - all:\n      call: swarm:1.0.0@default\n      with: {{ nodes: {{ {string.Join(", ", members)} }}, {how} }}\n{Kept}";

    private static string Member(string name, string child, string how = "") => $"{name}: {{ run: {Named(child)}, input: {{ n: '${{ .n + \".{name}\" }}' }}{how} }}";

    private static string About(string type) => $"{{ with: {{ type: {type}, subject: '${{ $input.n }}' }} }}";
}
