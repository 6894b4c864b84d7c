using Millrace.Platform.Bulk;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>Every wish about many runs is carried out to its end, on each of them once.</summary>
internal sealed class BulkWorks(Cluster cluster, Bulks bulks)
{
    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs)
    {
        var rows = (await cluster.Database!.ReadAsync(db => BulkStore.List(db, Tenant.Default, null, 1000))).ToDictionary(r => r.Id);
        foreach (var asked in bulks.All)
        {
            if (!rows.TryGetValue(asked.Id, out var row)) Wrong(asked.Reason, "it was acknowledged and is not there");
            else Judge(asked, row, runs);
        }
    }

    private void Judge(BulkAsked asked, BulkRow row, IReadOnlyDictionary<Guid, Found> runs)
    {
        if (row.State != BulkState.Completed) Wrong(asked.Reason, $"it is {row.State}");
        if (asked.Ids is { } ids && row.Done + row.Refused != ids.Distinct().Count()) Wrong(asked.Reason, $"of {ids.Count} runs {row.Done} were done and {row.Refused} refused");
        if (asked.Action is BulkAction.Cancel)
        {
            var heard = runs.Values.Count(r => r.Row.State == RunPhase.Cancelled && r.History.State.Reason == asked.Reason);
            if (heard > row.Done) Wrong(asked.Reason, $"{heard} runs were cancelled by it, which says {row.Done}");
            return;
        }
        var forks = runs.Values.Where(r => r.Parted?.Reason == asked.Reason).Select(r => r.Row.Fork!.Run).ToList();
        if (forks.Count != forks.Distinct().Count()) Wrong(asked.Reason, "it has forked a run twice");
        if (forks.Count != row.Done) Wrong(asked.Reason, $"it has made {forks.Count} runs and says {row.Done}");
        foreach (var run in asked.Fit.Where(id => runs.TryGetValue(id, out var run) && !run.IsRedriven && !forks.Contains(id) && row.Refusals.All(r => r.Run != id)))
            Wrong(asked.Reason, $"it was to deal with run {Names.Of(run)}, and did not");
    }

    private void Wrong(string work, string what) => cluster.Scheduler.Fail($"{work}: {what}");
}
