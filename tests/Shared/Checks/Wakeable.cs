using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Tests.Checks;

/// <summary>
/// Every run that has not finished can say what it waits for, and what will wake it is there (docs/architecture.md, What always holds). It is so
/// after every transaction, whoever works on what meanwhile.
/// </summary>
internal static class Wakeable
{
    /// <summary>Runs that nobody holds, that no time wakes, and that wait for no child, no event, no decision, no slot and no hold's end; a suspended one waits for a wish.</summary>
    private const string Forgotten = """
        select r.id from run r
        where r.state < 4 and r.lease is null and r.wake_at is null
            and (r.state <> 3 or exists (select 1 from signal s where s.run = r.id))
            and (r.state = 3 or not exists (select 1 from run c where c.parent = r.id and c.state < 4))
            and (r.state = 3 or not exists (select 1 from subscription b where b.run = r.id))
            and (r.state = 3 or not exists (select 1 from approval a where a.run = r.id and a.state = 0))
            and not exists (select 1 from limit_place p where p.run = r.id and p.held = 0)
            and not exists (select 1 from hold h where h.workspace = r.workspace and (h.name = '' or (h.namespace = r.namespace and h.name = r.name)) and (h.come_to is null or h.come_to < r.id))
        limit 100
        """;

    /// <summary>Unfinished runs that nothing on disk will ever wake.</summary>
    public static Task<List<Guid>> ForgottenAsync(Database database) => database.ReadAsync(db => db.Query(Forgotten, r => r.Id(0)));

    /// <summary>Looks for forgotten runs, and asks unfinished ones what they wait for.</summary>
    /// <param name="choose">Which of at most 100; null: all.</param>
    /// <param name="workflowOf">Null for one whose definition is gone: only its row is looked at.</param>
    /// <param name="sharesClock">Whether all go by one clock: a worker whose own is ahead may make a run due later than it says.</param>
    /// <param name="now">What is due by then waits for a worker, whenever it became due: a run that somebody writes to, or that is given back, is due from that moment.</param>
    /// <returns>What is wrong, a sentence each.</returns>
    public static async Task<List<string>> FaultsAsync(Database database, BlobStore blobs, Func<RunRow, ValueTask<Workflow?>> workflowOf, Func<List<RunRow>, List<RunRow>>? choose = null, bool sharesClock = true, long now = 0)
    {
        var faults = (await ForgottenAsync(database)).ConvertAll(id => $"run {id} has not ended, and nothing will wake it");
        var open = await database.ReadAsync(db =>
            (choose ?? (all => all))(RunStore.List(db, Tenant.Default, new RunFilter([RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended], null, null, null, null, 100)))
                .ConvertAll(row => (Row: row, Last: db.First("select max(seq) from journal where run = $1", r => r.LongOrNull(0) ?? -1, -1L, row.Id), Parked: IsParked(db, row.Id), Reopened: IsReopened(db, row))));
        foreach (var (row, last, parked, reopened) in open)
        {
            if (await workflowOf(row) is not { } workflow) continue;
            var history = new RunHistory(workflow, row.Id);
            try
            {
                foreach (var record in await new JournalReader(database, blobs).AfterAsync(row.Tenant, row.Id, -1))
                    if (record.Seq <= last) history.Apply(record);
            }
            catch (Exception e) when (e is DamagedRecordException or NewerBuildException)
            {
                // It is known for what it is, and can say no more.
                continue;
            }
            if (Fault(row, history, parked, reopened, now, sharesClock) is { } fault) faults.Add($"run {row.Id} {fault}");
        }
        return faults;
    }

    /// <param name="history">As of the row.</param>
    /// <param name="parked">It stands in a line, which wakes it when its turn has come.</param>
    /// <param name="reopened">It had ended and is to go on, and says so.</param>
    private static string? Fault(RunRow row, RunHistory history, bool parked, bool reopened, long now, bool sharesClock)
    {
        var waits = history.Waiting();
        if (waits.Count == 0) return reopened ? null : "has not ended and waits for nothing";
        if (row.Lease is not null || parked) return null;
        var first = waits.Min(w => w.WakeAt);
        return first is null || row.WakeAt <= Math.Max(first.Value, now) || (row.WakeAt is not null && !sharesClock) ? null : $"says that time wakes it at {first}, and its row says {row.WakeAt?.ToString() ?? "never"}: {waits[0].Detail}";
    }

    private static bool IsReopened(DbUnit db, RunRow row) =>
        db.First("select 1 from signal where run = $1 and kind = 'redrive' limit 1", _ => true, false, row.Id) && RunWaits.Of(db, row, isSuspended: false, []).Count > 0;

    private static bool IsParked(DbUnit db, Guid run) => db.First("select 1 from limit_place where run = $1 and held = 0 limit 1", _ => true, false, run);
}
