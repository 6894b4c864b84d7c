using Millrace.Engine.Execution;
using Millrace.Storage;

namespace Millrace.Engine.Limits;

/// <summary>What people say of limits.</summary>
public sealed class LimitControl
{
    private readonly Worker _worker;

    internal LimitControl(Worker worker) => _worker = worker;

    /// <summary>Sets a limit in place of the documents', for all its keys, or takes that back with null. Runs that work already are left alone.</summary>
    public async Task SetAsync(Tenant tenant, string name, int? most)
    {
        await _worker.Database.WriteAsync(db =>
        {
            LimitStore.Set(db, tenant, name, most, _worker.Now);
            return 0;
        });
        _worker.Limits.Look();
    }

    /// <summary>A limit counts the runs that are taken from then on; a weight holds at once.</summary>
    public async Task SetAsync(Tenant tenant, WorkspaceLimits limits)
    {
        await _worker.Database.WriteAsync(db =>
        {
            LimitStore.Set(db, tenant, limits, _worker.Now);
            return 0;
        });
        await _worker.Limits.ReadSettingsAsync();
        _worker.Limits.Look();
    }
}
