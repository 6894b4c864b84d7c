using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>Maps and swarms that are measured. Their output is the number of results.</summary>
internal static class SpawnDocuments
{
    /// <summary>A map over as many items as its input's count says, with all results in its output.</summary>
    public static Workflow Map(Workflow child, int chunk, int concurrency, string onError = "fail") => Documents.Load($"map-{child.Id.Name}", $$"""

          - all:
              call: map:1.0.0@default
              with:
                in: '${ [range(.count) | {order: ., amount: 12.5}] }'
                do: { namespace: bench, name: {{child.Id.Name}}, version: 1.0.0 }
                chunk: {{chunk}}
                concurrency: {{concurrency}}
                onError: {{onError}}
        """);

    /// <summary>The same items made while they are walked, with the results left where the children are.</summary>
    public static Workflow Walk(Workflow child, int chunk, int concurrency) => Documents.Load($"walk-{child.Id.Name}", $$"""

          - all:
              call: map:1.0.0@default
              with:
                in:
                  first: 0
                  items: '${ .count as $n | [range($cursor; [$cursor + {{chunk}}, $n] | min) | {order: ., amount: 12.5}] }'
                  next: '${ if $cursor + {{chunk}} < .count then $cursor + {{chunk}} else null end }'
                do: { namespace: bench, name: {{child.Id.Name}}, version: 1.0.0 }
                concurrency: {{concurrency}}
                results: reference
        """);

    /// <summary>A map in each child of a map: <paramref name="inner"/> items in each of <paramref name="outer"/>.</summary>
    public static (Workflow Outer, Workflow Inner) Nested(Workflow leaf, int outer, int inner) => (
        Documents.Load("outer", $$"""

          - all:
              call: map:1.0.0@default
              with:
                in: '${ [range({{outer}})] }'
                do: { namespace: bench, name: inner, version: 1.0.0 }
                concurrency: 10
        """),
        Documents.Load("inner", $$"""

          - all:
              call: map:1.0.0@default
              with:
                in: '${ [range({{inner}}) | {order: ., amount: 12.5}] }'
                do: { namespace: bench, name: {{leaf.Id.Name}}, version: 1.0.0 }
                concurrency: 10
        """));

    /// <summary>Layers of members, each of which needs two of the layer before.</summary>
    public static Workflow Graph(Workflow member, int layers, int width, int concurrency) => Documents.Load("graph", $$"""

          - all:
              call: swarm:1.0.0@default
              with:
                concurrency: {{concurrency}}
                nodes:
        {{string.Concat(Enumerable.Range(0, layers * width).Select(i => i < width
            ? $"          m{i}: {{ run: {{ namespace: bench, name: {member.Id.Name}, version: 1.0.0 }} }}\n"
            : $"          m{i}: {{ run: {{ namespace: bench, name: {member.Id.Name}, version: 1.0.0 }}, needs: [m{i - width}, m{((i / width) - 1) * width + ((i + 1) % width)}] }}\n"))}}
        """);

    public static Workflow Failing() => Documents.Load("failing", """

          - fail:
              raise: { error: { type: 'https://example.com/errors/no', status: 500, title: It fails } }
        """);
}
