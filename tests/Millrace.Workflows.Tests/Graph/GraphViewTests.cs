using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Tests.Graph;

public sealed class GraphViewTests
{
    private static GraphView Draw(string source) =>
        GraphView.Of(WorkflowLoader.Load("document: {dsl: '1.0.3', namespace: test, name: graph, version: '0.1.0'}\n" + source).Workflow!);

    private static IEnumerable<string> Edges(GraphView view) =>
        view.Edges.Select(e => $"{e.Parent?.ToString() ?? "."} {e.Slot}: {e.From?.ToString() ?? "in"} -> {e.To?.ToString() ?? "out"}{(e.Label is null ? "" : " " + e.Label)}");

    [Fact]
    public void A_sequence_with_a_switch_is_drawn_with_the_names_of_the_cases()
    {
        var view = Draw("""
            do:
              - choose:
                  switch:
                    - hot: {when: .t > 30, then: cool}
                    - mild: {when: .t > 10, then: end}
              - heat: {wait: {minutes: 1, seconds: 30}, then: exit}
              - cool: {call: http, with: {method: get, endpoint: https://example.com}}
            """);
        Assert.Equal([". do: in -> 0", ". do: 0 -> 2 hot", ". do: 0 -> out mild", ". do: 0 -> 1", ". do: 1 -> out exit", ". do: 2 -> out"], Edges(view));
        Assert.Equal([("choose", "switch", null), ("heat", "wait", "1m30s"), ("cool", "call", "http")], view.Nodes.Select(n => (n.Name, n.Kind, n.Detail)));
        Assert.Equal([3, 7, 8], view.Nodes.Select(n => n.Line));
    }

    [Fact]
    public void What_stands_inside_a_task_is_drawn_in_its_parts()
    {
        var view = Draw("""
            use:
              functions:
                f: {run: {shell: {command: ls}}}
            do:
              - attempt:
                  try: [{risky: {call: f}}]
                  catch:
                    do: [{mend: {wait: PT0.5S}}]
                    then: side
              - loop:
                  for: {each: x, in: .xs}
                  do: [{body: {set: {y: 1}}}]
              - side:
                  fork:
                    compete: true
                    branches: [{left: {raise: {error: {type: https://example.com/e, status: 400}}}}, {right: {run: {workflow: {namespace: n, name: w, version: latest}}}}]
            """);
        Assert.Equal(
            [". do: in -> 0", "0 try: in -> 1", "1 function: in -> 2", "1 function: 2 -> out", "0 try: 1 -> out", "0 catch: in -> 3", "0 catch: 3 -> out",
             ". do: 0 -> 6 catch", ". do: 0 -> 4", "4 for: in -> 5", "4 for: 5 -> out", ". do: 4 -> 6", "6 branch: in -> 7", "6 branch: in -> 8", "6 branch: 8 -> out", ". do: 6 -> out"],
            Edges(view));
        Assert.Equal([null, "f", "shell", "500ms", "x in .xs", null, "compete", "https://example.com/e", "n/w:latest"], view.Nodes.Select(n => n.Detail));
        Assert.Equal(["do", "try", "function", "catch", "do", "for", "do", "branch", "branch"], view.Nodes.Select(n => n.Slot));
        Assert.Equal([null, 0, 1, 0, null, 4, null, 6, 6], view.Nodes.Select(n => n.Parent));
    }
}
