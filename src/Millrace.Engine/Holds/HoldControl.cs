using Millrace.Engine.Execution;
using Millrace.Storage;

namespace Millrace.Engine.Holds;

/// <summary>What people want of definitions and workspaces. Everything is answered after its commit.</summary>
public sealed class HoldControl
{
    private readonly Worker _worker;

    internal HoldControl(Worker worker) => _worker = worker;

    /// <param name="name">Empty, as is the namespace: the whole workspace.</param>
    /// <returns>False when it stands already.</returns>
    public async Task<bool> SuspendAsync(Tenant tenant, string space, string name, string? reason)
    {
        var row = new HoldRow(tenant, _worker.NewId(), space, name, reason?.Replace('\0', '\ufffd'), _worker.Now, null);
        var done = await _worker.Database.WriteAsync(db => HoldStore.Insert(db, row));
        await _worker.Standing.RefreshAsync();
        return done;
    }

    /// <returns>False when it does not stand.</returns>
    public async Task<bool> ResumeAsync(Tenant tenant, string space, string name)
    {
        var done = await _worker.Database.WriteAsync(db => HoldStore.End(db, tenant, space, name));
        // Also where it was over already: whoever ended it may have died before all were told, and asks again.
        await _worker.Standing.RunOnceAsync();
        return done;
    }
}
