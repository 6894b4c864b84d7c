using Millrace.Engine.Approvals;
using Millrace.Engine.Journal;
using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Execution;

/// <summary>Runs that this worker has taken and cannot carry on.</summary>
internal sealed class StrayRuns(Worker worker)
{
    /// <summary>The version a claimed run is pinned to; null when this worker cannot go on with it, which has been dealt with.</summary>
    public async Task<Workflow?> DefinitionAsync(RunRow row)
    {
        try
        {
            if (await worker.Definitions.ByHashAsync(row.Tenant, row.Hash) is { } workflow) return workflow;
            await GiveUpAsync(row.Tenant, row.Id, new WorkflowError(ErrorTypes.Configuration, 404, "Definition not found",
                $"The run is pinned to {row.Definition} with hash {row.Hash}, which is not there any more.", "/"));
        }
        catch (NewerBuildException e)
        {
            await LeaveAsync(row.Tenant, row.Id, row.Lease!.Value, e);
        }
        return null;
    }

    /// <summary>A run that only a newer build understands is due for its workers, and no longer for those like this one.</summary>
    public async Task LeaveAsync(Tenant tenant, Guid run, long lease, NewerBuildException e)
    {
        try
        {
            await worker.Database.WriteAsync(db =>
            {
                RunStore.Leave(db, tenant, run, lease, worker.Settings.Format + 1, $"It waits for a worker of a newer build. {e.Message}", worker.Now);
                LimitStore.Leave(db, tenant, run, ended: false);
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
            if (await worker.Database.WriteAsync(db => WriteGivenUp(db, tenant, run, error, bytes)) is not { } ended) return;
            var (record, createdAt) = ended;
            worker.Announcements.Record(Topics.Run(run), record);
            foreach (var child in record.ChildrenToCancel) worker.Nudge(tenant, child);
            if (record.Parent is { } parent) worker.Nudge(tenant, parent);
            if (record.Limits is { } plan) worker.Limits.Left(tenant, plan);
            EngineMetrics.RunEnded(RunPhase.Faulted, createdAt, record.At);
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

    /// <summary>Nothing of the run's state is known here but its row: so its children are asked for, and what stands in its inbox goes with it.</summary>
    /// <returns>Null when the run has ended or is another worker's by now.</returns>
    private (RunRecord Record, long CreatedAt)? WriteGivenUp(DbUnit db, Tenant tenant, Guid run, WorkflowError error, byte[] entries)
    {
        if (RunStore.Get(db, tenant, run) is not { IsFinished: false } row) return null;
        var (last, lastAt) = JournalStore.End(db, tenant, run);
        var now = Math.Max(lastAt, worker.Now);
        var record = new RunRecord
        {
            Tenant = tenant,
            Run = run,
            Lease = worker.Lease,
            Seq = last + 1,
            At = now,
            Entries = entries,
            State = RunPhase.Faulted,
            Change = new RunChange(RunPhase.Faulted, false, null, row.StartedAt, now, now, error, null, row.Counts),
            ChildrenToCancel = RunStore.LiveChildren(db, tenant, run),
            Parent = row.Parent,
            Schedule = row.Trigger?.Schedule,
            SignalsTaken = long.MaxValue,
            ExpiresAt = worker.Keeping.ExpiryOf(tenant, null, RunPhase.Faulted, now),
            DeadLetter = ("run.given_up", row.Definition),
            Limits = LimitPlan.Parse(row.Limits),
        };
        ApprovalStore.Withdraw(db, tenant, run, now);
        return record.Write(db) ? (record, row.CreatedAt) : null;
    }
}
