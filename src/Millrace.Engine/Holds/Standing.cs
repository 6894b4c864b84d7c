using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Holds;

/// <summary>
/// The definitions and workspaces that stand, as this process knows them: read when they change here, when a transaction that writes finds others, and once in a
/// poll interval. A run looks when it begins and when it is taken; those in memory are told. Nobody stands on a hold that is over.
/// </summary>
internal sealed class Standing(Worker worker)
{
    private HoldRow[] _all = [];
    private int _looking;

    /// <param name="except">A hold that is over, whatever this process knows.</param>
    public RunHold? Over(Tenant tenant, Workflow workflow, Guid except = default)
    {
        foreach (var row in Volatile.Read(ref _all))
        {
            if (row.ComeTo is null && row.Id != except && row.Tenant == tenant && (row.Name.Length == 0 || (row.Name == workflow.Id.Name && row.Namespace == workflow.Id.Namespace)))
                return new RunHold(row.Id, row.Reason);
        }
        return null;
    }

    /// <summary>Has a run stand that is to.</summary>
    public bool Stops(RunActor run, Decision decision)
    {
        if (Volatile.Read(ref _all).Length == 0 || Over(run.Tenant, run.Workflow) is not { } hold) return false;
        decision.Hold(hold);
        return true;
    }

    public static void Check(DbUnit db, RunRecord record)
    {
        for (var i = 0; i < record.Commands.Count; i++)
            if (record.Commands[i] is Command.Hold hold) HoldStore.Check(db, record.Tenant, record.Run, hold.Id);
    }

    /// <summary>A transaction has found these; whoever works writes, and so hears of a hold at once.</summary>
    public void Compare(HoldMark found)
    {
        if (found != HoldMark.Of(Volatile.Read(ref _all)) && Interlocked.Exchange(ref _looking, 1) == 0) _ = LookAsync();
    }

    public async Task RefreshAsync()
    {
        var (before, now) = (_all, await worker.Database.ReadAsync(HoldStore.All));
        Volatile.Write(ref _all, [.. now]);
        if (!now.Exists(n => n.ComeTo is null && !Array.Exists(before, b => b.Id == n.Id))) return;
        foreach (var run in worker.Actors) run.Post(RunEvent.HoldsChanged.Instance);
    }

    /// <summary>Something was decided that a run did not know of when it decided otherwise: it is read again.</summary>
    public void ReadAgain(RunActor run)
    {
        worker.Forget(run);
        worker.Lost.Add(run.Tenant, run.Id);
        _ = LookAsync();
    }

    private async Task LookAsync()
    {
        try
        {
            await RefreshAsync();
        }
        catch (StorageUnavailableException e)
        {
            worker.LoopFailed("looking at what stands", e);
        }
        Volatile.Write(ref _looking, 0);
        worker.Due.Call(0);
    }

    /// <summary>Looks at what stands, and tells the runs of what does so no more, page by page.</summary>
    public async Task RunOnceAsync()
    {
        await RefreshAsync();
        foreach (var over in Array.FindAll(_all, h => h.ComeTo is not null))
        {
            for (HoldRow? row = over; row is not null;)
            {
                var (page, now) = (row, worker.Now);
                var told = await worker.Database.WriteAsync(db => HoldStore.Release(db, page, now));
                foreach (var run in told) worker.Nudge(page.Tenant, run);
                row = told.Count == 0 ? null : page with { ComeTo = told[^1] };
            }
        }
    }
}
