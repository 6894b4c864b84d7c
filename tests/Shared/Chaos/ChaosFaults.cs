using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millrace.Tests.Chaos;

/// <summary>The seeded schedule of faults: several kinds at a time, each with a generator of its own, until it is told to stop; then everything is whole again.</summary>
internal sealed class ChaosFaults(ChaosCluster cluster, int seed, double calm)
{
    private readonly ConcurrentDictionary<string, int> _counts = new();
    private readonly ConcurrentDictionary<ChaosProcess, bool> _busy = new();
    private readonly ConcurrentBag<Task> _underway = [];
    private readonly ChaosTakeovers _takeovers = new(cluster);
    private int _kills;

    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Seconds from a worker's death until each of its runs was held elsewhere, waited for its timer, or had ended.</summary>
    public IReadOnlyCollection<double> Takeovers => _takeovers.Measured;

    /// <summary>Told of each fault, for people.</summary>
    public Action<string> Told { get; set; } = _ => { };

    /// <summary>Ends when <paramref name="stop"/> says so and every process serves again.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken giveUp)
    {
        var measuring = _takeovers.MeasureAsync(stop, giveUp);
        await Task.WhenAll(
            EveryAsync(0, 2, 6, r => KillAsync(r, giveUp), stop),
            EveryAsync(1, 4, 12, r => HaltAsync(r, giveUp), stop),
            EveryAsync(2, 5, 40, r => RestartPostgresAsync(r, giveUp), stop),
            EveryAsync(3, 5, 20, r => HarmRedisAsync(r, giveUp), stop),
            EveryAsync(4, 4, 15, r => CutAsync(r, giveUp), stop),
            EveryAsync(5, 3, 10, SetClockAsync, stop));
        await Task.WhenAll([measuring, .. _underway]);
        await Task.WhenAll(cluster.All.Select(p => p.StartAsync(giveUp)));
    }

    private async Task EveryAsync(int kind, double least, double most, Func<Random, Task> fault, CancellationToken stop)
    {
        var random = new Random(seed * 31 + kind);
        while (await Pause.ForAsync(random.Between(least * calm, most * calm), stop)) await fault(random);
    }

    private void Count(string kind, string detail)
    {
        _counts.AddOrUpdate(kind, 1, (_, n) => n + 1);
        Told($"{kind} {detail}");
    }

    /// <summary>One that serves and that no other fault has in its hands.</summary>
    private ChaosProcess? Take(Random random, params ChaosProcess[] among)
    {
        random.Shuffle(among);
        foreach (var process in among)
        {
            if (!_busy.TryAdd(process, true)) continue;
            if (process.IsUp) return process;
            _busy.TryRemove(process, out _);
        }
        return null;
    }

    private async Task KillAsync(Random random, CancellationToken giveUp)
    {
        // In turn, so that each role is killed in a short run too.
        var among = (_kills++ % 4) switch { 1 => cluster.Api, 3 => [.. cluster.Api, .. cluster.Schedulers], _ => cluster.Workers };
        if (Take(random, [.. among]) is not { } process) return;
        Count($"kill_{process.Role}", process.Name);
        var (id, died) = (process.Id!.Value, Stopwatch.GetTimestamp());
        await process.KillAsync();
        if (process.Role == "worker") _takeovers.Expect(id, died);
        _underway.Add(RestartAsync(process, random.Between(0, 3), giveUp));
    }

    private async Task RestartAsync(ChaosProcess process, TimeSpan after, CancellationToken giveUp)
    {
        await Pause.ForAsync(after, giveUp);
        await process.StartAsync(giveUp);
        _busy.TryRemove(process, out _);
    }

    /// <summary>A zombie: it stands still for longer than its lease, and goes on as if nothing had happened.</summary>
    private async Task HaltAsync(Random random, CancellationToken giveUp)
    {
        if (Take(random, [.. cluster.Workers, .. cluster.Workers, .. cluster.Api, .. cluster.Schedulers]) is not { } process) return;
        Count("halt", process.Name);
        process.Halt();
        await Pause.ForAsync(random.Between(ChaosCluster.LeaseSeconds * 0.5, ChaosCluster.LeaseSeconds * 2.5), giveUp);
        process.Continue();
        _busy.TryRemove(process, out _);
    }

    private async Task RestartPostgresAsync(Random random, CancellationToken giveUp)
    {
        var mode = random.Next(2) == 0 ? "fast" : "immediate";
        Count($"postgres_{mode}", "");
        await cluster.Postgres.StopAsync(mode);
        await Pause.ForAsync(random.Between(0, 2), giveUp);
        await cluster.Postgres.StartAgainAsync();
    }

    private async Task HarmRedisAsync(Random random, CancellationToken giveUp)
    {
        if (random.Next(2) == 0)
        {
            Count("redis_flush", "");
            await cluster.Redis.CommandAsync("flushall");
            return;
        }
        Count("redis_restart", "");
        await cluster.Redis.KillAsync();
        await Pause.ForAsync(random.Between(0, 3), giveUp);
        await cluster.Redis.StartAgainAsync();
    }

    private async Task CutAsync(Random random, CancellationToken giveUp)
    {
        var process = cluster.All.ElementAt(random.Next(cluster.All.Count()));
        if (process.Network is { } network && random.Next(2) == 0)
        {
            Count("network_cut", process.Name);
            network.Cut();
            await Pause.ForAsync(random.Between(0.2, ChaosCluster.LeaseSeconds * 2.5), giveUp);
            network.Heal();
            return;
        }
        var (wire, name) = random.Next(3) == 0 ? (process.Redis, "redis") : (process.Postgres, "postgres");
        var torn = random.Next(3) == 0;
        Count(torn ? "wire_torn" : "wire_cut", $"{process.Name} to {name}");
        if (torn) wire.Tear();
        else wire.Cut();
        await Pause.ForAsync(random.Between(0.2, ChaosCluster.LeaseSeconds * 2.5), giveUp);
        wire.Heal();
    }

    /// <summary>Minutes or an hour, forth or back, and left so; now and then right again.</summary>
    private Task SetClockAsync(Random random)
    {
        var process = cluster.All.ElementAt(random.Next(cluster.All.Count()));
        var off = random.Next(4) == 0 ? TimeSpan.Zero : random.Next(2) == 0 ? random.Between(-3_600, 3_600) : random.Between(-20, 20);
        Count("clock_jump", $"{process.Name} to {off.TotalSeconds:0} s");
        process.SetClock(off);
        return Task.CompletedTask;
    }
}
