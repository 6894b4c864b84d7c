using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>What failed where somebody wants to know is put aside until somebody tries it again, and nothing else is.</summary>
internal sealed class Letters(Cluster cluster, Operators operators)
{
    public const string Reason = "taken from the dead letters";

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs)
    {
        var letters = (await cluster.Database!.ReadAsync(db => db.Query("select subject, reason from dead_letter where workspace = $1", r => (Subject: r.Text(0), Reason: r.Text(1)), Tenant.Default.Workspace))).ToDictionary(l => l.Subject, l => l.Reason);
        var again = runs.Values.Where(r => r.Parted?.Reason == Reason).Select(r => r.Row.Fork!.Run).ToList();
        foreach (var run in runs.Values.Where(r => !r.IsRedriven && !r.Row.Hash.Contains('#', StringComparison.Ordinal)))
        {
            var (expected, there) = (run.Row.State == RunPhase.Faulted && cluster.Library[run.Row.Definition.Name].IsPutAside, letters.Remove(run.Row.Id.ToString(), out var reason));
            if (there && (!expected || reason != "run.faulted")) Wrong(run.Row.Id, $"it is {run.Row.State} and put aside: {reason}");
            if (expected && !there && !again.Contains(run.Row.Id) && !operators.Discarded.Contains(run.Row.Id)) Wrong(run.Row.Id, "it failed, and is neither put aside nor tried again nor thrown away");
        }
        if (again.Count != again.Distinct().Count()) cluster.Scheduler.Fail("what was put aside was tried again twice");
        foreach (var (of, run) in operators.Requeued)
            if (!runs.TryGetValue(run, out var fork) || fork.Row.Fork?.Run != of) Wrong(of, $"that it is tried again as {Names.Of(run)} was acknowledged, and that is not there");

        void Wrong(Guid run, string what) => cluster.Scheduler.Fail($"run {Names.Of(run)}: {what}");
    }
}
