using System.Text.Json.Serialization;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Definitions;

/// <summary>A definition's tasks and how they follow each other, as a picture needs them.</summary>
public sealed record GraphView(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges);

/// <param name="Id">Index of the task in the document's order; steps of runs name it as their node.</param>
/// <param name="Kind">The task's keyword: <c>do</c>, <c>call</c>, <c>set</c>, …</param>
/// <param name="Detail">What tells it from others of its kind: the function called, the time waited, the definition run.</param>
/// <param name="Slot">Which part of the parent it stands in: <c>do</c>, <c>try</c>, <c>catch</c>, <c>branch</c>, <c>for</c> or <c>function</c>.</param>
/// <param name="Line">Line of the task in the source; 0 when unknown.</param>
public sealed record GraphNode(
    int Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Parent, string Name, string Reference, string Kind, string? Detail, string Slot, int Line);

/// <param name="From">Null: where the parent's slot begins.</param>
/// <param name="To">Null: the slot is left.</param>
/// <param name="Label">Name of a switch case; <c>then</c>, <c>exit</c> or <c>end</c> for a directive that does not simply go on.</param>
public sealed record GraphEdge(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? From,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? To,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] int? Parent, string Slot, string? Label);

/// <summary>Draws the edges of a compiled workflow.</summary>
internal sealed class GraphDrawing
{
    private readonly List<GraphNode> _nodes = [];
    private readonly List<GraphEdge> _edges = [];
    private readonly HashSet<int> _seen = [];
    private readonly Func<string, int> _lineOf;

    private GraphDrawing(Func<string, int> lineOf) => _lineOf = lineOf;

    /// <param name="lineOf">Line of a JSON pointer in the source text.</param>
    public static GraphView Draw(Workflow workflow, Func<string, int> lineOf)
    {
        var drawing = new GraphDrawing(lineOf);
        drawing.Add(workflow.Do, null, "do");
        return new GraphView([.. drawing._nodes.OrderBy(n => n.Id)], drawing._edges);
    }

    private void Add(Scope scope, int? parent, string slot)
    {
        if (scope.Nodes.Count > 0) _edges.Add(new GraphEdge(null, scope.Nodes[0].Index, parent, slot, null));
        foreach (var node in scope.Nodes)
        {
            Add(node, parent, slot);
            foreach (var (flow, label) in Exits(node)) _edges.Add(Edge(scope, node, flow, parent, slot, label));
        }
    }

    private void Add(Node node, int? parent, string slot)
    {
        // A function defined once may be called from several places; it is drawn where it is called first.
        if (!_seen.Add(node.Index)) return;
        _nodes.Add(new GraphNode(node.Index, parent, node.Name, node.Reference, node.Body.Keyword, Detail(node.Body), slot, _lineOf(node.Reference)));
        switch (node.Body)
        {
            case DoBody body: Add(body.Tasks, node.Index, "do"); break;
            case ForBody body: Add(body.Tasks, node.Index, "for"); break;
            case ListenBody { ForEach: { } each }: Add(each, node.Index, "for"); break;
            case ForkBody body: AddBranches(body, node.Index); break;
            case InvokeBody body:
                _edges.Add(new GraphEdge(null, body.Target.Index, node.Index, "function", null));
                Add(body.Target, node.Index, "function");
                _edges.Add(new GraphEdge(body.Target.Index, null, node.Index, "function", null));
                break;
            case TryBody body:
                Add(body.Tasks, node.Index, "try");
                if (body.Catch.Do is { } handling) Add(handling, node.Index, "catch");
                break;
        }
    }

    private void AddBranches(ForkBody body, int parent)
    {
        foreach (var branch in body.Branches)
        {
            _edges.Add(new GraphEdge(null, branch.Index, parent, "branch", null));
            Add(branch, parent, "branch");
            _edges.Add(new GraphEdge(branch.Index, null, parent, "branch", null));
        }
    }

    private static IEnumerable<(Flow Flow, string? Label)> Exits(Node node)
    {
        var cases = node.Body is SwitchBody body ? body.Cases : [];
        foreach (var one in cases) yield return (one.Then, one.Name);
        // A switch without a default goes on when no case holds.
        if (cases.All(c => c.When is not null)) yield return (node.Then, null);
    }

    private static GraphEdge Edge(Scope scope, Node node, Flow flow, int? parent, string slot, string? label)
    {
        var (to, directive) = flow.Kind switch
        {
            FlowKind.Continue => (node.Position + 1 < scope.Nodes.Count ? scope.Nodes[node.Position + 1].Index : (int?)null, null),
            FlowKind.Goto => (scope.Nodes[flow.Position].Index, "then"),
            FlowKind.Exit => ((int?)null, "exit"),
            _ => ((int?)null, "end"),
        };
        return new GraphEdge(node.Index, to, parent, slot, label ?? directive);
    }

    private static string? Detail(TaskBody body) => body switch
    {
        CallBody call => call.Function,
        SpawnBody child => $"{child.Namespace}/{child.Name}:{child.Version}",
        WaitBody wait => wait.Duration.ConstantValue is { } constant ? constant.StringOrNull ?? constant.ToString() : "computed",
        RaiseBody raise => raise.Error.ConstantValue is { } error ? error["type"].StringOrNull : null,
        ForBody loop => $"each {loop.Each}",
        ForkBody fork => fork.Compete ? "compete" : null,
        TryBody { Catch.Retry: not null } => "retry",
        _ => null,
    };
}
