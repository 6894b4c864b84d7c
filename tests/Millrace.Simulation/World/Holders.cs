using Millrace.Storage;
using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>People who have a definition or the workspace stand, and go on again.</summary>
internal sealed class Holders(Cluster cluster, Clients clients, Dice dice)
{
    private readonly Process _process = cluster.Scheduler.Start("holders");

    public void Come(int holds, TimeSpan within)
    {
        for (var i = 0; i < holds; i++)
        {
            var after = within * dice.Fraction();
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                var program = dice.Chance(0.3) ? "" : dice.Of(cluster.Library.All.ToList()).Name;
                var space = program.Length == 0 ? "" : "sim";
                cluster.Scheduler.Note($"'{program}' is to stand: {await clients.AskAsync(async engine => (object)await engine.Holds.SuspendAsync(Tenant.Default, space, program, null))}");
                await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(5)));
                cluster.Scheduler.Note($"'{program}' is to go on: {await clients.AskAsync(async engine => (object)await engine.Holds.ResumeAsync(Tenant.Default, space, program))}");
            });
        }
    }

    /// <summary>Ends every hold there is; one that was asked for long ago may come late.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> EndAllAsync()
    {
        if (cluster.Database is not { } database) return 1;
        var holds = await database.ReadAsync(db => db.Query("select namespace, name from hold where come_to is null order by id", r => (r.Text(0), r.Text(1))));
        foreach (var (space, name) in holds)
            await clients.AskAsync(async engine => (object)await engine.Holds.ResumeAsync(Tenant.Default, space, name));
        return holds.Count;
    }
}
