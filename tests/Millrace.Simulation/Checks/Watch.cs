using Millrace.Testing.Virtual;
using Millrace.Simulation.World;
using Millrace.Storage;
using Millrace.Tests.Checks;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Looks at the database every now and then while things go wrong: at every moment, something on disk must be there that will wake
/// each run, and each run must be able to say what it waits for.
/// </summary>
internal sealed class Watch(Cluster cluster, Dice dice)
{
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
            var faults = await Wakeable.FaultsAsync(database, cluster.Blobs, row => new(cluster.Catalog.DocumentOf(row.Tenant, row.Hash)), open => open.Count > 0 ? [dice.Of(open)] : [], cluster.SharesClock, cluster.Scheduler.Now);
            if (faults is not [var fault, ..]) return;
            try
            {
                await Journals.NoteAsync(cluster, fault);
            }
            finally
            {
                // Also where what is on disk can no longer be read.
                cluster.Scheduler.Fail(fault);
            }
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
}
