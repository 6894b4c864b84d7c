using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>Runs that this worker has taken and cannot carry on.</summary>
internal sealed class StrayRuns(Worker worker)
{
    /// <summary>A run that only a newer build understands is due for its workers, and no longer for those like this one.</summary>
    public async Task LeaveAsync(Tenant tenant, Guid run, long lease, NewerBuildException e)
    {
        try
        {
            await worker.Database.WriteAsync(db =>
            {
                RunStore.Leave(db, tenant, run, lease, worker.Settings.Format + 1, $"It waits for a worker of a newer build. {e.Message}", worker.Now);
                return 0;
            });
            worker.Log.RunLeft(run, e.Message);
            await worker.Wakes.CallAsync();
        }
        catch (Exception failure)
        {
            worker.Lost.Add(tenant, run);
            worker.LoopFailed($"leaving run {run} to a newer build", failure);
        }
    }

    /// <summary>Faults a run that nobody can carry on.</summary>
    public async Task GiveUpAsync(Tenant tenant, Guid run, WorkflowError error)
    {
        try
        {
            worker.Lost.Expect(run);
            var (bytes, _) = EntryWriter.Write([new Entry.RunFaulted(error)]);
            var (createdAt, endedAt) = await worker.Database.WriteAsync(db =>
            {
                var last = JournalStore.Last(db, tenant, run);
                var (seq, now) = ((last?.Seq ?? -1) + 1, Math.Max(last?.At ?? 0, worker.Now));
                var row = RunStore.Get(db, tenant, run)!;
                var change = new RunChange(RunPhase.Faulted, false, null, row.StartedAt, now, now, error, null, row.Counts);
                new RunRecord { Tenant = tenant, Run = run, Lease = worker.Lease, Seq = seq, At = now, Entries = bytes, State = RunPhase.Faulted, Change = change, Parent = row.Parent }.Write(db);
                return (row.CreatedAt, now);
            });
            EngineMetrics.RunEnded(RunPhase.Faulted, createdAt, endedAt);
            worker.Ended(run, RunPhase.Faulted);
        }
        catch (Exception e)
        {
            worker.LoopFailed($"giving up run {run}", e);
            worker.Lost.Add(tenant, run);
        }
        finally
        {
            worker.Lost.ExpectNoMore(run);
        }
    }
}
