namespace Millrace.Tests.Chaos;

/// <summary>Forks, child runs, waits, retries, loops, cancels, suspensions, questions and limits, all with keyed effects.</summary>
internal static class ChaosWork
{
    private const string Completed = ChaosKind.Completed, Cancelled = ChaosKind.Cancelled, Faulted = ChaosKind.Faulted;

    internal const string Rest = "  - rest: { wait: PT0.2S }\n";

    private const string LongRest = "  - rest: { wait: PT1H }\n";

    /// <summary>How many work at once at a line of <see cref="Limited"/>.</summary>
    private const int LimitedMost = 2;

    /// <summary>Started by others; its effect is named by its input.</summary>
    public static ChaosKind Child { get; } = new(
        "child", [], 0, [Completed], "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }', body: {} } }\n  - rest: { wait: PT0.3S }\n");

    public static ChaosKind SlowChild { get; } = new("slow", [], 0, [Cancelled], LongRest);

    /// <summary>Started by a map; one of its items is never taken outside.</summary>
    public static ChaosKind PickyChild { get; } = new(
        "picky", [], 0, [Completed, Faulted], "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/${ if .n | endswith(\"m4\") then \"refused\" else \"effects\" end }/${ .n }', body: {} } }\n");

    /// <summary>Started by a map; the first request for each of its items is refused, and its run faults.</summary>
    public static ChaosKind ShakyChild { get; } = new(
        "shy", [], 0, [Completed, Faulted, Cancelled], "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/shaky/${ .n }', body: {} } }\n");

    /// <summary>Started by a map; it gives what it was given.</summary>
    public static ChaosKind EchoChild { get; } = new("echo", [], 0, [Completed], Post("a", "effects/${ .n }"));

    /// <summary>Definitions that others start.</summary>
    public static IReadOnlyList<ChaosKind> Children { get; } = [Child, SlowChild, PickyChild, ShakyChild, EchoChild];

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
            Call("a") + $"  - hear:\n      listen: {{ to: {{ one: {{ with: {{ type: {ChaosKind.EventType}, subject: '${{ $input.n }}' }} }} }} }}\n      output: {{ as: $input }}\n" + Call("b")) { Told = [ChaosKind.EventType] },
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
        new("expiring", ["a"], 0, [Completed], Call("a") + Ask("approvers: [anna], remind: PT1S, escalate: { after: PT2S, to: { groups: [heads] } }, expire: { after: PT3S, outcome: reject }, onReject: continue"))
        {
            Ask = new(["anna"], 1, false, 6) { Expires = true },
        },
        new("withdrawn", ["a"], 0, [Cancelled], Call("a") + Ask("approvers: [anna], onReject: continue") + LongRest) { Ask = new(["anna"], 1, false, 1) { IsWithdrawn = true } },
    ];

    /// <summary>Runs that stand with their definition, wait for one another, or take each other's place.</summary>
    private static readonly IReadOnlyList<ChaosKind> Limited =
    [
        new(ChaosKind.Held, ["a", "b", "c"], 0, [Completed], Call("a") + Rest + Call("b") + "  - sleep: { wait: PT0.3S }\n" + Call("c")),
        new("limited", ["a", "b"], 0, [Completed], Busy("limited-${ .line }", "a") + Rest + Busy("limited-${ .line }", "b")) { Metadata = $"flow: {{ concurrency: {{ key: '${{ .line }}', limit: {LimitedMost} }} }}" },
        new("turned", ["a", "b"], 0, [Completed], Busy("turned", "a") + Busy("turned", "b")) { Metadata = $"flow: {{ concurrency: {{ limit: {LimitedMost}, groupRoundRobin: '${{ .line }}' }} }}" },
        new("sharing", ["a"], 0, [Completed], Busy("desk", "a")) { Metadata = $"flow: {{ concurrency: {{ name: desk, limit: {LimitedMost} }} }}" },
        new("sharer", ["a", "b"], 0, [Completed], Busy("desk", "a") + Busy("desk", "b")) { Metadata = $"flow: {{ concurrency: [ {{ name: desk, limit: {LimitedMost} }} ] }}" },
        new("refused", ["a", "b"], 0, [Completed, Cancelled], Call("a") + "  - rest: { wait: PT1S }\n" + Call("b"))
        {
            Metadata = "flow: { concurrency: { key: '${ .trio }', limit: 1, onLimit: cancelNewest } }", IsFirstOfTrio = true,
        },
        new("locked", ["a", "b"], 0, [Completed], Lock("enter", "a") + Rest + Lock("leave", "b")) { Metadata = "flow: { concurrency: { key: '${ .line }', limit: 1, counts: unfinished } }" },
        new("newest", ["a", "b"], 0, [Completed, Cancelled], Call("a") + "  - rest: { wait: PT2S }\n" + Call("b"))
        {
            Metadata = "flow: { concurrency: { key: '${ .trio }', limit: 1, onLimit: cancelInProgress } }", IsLastOfTrio = true,
        },
        new("paced", ["a", "b"], 0, [Completed], Call("a") + Rest + Call("b"))
        {
            Metadata = "flow: { rateLimit: { key: '${ .line }', limit: 2, per: PT1S }, priority: '${ if .line == \"k1\" then 5 else 0 end }' }",
        },
        new("debounced", ["a"], 0, [Completed, Cancelled], Call("a")) { Metadata = "flow: { debounce: { key: '${ .trio }', after: PT2S, max: PT10S } }", IsLastOfTrio = true },
    ];

    /// <summary>Runs that are undone, that go on as others, that somebody does something about later, and that events begin.</summary>
    private static readonly IReadOnlyList<ChaosKind> Followed =
    [
        new("undone", ["a", "b", "c", "ub", "ua"], 0, [Faulted], Undoable("a") + Rest + Undoable("b") + Call("c") + Fail) { Undone = ["a", "b"], Whole = Faulted },
        new("recalled", [], 0, [Cancelled], Undoable("a") + Undoable("b") + Call("c") + LongRest) { Undone = ["a", "b"] },
        new("endless", ["e0", "e1", "e2", "e3"], 0, [Completed],
            Post("e", "effects/${ .n }.e${ .i // 0 }") + "  - more: { if: '${ (.i // 0) < 3 }', call: 'continue:1.0.0@default', with: { input: '${ {n, i: ((.i // 0) + 1)} }' } }\n") { Links = 4 },
        new("branched", ["a", "b", "c", "f.b", "f.c"], 0, [Completed], Call("a") + Rest + Call("b") + Call("c")) { Sequel = ChaosSequel.Fork },
        new("retried", ["a", "b", "c"], 0, [Faulted], Breaking) { Sequel = ChaosSequel.Retry, Whole = Faulted },
        new("deadly", ["a", "b", "c"], 0, [Faulted], Breaking) { Sequel = ChaosSequel.Requeue, Whole = Faulted, Metadata = "deadLetter: true" },
        new("bulked", ["a", "b", "c"], 0, [Faulted], Breaking) { Sequel = ChaosSequel.BulkRetry, Whole = Faulted },
        new("swept", ["a"], 0, [Cancelled], Call("a") + LongRest) { Sequel = ChaosSequel.BulkCancel },
        new("redriven", ["m0", "m1", "m2", "d"], ChaosKind.AnyNumber, [Completed], Map(3, "shy", "key: '${ $item.n }', concurrency: 2") + Call("d")) { Sequel = ChaosSequel.Redrive },
        new("tolerant", ["m0", "m1", "m2", "m3", "d"], 5, [Completed], Map(5, "picky", "key: '${ $item.n }', concurrency: 2, onError: { tolerate: 1 }") + Call("d")) { Tolerated = 1 },
        new("signalled", ["a", "b"], 0, [Completed], Call("a") + $"  - hear: {{ listen: {{ to: {{ one: {{ with: {{ type: {ChaosKind.SignalType} }} }} }} }}, output: {{ as: $input }} }}\n" + Call("b")) { Sequel = ChaosSequel.Signal },
        new("brief", ["a", "b"], 0, [Completed], Call("a") + Rest + Call("b")) { IsBrief = true, Metadata = $"retention: {{ completed: PT{ChaosKind.BriefSeconds}S }}" },
        new("ordered", ["a", "b"], 0, [Completed], "  - take: { set: { n: '${ .[0].n }' } }\n" + Call("a") + Rest + Call("b"))
        {
            IsBegunByEvent = true, Schedule = $"on: {{ one: {{ with: {{ type: {ChaosKind.OrderType} }} }} }}, read: data",
        },
    ];

    /// <summary>Tasks that are extended, that run out of time, that lose a race, and events that belong together.</summary>
    private static readonly IReadOnlyList<ChaosKind> Spoken =
    [
        new("extended", ["a", "w", "b"], 0, [Completed], Call("a") + Rest + Call("b"))
        {
            Use = "extensions: [ { watch: { extend: call, when: '${ $task.name == \"b\" }', before: [ { w: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/${ .n }.w', body: {} } } } ] } } ]",
        },
        new("hurried", ["a", "b"], 0, [Completed],
            Call("a") + "  - late: { try: [ { rest: { wait: PT1H, timeout: { after: PT0.5S } } } ], catch: { errors: { with: { status: 408 } } }, output: { as: $input } }\n" + Call("b")),
        new("competed", ["a", "d"], 0, [Completed],
            "  - race:\n      fork:\n        compete: true\n        branches:\n" + Branch("a") + Indent(LongRest) + "      output: { as: $input }\n" + Call("d")),
        new("correlated", ["a", "b"], 0, [Completed],
            Call("a") + $"  - hear: {{ listen: {{ to: {{ all: [ {Correlated(ChaosKind.EventType)}, {Correlated(ChaosKind.AlsoType)} ] }} }}, output: {{ as: $input }} }}\n" + Call("b")) { Told = [ChaosKind.AlsoType, ChaosKind.EventType] },
    ];

    /// <summary>Nobody starts these: an interval and a clock do. Whoever is at some of them is there alone.</summary>
    public static IReadOnlyList<ChaosKind> Scheduled { get; } =
    [
        new("ticking", [], 0, [Completed], Ticked) { Schedule = "every: PT2S", Metadata = "schedule: { catchUp: { mode: all } }" },
        new("timed", [], 0, [Completed], Ticked) { Schedule = "cron: '*/3 * * * * *'", Metadata = "schedule: { catchUp: { mode: all } }" },
        Alone("skipping", "every: PT1S", "schedule: { overlap: skip }"),
        Alone("buffered", "every: PT1S", "schedule: { overlap: bufferOne }"),
        Alone("sequel", "after: PT1S", null),
        new("replaced", [], 0, [Completed, Cancelled], Ticked + "  - rest: { wait: PT3S }\n") { Schedule = "every: PT2S", Metadata = "schedule: { overlap: cancelOther }" },
    ];

    /// <summary>What builds before approvals and limits cannot do, without holds, which such a build does not keep.</summary>
    public static IReadOnlyList<ChaosKind> Newer { get; } = [.. Asking, .. Limited.Where(k => !k.IsHeld)];

    public static IReadOnlyList<ChaosKind> All { get; } = [.. Plain, .. Asking, .. Limited, .. Followed, .. Spoken, .. ChaosSpread.All, .. ChaosCalls.All];

    internal static string Call(string effect) => Post(effect, $"effects/${{ .n }}.{effect}");

    /// <summary>Outside sees how many are at it at once.</summary>
    private static string Busy(string line, string effect) => Post(effect, $"busy/{line}/{LimitedMost}/${{ .n }}.{effect}");

    /// <summary>Outside sees who came and has not left.</summary>
    private static string Lock(string turn, string effect) => Post(effect, $"{turn}/locked-${{ .line }}/1/${{ .n }}/${{ .n }}.{effect}");

    internal static string Post(string name, string path) => $"  - {name}: {{ call: http, with: {{ method: post, endpoint: 'OUTSIDE/{path}', body: {{}} }}, output: {{ as: $input }} }}\n";

    private static string Ask(string how) => $"  - ask: {{ call: approve:1.0.0@default, with: {{ title: 'Go on with ${{ .n }}?', show: '${{ {{n}} }}', {how} }} }}\n";

    /// <summary>It fails at its second effect, always for the run that asks first, and not for one that goes on for it.</summary>
    private static string Breaking => Call("a") + Post("b", "broken/${ .n }.b") + Call("c");

    private const string Fail = "  - fail: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime', status: 500, title: On purpose } } }\n";

    private const string Ticked = "  - a: { call: http, with: { method: post, endpoint: 'OUTSIDE/effects/tick.${ $workflow.id }', body: {} } }\n";

    /// <summary>Each of its runs is there alone: outside sees who came and has not left.</summary>
    private static ChaosKind Alone(string name, string schedule, string? metadata) => new(name, [], 0, [Completed], LockTick(name, "enter") + "  - rest: { wait: PT2S }\n" + LockTick(name, "leave")) { Schedule = schedule, Metadata = metadata };

    private static string LockTick(string name, string turn) => $"  - {turn}: {{ call: http, with: {{ method: post, endpoint: 'OUTSIDE/{turn}/{name}/1/${{ $workflow.id }}/tick.{turn}.${{ $workflow.id }}', body: {{}} }} }}\n";

    private static string Undoable(string effect) =>
        $"  - {effect}:\n      call: http\n      with: {{ method: post, endpoint: 'OUTSIDE/effects/${{ .n }}.{effect}', body: {{}} }}\n      output: {{ as: $input }}\n" +
        $"      metadata: {{ compensate: [ {{ u{effect}: {{ call: http, with: {{ method: post, endpoint: 'OUTSIDE/effects/${{ .n }}.u{effect}', body: {{}} }} }} }} ] }}\n";

    private static string Map(int items, string child, string how) =>
        $"  - all: {{ call: 'map:1.0.0@default', with: {{ in: '${{ .n as $n | [range({items})] | map({{n: ($n + \".m\" + (. | tostring))}}) }}', do: {{ namespace: chaos, name: {child}, version: 1.0.0 }}, {how} }}, output: {{ as: $input }} }}\n";

    private static string Branch(string effect) => Indent(Call(effect));

    private static string Spawn(string effect, string child) =>
        $"  - spawn{effect}: {{ run: {{ workflow: {{ namespace: chaos, name: {child}, version: 1.0.0, input: {{ n: '${{ .n + \".{effect}\" }}' }} }} }}, output: {{ as: $input }} }}\n";

    private static string Member(string name, string needs) =>
        $"          {name}: {{ run: {{ namespace: chaos, name: child, version: 1.0.0 }}, input: {{ n: '${{ .n + \".{name}\" }}' }}, needs: [{needs}] }}\n";

    private static string Correlated(string type) => $"{{ with: {{ type: {type} }}, correlate: {{ of: {{ from: .data.n, expect: '${{ .n }}' }} }} }}";

    private static string Indent(string tasks) => $"        {tasks}";
}
