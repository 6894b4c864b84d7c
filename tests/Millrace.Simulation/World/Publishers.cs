using Millrace.Testing.Virtual;

namespace Millrace.Simulation.World;

/// <summary>People who push a newer version of a program while runs of the older are under way, and again when they hear nothing.</summary>
internal sealed class Publishers(Cluster cluster, Clients clients, Dice dice)
{
    private readonly Process _process = cluster.Scheduler.Start("publishers");
    private int _open;

    /// <summary>Nobody waits for an answer.</summary>
    public bool AreAnswered => _open == 0;

    /// <param name="within">The time over which they come.</param>
    public void Come(TimeSpan within)
    {
        foreach (var program in cluster.Library.All.Where(p => p.Newer is not null))
        {
            var after = within * dice.Fraction();
            _open++;
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                await PushAsync(program.Name);
                _open--;
            });
        }
    }

    private async Task PushAsync(string program)
    {
        while (await clients.AskAsync(async engine => (object)await cluster.Catalog.PushAsync(engine, program)) is null) await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        cluster.Scheduler.Note($"a newer version of {program} is pushed");
    }
}
