using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Testing.Virtual;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Looks at the database every now and then while things go wrong: at every moment, something on disk must be there that will wake
/// each run, and each run must be able to say what it waits for.
/// </summary>
internal sealed class Watch(Cluster cluster, Dice dice)
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
            and not exists (select 1 from hold h where (h.name = '' or (h.namespace = r.namespace and h.name = r.name)) and (h.come_to is null or h.come_to < r.id))
        """;

    private readonly Process _process = cluster.Scheduler.Start("watch");

    /// <summary>Once everything is told, it need not be looked at any more.</summary>
    public void Begin(Func<bool> isOver) => _process.Go(async () =>
    {
        while (!isOver())
        {
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(3)));
            if (cluster.Database is { } database) await LookAsync(database);
        }
    });

    private async Task LookAsync(Database database)
    {
        try
        {
            var forgotten = await database.ReadAsync(db => db.Query(Forgotten, r => r.Id(0)));
            if (forgotten.Count > 0) cluster.Scheduler.Fail($"run {Names.Of(forgotten[0])} has not ended, and nothing will wake it");
            var open = await database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([RunPhase.Pending, RunPhase.Running, RunPhase.Waiting, RunPhase.Suspended], null, null, null, null, 100)));
            if (open.Count > 0) await AskAsync(database, dice.Of(open));
        }
        catch (StorageUnavailableException)
        {
            // It looks again later.
        }
        catch (ObjectDisposedException)
        {
            // The machine went down meanwhile.
        }
    }

    private async Task AskAsync(Database database, RunRow row)
    {
        var history = new RunHistory(cluster.Definition(row.Definition.Name), row.Id);
        foreach (var record in await new JournalReader(database, cluster.Blobs).AfterAsync(row.Tenant, row.Id, -1)) history.Apply(record);
        if (history.Waiting().Count == 0 && !history.State.IsFinished) cluster.Scheduler.Fail($"run {Names.Of(row.Id)} cannot say what it waits for");
    }
}
