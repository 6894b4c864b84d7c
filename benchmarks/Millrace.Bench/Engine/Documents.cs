using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>The definitions the engine is measured with: ordinary documents, loaded as the server loads them.</summary>
internal static class Documents
{
    /// <param name="function">Called with a small payload by each step.</param>
    public static Workflow Chain(int steps, string function = "noop") => Load($"chain-{function}-{steps}", string.Concat(Enumerable.Range(1, steps).Select(i => $$"""

          - step{{i}}:
              call: {{function}}:1.0.0@default
              with: { order: 4711, amount: 12.5, note: a small payload of ordinary size }
        """)));

    public static Workflow Call(string function) => Chain(1, function);

    public static Workflow Loop(int iterations, string function) => Load($"loop-{function}", $$"""

          - each:
              for: { each: item, in: '${ [range({{iterations}})] }' }
              do:
                - work:
                    call: {{function}}:1.0.0@default
                    with: { n: '${ $item }' }
        """);

    public static Workflow CallWaitCall(string duration) => Load("call-wait-call", $$"""

          - before: { call: 'noop:1.0.0@default', with: { order: 4711 } }
          - rest: { wait: {{duration}} }
          - after: { call: 'noop:1.0.0@default', with: { order: 4711 } }
        """);

    public static Workflow Wait(string duration) => Load("wait", $"""

          - rest:
              wait: {duration}
        """);

    public static Workflow Gated() => Load("gated", """

          - hold:
              call: gate:1.0.0@default
              with: { order: 4711 }
        """);

    public static Workflow Computed() => Load("computed", """

          - compute:
              set: { order: '${ .order }', sum: '${ .amount * 2 }' }
        """);

    internal static Workflow Load(string name, string tasks)
    {
        var loaded = WorkflowLoader.Load($"""
        document:
          dsl: 1.0.3
          namespace: bench
          name: {name}
          version: 1.0.0
        do:{tasks}
        """);
        return loaded.Workflow ?? throw new InvalidOperationException(string.Join("\n", loaded.Diagnostics));
    }
}
