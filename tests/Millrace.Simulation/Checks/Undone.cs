using Millrace.Simulation.World;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// A run that did not complete has undone what it had done, the last first, each once; one that completed has undone nothing. What was to be undone is
/// read from the journal's entries, with none of the engine's folding; what was undone, the outside knows.
/// </summary>
internal sealed class Undone(Cluster cluster, Clients clients)
{
    public void Judge(IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        foreach (var run in runs.Values) Judge(run, chains.From(chains.FirstOf(run.Row.Id)).Any(clients.Stopped.Contains));
    }

    /// <param name="stopped">Somebody may have wanted it to end at once.</param>
    private void Judge(Found run, bool stopped)
    {
        var plan = new Plan();
        foreach (var entry in run.Records.SelectMany(r => r.Entries))
            if (plan.Take(entry, run.History.State.Workflow) is { } wrong) Wrong(run, wrong);
        if (plan.Left > 0 && run.Row.State != RunPhase.Completed && !stopped) Wrong(run, $"it ended with {plan.Left} steps that were not undone");
        var undone = cluster.Outside.Undone.GetValueOrDefault(run.Row.Id) ?? [];
        // Whoever stops a run does not want the rest undone.
        var expected = stopped ? plan.Expected.Take(undone.Count).ToList() : plan.Expected;
        if (!undone.Select(u => u.Step).SequenceEqual(expected)) Wrong(run, $"the steps {List(expected)} were to be undone in this order; undone were {List(undone.Select(u => u.Step))}");
        foreach (var (step, n) in undone)
            if (run.History.Steps.TryGetValue(step, out var view) && view.Output is { } output && (int)output["n"].AsNumber() != n) Wrong(run, $"step {step} gave {output}, and what undoes it was told {n}");
    }

    private static string List(IEnumerable<int> steps) => $"[{string.Join(", ", steps)}]";

    private void Wrong(Found run, string what) => cluster.Scheduler.Fail($"run {run.Name}: {what}");

    /// <summary>What a run has to undo, as far as its entries were read.</summary>
    private sealed class Plan
    {
        private readonly Dictionary<int, int> _parents = [];
        private readonly Dictionary<int, Node> _nodes = [];

        /// <summary>Steps that undo others, with the one they undo.</summary>
        private readonly Dictionary<int, int> _handlers = [];
        private readonly List<int> _done = [];
        private readonly HashSet<int> _effects = [];
        private Queue<int>? _undoing;

        /// <summary>Steps that the outside must have heard of, in this order.</summary>
        public List<int> Expected { get; } = [];

        /// <summary>What would be undone if the run ended here.</summary>
        public int Left => _undoing is null ? _done.Count : _undoing.Count;

        /// <returns>What is wrong with the entry; null when nothing is.</returns>
        public string? Take(Entry entry, Workflow workflow)
        {
            switch (entry)
            {
                case Entry.StepStarted e:
                    (_parents[e.Step], _nodes[e.Step]) = (e.Parent, workflow.Nodes[e.Node]);
                    break;
                case Entry.StepCompleted e when _nodes.TryGetValue(e.Step, out var node): Complete(e.Step, node); break;
                case CompensationEntry.Begun:
                    if (_undoing is not null || _done.Count == 0) return "it begins to undo what it has done, and there is nothing to undo";
                    _undoing = new(Enumerable.Reverse(_done));
                    Expected.AddRange(_undoing);
                    break;
                case CompensationEntry.Started e:
                    (_parents[e.Step], _handlers[e.Step]) = (0, e.For);
                    if (_undoing is null || !_undoing.TryDequeue(out var next)) return $"it undoes step {e.For}, which is not to be undone";
                    if (next != e.For) return $"it undoes step {e.For}; the turn was that of {next}";
                    break;
                case Entry.RunCompleted when _undoing is not null: return "it was being undone, and has completed";
                case ItemEnded e:
                    if ((e.Error is null) == (_undoing is not null) && (_undoing is not null || _done.Count > 0)) return e.Error is null ? "an input completed while it was undone" : "an input failed, and what was done for it was not undone";
                    _done.Clear();
                    _undoing = null;
                    break;
                // What had been undone before the place of a fork is not undone under it.
                case Entry.RunForked: Expected.RemoveAll(_effects.Contains); break;
            }
            return null;
        }

        private void Complete(int step, Node node)
        {
            if (_undoing is null && node.Compensate is not null)
            {
                _done.RemoveAll(d => IsInside(d, step));
                _done.Add(step);
            }
            if (node.Body is CallBody { Function: Programs.Undo.Function } && Around(step).Select(s => _handlers.TryGetValue(s, out var undone) ? undone : 0).FirstOrDefault(s => s > 0) is > 0 and var of) _effects.Add(of);
        }

        private bool IsInside(int step, int other) => Around(step).Contains(other);

        private IEnumerable<int> Around(int step)
        {
            for (var at = step; at > 0; at = _parents.GetValueOrDefault(at)) yield return at;
        }
    }
}
