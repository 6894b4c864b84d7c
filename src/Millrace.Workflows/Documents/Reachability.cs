using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents;

/// <summary>Finds the tasks of a list that no way through it leads to.</summary>
internal static class Reachability
{
    public static void Check(Findings findings, IReadOnlyList<Node> nodes)
    {
        if (nodes.Count == 0) return;
        var reached = new bool[nodes.Count];
        var open = new Stack<int>([0]);
        while (open.TryPop(out var position))
        {
            if (position >= nodes.Count || reached[position]) continue;
            reached[position] = true;
            foreach (var flow in Next(nodes[position]))
                if (flow.Kind == FlowKind.Continue) open.Push(position + 1);
                else if (flow.Kind == FlowKind.Goto) open.Push(flow.Position);
        }
        for (var i = 0; i < nodes.Count; i++)
        {
            // One finding for a stretch of them: the first is the cause.
            if (!reached[i] && (i == 0 || reached[i - 1]))
                findings.Warn("workflow.unreachable", nodes[i].Reference, $"No way leads to the task '{nodes[i].Name}'.", findings.Map.Key(nodes[i].Reference));
        }
    }

    /// <summary>Where a task may lead. One that is skipped by its condition lets the next follow.</summary>
    public static IEnumerable<Flow> Next(Node node)
    {
        if (node.If is not null) yield return Flow.Continue;
        switch (node.Body)
        {
            case RaiseBody:
                yield break;
            case ExtendedBody extended:
                foreach (var flow in Next(extended.Task)) yield return flow;
                // One that an extension leaves out leads where its own directive says.
                yield return node.Then;
                break;
            case SwitchBody choice:
                foreach (var c in choice.Cases) yield return c.Then;
                if (choice.Cases.All(c => c.When is not null)) yield return node.Then;
                break;
            case TryBody { Catch.Then: { } caught }:
                yield return caught;
                yield return node.Then;
                break;
            default:
                yield return node.Then;
                break;
        }
    }
}
