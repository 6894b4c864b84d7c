using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Retention;

/// <summary>What a workspace says of runs whose definition says nothing.</summary>
public sealed class RetentionControl
{
    private readonly Worker _worker;

    internal RetentionControl(Worker worker) => _worker = worker;

    /// <summary>Holds for runs that end from then on.</summary>
    public async Task SetAsync(Tenant tenant, RunRetention retention)
    {
        await _worker.Database.WriteAsync(db =>
        {
            RetentionStore.Set(db, tenant, retention, _worker.Now);
            return 0;
        });
        await _worker.Keeping.ReadSettingsAsync();
    }
}
