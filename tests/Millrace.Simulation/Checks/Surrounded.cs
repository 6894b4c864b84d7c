using Millrace.Simulation.World;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>What extensions do stands before and after each task they extend, the first outermost, where they apply and nowhere else.</summary>
internal sealed class Surrounded(Cluster cluster)
{
    public void Judge(IEnumerable<Found> runs)
    {
        // What was begun before the place of a fork, or is gone back to, is there twice.
        foreach (var run in runs.Where(r => r.Row.Fork is null && !r.IsRedriven)) Judge(run);
    }

    private void Judge(Found run)
    {
        var inside = new Dictionary<int, List<Node>>();
        var (nodes, applied) = (new Dictionary<int, ExtendedBody>(), new Dictionary<int, IReadOnlyList<int>>());
        var workflow = run.History.State.Workflow;
        foreach (var entry in run.Entries)
        {
            switch (entry)
            {
                case Entry.StepStarted e:
                    if (inside.TryGetValue(e.Parent, out var siblings)) siblings.Add(workflow.Nodes[e.Node]);
                    if (workflow.Nodes[e.Node].Body is not ExtendedBody body) break;
                    (nodes[e.Step], inside[e.Step]) = (body, []);
                    break;
                case ExtensionEntry.Applied e: applied[e.Step] = e.Layers; break;
                case Entry.StepCompleted e when nodes.TryGetValue(e.Step, out var extended): Judge(run, e.Step, extended, applied.GetValueOrDefault(e.Step, []), inside[e.Step]); break;
            }
        }
    }

    private void Judge(Found run, int step, ExtendedBody body, IReadOnlyList<int> applied, List<Node> inside)
    {
        IEnumerable<Node> expected =
        [
            .. applied.SelectMany(l => body.Layers[l].Before?.Nodes ?? []), body.Task, .. applied.Reverse().SelectMany(l => body.Layers[l].After?.Nodes ?? []),
        ];
        if (!inside.SequenceEqual(expected)) Wrong($"around step {step} it did {List(inside)}; the extensions say {List(expected)}");
        if (run.History.Steps[step].Input["n"] is not { IsNumber: true } n) return;
        var program = cluster.Library[run.Row.Definition.Name];
        for (var i = 0; i < body.Layers.Count; i++)
        {
            var every = program.Extensions.First(e => e.Name == body.Layers[i].Name).Every;
            if (applied.Contains(i) != ((int)n.AsNumber() % every == 0)) Wrong($"at step {step} on {n} the extension {body.Layers[i].Name} {(applied.Contains(i) ? "applies" : "does not apply")}");
        }

        static string List(IEnumerable<Node> nodes) => string.Join(", ", nodes.Select(n => n.Name));

        void Wrong(string what) => cluster.Scheduler.Fail($"run {run.Name}: {what}");
    }
}
