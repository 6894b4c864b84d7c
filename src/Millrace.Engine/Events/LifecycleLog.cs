using System.Collections.Concurrent;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Events;

/// <summary>
/// Follows the journals of workspaces in which somebody listens for lifecycle events, or for those of questions to people, and publishes them. Nobody else pays for them:
/// runs write nothing, and without a listener nothing is read. A page's events are published in the transaction that moves the cursor behind it: each once, and those of a run
/// in the order of its journal, though several processes follow. (Two that published the same page at once would give later events the earlier places: those are the transactions'.)
/// </summary>
internal sealed class LifecycleLog(Worker worker)
{
    private const int PageMax = 200;

    /// <summary>Pages of one workspace in one round: whoever writes all the time keeps nobody else waiting.</summary>
    private const int PagesMax = 50;

    /// <summary>Runs whose next records go on from where they were, instead of being folded from the beginning for every page.</summary>
    private const int FoldsMax = 64;

    private readonly ConcurrentDictionary<Guid, Fold> _folds = new();

    /// <returns>Whether there is more to tell of than one round takes.</returns>
    public async Task<bool> RunOnceAsync()
    {
        var (wanted, cursors) = await worker.Database.ReadAsync(db => (LifecycleStore.Wanted(db), LifecycleStore.Cursors(db)));
        if (wanted.Count == 0 && cursors.Count == 0) return false;
        var types = wanted.GroupBy(w => w.Tenant).ToDictionary(g => g.Key, g => g.Select(w => (w.Type, w.BySink)).ToList());
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
        var more = false;
        foreach (var (tenant, position) in cursors)
        {
            if (!types.TryGetValue(tenant, out var some)) continue;
            try
            {
                more |= await FollowAsync(tenant, position, some);
            }
            catch (NewerBuildException e)
            {
                // A build that can read it tells of it, and of what follows in that workspace; the others do not wait.
                worker.LoopFailed($"telling what happens in workspace {tenant.Workspace}", e);
            }
        }
        return more;
    }

    /// <returns>Whether there is more than one round takes, and nobody else is at it.</returns>
    private async Task<bool> FollowAsync(Tenant tenant, long after, List<(string Type, bool BySink)> wanted)
    {
        for (var pages = 0; pages < PagesMax; pages++)
        {
            var page = await worker.Database.ReadAsync(db => JournalStore.After(db, tenant, after, PageMax));
            if (page.Count == 0) return false;
            var events = new List<ToldEvent>();
            foreach (var records in page.GroupBy(r => r.Run)) await TellAsync(tenant, records.Key, records.Min(r => r.Seq), records.Max(r => r.Seq), wanted, events);
            var (from, to) = (after, page[^1].Position);
            if (!await worker.Events.PublishAsync(tenant, events, db => LifecycleStore.Advance(db, tenant, from, to))) return false;
            after = to;
        }
        return true;
    }

    private async Task TellAsync(Tenant tenant, Guid run, long first, long last, List<(string Type, bool BySink)> wanted, List<ToldEvent> into)
    {
        var row = await worker.Database.ReadAsync(db => RunStore.Get(db, tenant, run));
        if (row is null) return;
        var workflow = await worker.Definitions.ByHashAsync(tenant, row.Hash);
        var forSinks = workflow is null ? null : LifecycleEvents.ForSinks(workflow);
        var types = wanted.Where(w => w.BySink || !LifecycleEvents.IsForSinks(w.Type, forSinks)).Select(w => w.Type).ToHashSet(StringComparer.Ordinal);
        if (types.Count == 0) return;
        try
        {
            if (workflow is not null) await TellAsync(FoldOf(row, workflow, types, forSinks, first), first, last, into);
            else await TellGivenUpAsync(row, first, last, types, forSinks, into);
        }
        catch (Exception e) when (e is not StorageUnavailableException and not NewerBuildException)
        {
            // A journal that nobody can read keeps nobody from hearing of other runs.
            await TellGivenUpAsync(row, first, last, types, forSinks, into);
        }
    }

    private async Task TellAsync(Fold fold, long first, long last, List<ToldEvent> into)
    {
        var events = new List<ToldEvent>();
        await foreach (var record in worker.Journal.EachAsync(fold.Run.Tenant, fold.Run.Id, fold.Seq, (int)(last - fold.Seq)))
            fold.Apply(record, record.Seq < first ? null : events);
        into.AddRange(events);
        if (fold.IsFinished) return;
        if (_folds.Count >= FoldsMax) _folds.Clear();
        _folds[fold.Run.Id] = fold;
    }

    /// <summary>What is known of the run before its next records. Whoever has it has it alone; one that has come further is of no use.</summary>
    private Fold FoldOf(RunRow row, Workflow workflow, HashSet<string> types, string? forSinks, long first) =>
        _folds.TryRemove(row.Id, out var known) && known.Seq < first && known.Types.SetEquals(types) ? known : new Fold(row, new LifecycleEvents(row, workflow, types, forSinks), types);

    private async Task TellGivenUpAsync(RunRow row, long first, long last, HashSet<string> types, string? forSinks, List<ToldEvent> into)
    {
        if (row.State != RunPhase.Faulted) return;
        var end = await worker.Database.ReadAsync(db => JournalStore.Last(db, row.Tenant, row.Id));
        if (end is not null && end.Seq >= first && end.Seq <= last) new LifecycleEvents(row, null, types, forSinks).GiveUp(await worker.Journal.DecodeAsync(end), into);
    }

    private sealed class Fold(RunRow run, LifecycleEvents events, HashSet<string> types)
    {
        private bool _isItself = run.Fork is null;

        public RunRow Run => run;
        public HashSet<string> Types => types;
        public bool IsFinished => events.IsFinished;

        /// <summary>The last record that was applied.</summary>
        public long Seq { get; private set; } = -1;

        public void Apply(DecodedRecord record, List<ToldEvent>? into)
        {
            // What a fork took over from its source was told of there.
            _isItself |= record.Entries is [.., Entry.RunForked forked] && forked.Source == run.Fork!.Run;
            events.Apply(record, _isItself ? into : null);
            Seq = record.Seq;
        }
    }
}
