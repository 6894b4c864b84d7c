using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Engine.Events;

/// <summary>
/// Follows the journals of workspaces in which somebody listens for lifecycle events, and publishes those. Nobody else pays for them:
/// runs write nothing, and without a listener nothing is read. Events are published before the cursor moves, under ids that follow from the
/// journal: after a crash, or where two processes do it at once, they are duplicates and count once.
/// </summary>
internal sealed class LifecycleLog(Worker worker)
{
    private const int PageMax = 500;

    public async Task RunOnceAsync()
    {
        var (wanted, cursors) = await worker.Database.ReadAsync(db => (LifecycleStore.Wanted(db), LifecycleStore.Cursors(db)));
        if (wanted.Count == 0 && cursors.Count == 0) return;
        var types = wanted.GroupBy(w => w.Tenant).ToDictionary(g => g.Key, g => g.Select(w => w.Type).ToHashSet(StringComparer.Ordinal));
        var known = cursors.ToDictionary(c => c.Tenant, c => c.Position);
        var begun = types.Keys.Where(t => !known.ContainsKey(t)).ToList();
        var over = known.Keys.Where(t => !types.ContainsKey(t)).ToList();
        if (begun.Count + over.Count > 0)
        {
            await worker.Database.WriteAsync(db =>
            {
                foreach (var tenant in begun) LifecycleStore.Begin(db, tenant);
                foreach (var tenant in over) LifecycleStore.End(db, tenant);
                return 0;
            });
        }
        foreach (var (tenant, position) in cursors)
            if (types.TryGetValue(tenant, out var some)) await FollowAsync(tenant, position, some);
    }

    private async Task FollowAsync(Tenant tenant, long after, HashSet<string> types)
    {
        while (true)
        {
            var page = await worker.Database.ReadAsync(db => JournalStore.After(db, tenant, after, PageMax));
            if (page.Count == 0) return;
            var events = new List<Json>();
            foreach (var records in page.GroupBy(r => r.Run)) await TellAsync(tenant, records.Key, records.Min(r => r.Seq), records.Max(r => r.Seq), types, events);
            for (var i = 0; i < events.Count; i += PageMax) await worker.Events.PublishAsync(tenant, events.GetRange(i, Math.Min(PageMax, events.Count - i)));
            var (from, to) = (after, page[^1].Position);
            await worker.Database.WriteAsync(db =>
            {
                LifecycleStore.Advance(db, tenant, from, to);
                return 0;
            });
            after = to;
        }
    }

    private async Task TellAsync(Tenant tenant, Guid run, long first, long last, HashSet<string> types, List<Json> into)
    {
        var row = await worker.Database.ReadAsync(db => RunStore.Get(db, tenant, run));
        if (row is null || await worker.Definitions.ByHashAsync(tenant, row.Hash) is not { } workflow || LifecycleEvents.IsAbout(workflow)) return;
        var told = new LifecycleEvents(row, workflow, types);
        foreach (var record in await worker.Journal.AfterAsync(tenant, run, -1))
        {
            if (record.Seq > last) return;
            told.Apply(record, record.Seq < first ? null : into);
        }
    }
}
