using Millrace.Engine.Views;
using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// A run is of the version that was asked for, and stays with it: so are a child, all children of one step, and what a run goes on as. Only who asks for the newest
/// gets either, since nobody knows when the newer one is pushed.
/// </summary>
internal sealed class Versions(Cluster cluster, Clients clients)
{
    public void Judge(IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        foreach (var wish in clients.Wishes.Where(w => w.Run is not null))
            if (runs.TryGetValue(chains.FirstOf(wish.Run!.Value), out var run) && run.Row.Hash != wish.Hash) Wrong(run, $"it is of version {run.Row.Definition.Version}, which was not asked for");
        foreach (var run in runs.Values) Judge(run, runs, chains);
    }

    private void Judge(Found run, IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        if (chains.BeforeOf(run.Row.Id) is { } before && runs.TryGetValue(before, out var first) && first.Row.Hash != run.Row.Hash && !cluster.Library[run.Row.Definition.Name].GoesOnAsLatest)
            Wrong(run, $"it is of version {run.Row.Definition.Version}, and {first.Name}, which it continues, of {first.Row.Definition.Version}");
        foreach (var children in run.Own.Select(Started).OfType<(int Step, Guid Child)>().GroupBy(s => s.Step, s => s.Child))
        {
            var (step, started) = (children.Key, children.Where(runs.ContainsKey).Select(c => runs[c]).ToList());
            if (started.Find(c => !Meant(run, run.History.Steps[step], c)) is { } other) Wrong(other, $"it is of version {other.Row.Definition.Version}; step {step} of {run.Name} asked for another");
            if (started.Select(c => c.Row.Hash).Distinct().Count() > 1) Wrong(run, $"the children of its step {step} are of several versions");
        }
    }

    private static bool Meant(Found run, StepView step, Found child) => step.Node.Body switch
    {
        SpawnBody body => Meant(body.Version, child),
        // Tasks of the document itself.
        MapBody { Tasks: not null } => Workflow.TextOf(child.Row.Hash) == Workflow.TextOf(run.Row.Hash),
        ChildrenBody body => body.Children.Any(c => Meant(c.Version, child)),
        _ => true,
    };

    private static bool Meant(string version, Found child) => version == child.Row.Definition.Version || version is not (ProgramRef.First or ProgramRef.Second);

    private static (int Step, Guid Child)? Started(Entry entry) => entry switch
    {
        Entry.StepStarted { Child: { } child } e => (e.Step, child),
        SpawnEntry.ChildStarted e => (e.Step, e.Child),
        _ => null,
    };

    private void Wrong(Found run, string what) => cluster.Scheduler.Fail($"run {run.Name}: {what}");
}
