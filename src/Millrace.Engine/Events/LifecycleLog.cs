using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

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
        if (row is null) return;
        var workflow = await worker.Definitions.ByHashAsync(tenant, row.Hash);
        if (workflow is not null && LifecycleEvents.IsAbout(workflow)) return;
        try
        {
            if (workflow is not null) into.AddRange(Told(new LifecycleEvents(row, workflow, types), await worker.Journal.AfterAsync(tenant, run, -1), first, last));
            else await TellGivenUpAsync(row, first, last, types, into);
        }
        catch (Exception e) when (e is not StorageUnavailableException and not NewerBuildException)
        {
            // A journal that nobody can read keeps nobody from hearing of other runs.
            await TellGivenUpAsync(row, first, last, types, into);
        }
    }

    private static List<Json> Told(LifecycleEvents run, List<DecodedRecord> records, long first, long last)
    {
        var events = new List<Json>();
        // What a fork took over from its source was told of there.
        if (records.FindLast(r => r.Entries is [.., Entry.RunForked]) is { } fork) first = Math.Max(first, fork.Seq);
        foreach (var record in records.TakeWhile(r => r.Seq <= last)) run.Apply(record, record.Seq < first ? null : events);
        return events;
    }

    private async Task TellGivenUpAsync(RunRow row, long first, long last, HashSet<string> types, List<Json> into)
    {
        if (row.State != RunPhase.Faulted) return;
        var end = await worker.Database.ReadAsync(db => JournalStore.Last(db, row.Tenant, row.Id));
        if (end is not null && end.Seq >= first && end.Seq <= last) new LifecycleEvents(row, null, types).GiveUp(await worker.Journal.DecodeAsync(end), into);
    }
}
