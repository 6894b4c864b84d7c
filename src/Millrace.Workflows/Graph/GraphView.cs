using System.Globalization;
using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>A workflow as a drawing needs it (docs/http.md, Graph).</summary>
/// <param name="Nodes">In document order; <c>Nodes[i].Id == i</c>.</param>
public sealed record GraphView(IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges)
{
    public static GraphView Of(Workflow workflow)
    {
        var drawing = new Drawing(workflow.Nodes.Count);
        drawing.Add(workflow.Do, null, "do");
        return new(drawing.Nodes, drawing.Edges);
    }

    private sealed class Drawing(int count)
    {
        public GraphNode[] Nodes { get; } = new GraphNode[count];
        public List<GraphEdge> Edges { get; } = [];

        public void Add(Scope scope, int? parent, string slot)
        {
            var nodes = scope.Nodes;
            if (nodes.Count > 0) Edges.Add(new(null, nodes[0].Index, parent, slot));
            foreach (var node in nodes)
            {
                Add(node, parent, slot);
                foreach (var (flow, label) in Exits(node))
                    Edges.Add(new(node.Index, Target(nodes, node.Position, flow), parent, slot, label ?? Label(flow)));
            }
        }

        /// <summary>Nodes that stand side by side, each a way of its own through its parent.</summary>
        private void AddEach(IReadOnlyList<Node> nodes, int parent, string slot)
        {
            foreach (var node in nodes)
            {
                Edges.Add(new(null, node.Index, parent, slot));
                Add(node, parent, slot);
                if (node.Body is not RaiseBody) Edges.Add(new(node.Index, null, parent, slot));
            }
        }

        private void Add(Node node, int? parent, string slot)
        {
            var id = node.Index;
            Nodes[id] = new(id, parent, node.Name, node.Reference, node.Body.Keyword, Details.Of(node.Body), slot, node.Line);
            if (node.Compensate is { } undo) AddEach([undo], id, "compensate");
            switch (node.Body)
            {
                case DoBody { Tasks: var tasks }: Add(tasks, id, "do"); break;
                case ForBody { Tasks: var tasks }: Add(tasks, id, "for"); break;
                case ForkBody { Branches: var branches }: AddEach(branches, id, "branch"); break;
                case ExtendedBody body: AddExtended(body, id); break;
                case MapBody { Tasks: { } tasks }: Add(tasks, id, "map"); break;
                case InvokeBody { Target: var target }: AddEach([target], id, "function"); break;
                case ListenBody { ForEach.Tasks: { } tasks }: Add(tasks, id, "for"); break;
                case CallBody { Each.Iterator.Tasks: { } tasks }: Add(tasks, id, "for"); break;
                case TryBody body:
                    Add(body.Tasks, id, "try");
                    if (body.Catch.Do is { } handler) Add(handler, id, "catch");
                    break;
            }
        }

        private void AddExtended(ExtendedBody body, int id)
        {
            foreach (var layer in body.Layers)
                if (layer.Before is { } before) Add(before, id, $"before: {layer.Name}");
            AddEach([body.Task], id, "task");
            foreach (var layer in body.Layers.Reverse())
                if (layer.After is { } after) Add(after, id, $"after: {layer.Name}");
        }

        private static List<(Flow Flow, string? Label)> Exits(Node node)
        {
            if (node.Body is ExtendedBody { Task: var task }) return task.Body is RaiseBody ? [(node.Then, null)] : Exits(task);
            if (node.Body is RaiseBody) return [];
            var exits = new List<(Flow, string?)>();
            if (node.Body is SwitchBody { Cases: var cases })
            {
                exits.AddRange(cases.Select(c => (c.Then, (string?)c.Name)));
                if (cases.Any(c => c.When is null)) return exits;
            }
            if (node.Body is TryBody { Catch.Then: { } caught }) exits.Add((caught, "catch"));
            exits.Add((node.Then, null));
            return exits;
        }

        private static int? Target(IReadOnlyList<Node> nodes, int position, Flow flow)
        {
            var to = flow.Kind switch { FlowKind.Continue => position + 1, FlowKind.Goto => flow.Position, _ => nodes.Count };
            return to < nodes.Count ? nodes[to].Index : null;
        }

        private static string? Label(Flow flow) => flow.Kind switch
        {
            FlowKind.Goto => "then",
            FlowKind.Exit => "exit",
            FlowKind.End => "end",
            _ => null,
        };
    }

    /// <summary>The few words that say what a task of its kind does.</summary>
    private static class Details
    {
        public static string? Of(TaskBody body) => body switch
        {
            CallBody { Keyword: "emit" } emit => emit.Arguments is Template.Constant ? emit.Arguments.ConstantValue!.Value["type"].StringOrNull : Member(emit.Arguments, "type"),
            CallBody call => call.Function,
            ExtendedBody extended => Of(extended.Task.Body),
            InvokeBody invoke => invoke.Target.Name,
            SpawnBody spawn => $"{spawn.Namespace}/{spawn.Name}:{spawn.Version}",
            MapBody { Tasks: not null } => "map",
            MapBody map => $"map {map.Child.Namespace}/{map.Child.Name}:{map.Child.Version}",
            SwarmBody swarm => $"swarm of {swarm.Nodes.Count}",
            ContinueBody => "continue as a new run",
            ApproveBody approve => approve.Title.ConstantValue is { } title ? $"approve: {title.StringOrNull}" : "approve",
            WaitBody wait => Length(wait.Duration),
            ForBody loop => loop.In is Template.Whole whole ? $"{loop.Each} in {whole.Expression.Source}" : loop.Each,
            ForkBody { Compete: true } => "compete",
            ListenBody listen => $"{listen.To.Kind.ToString().ToLowerInvariant()}: {string.Join(", ", listen.To.Filters.Select(f => f.Key.Type ?? "*").DefaultIfEmpty("*"))}",
            RaiseBody raise => raise.Error is Template.Constant ? raise.Error.ConstantValue!.Value["type"].StringOrNull : Member(raise.Error, "type"),
            _ => null,
        };

        private static string? Member(Template template, string name) =>
            (template as Template.Members)?.All.FirstOrDefault(m => m.Key == name).Value?.ConstantValue?.StringOrNull;

        private static string? Length(Template duration)
        {
            if (duration is Template.Whole whole) return whole.Expression.Source;
            if (duration.ConstantValue is not { } constant || !Duration.TryParse(constant, out var length, out _)) return null;
            (int Count, string Unit)[] parts =
                [(length.Days, "d"), (length.Hours, "h"), (length.Minutes, "m"), (length.Seconds, "s"), (length.Milliseconds, "ms")];
            var text = string.Concat(parts.Where(p => p.Count > 0).Select(p => p.Count.ToString(CultureInfo.InvariantCulture) + p.Unit));
            return text.Length == 0 ? "0s" : text;
        }
    }
}

/// <param name="Parent">Null for the tasks of the workflow itself.</param>
/// <param name="Kind">The task's keyword.</param>
/// <param name="Detail">What exactly: the function called, the time waited, the workflow run.</param>
/// <param name="Slot">The part of the parent it stands in: <c>do</c>, <c>try</c>, <c>catch</c>, <c>branch</c>, <c>for</c>, <c>function</c>, <c>compensate</c>.</param>
public sealed record GraphNode(int Id, int? Parent, string Name, string Reference, string Kind, string? Detail, string Slot, int Line);

/// <param name="From">Null: the entry of the parent's slot.</param>
/// <param name="To">Null: leaves the parent.</param>
/// <param name="Label">Name of a switch case, <c>catch</c>, or the directive: <c>then</c>, <c>exit</c>, <c>end</c>.</param>
public sealed record GraphEdge(int? From, int? To, int? Parent, string Slot, string? Label = null);
