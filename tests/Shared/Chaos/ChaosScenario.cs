using System.Diagnostics;
using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <param name="Faults">Faults by kind.</param>
/// <param name="Takeovers">Seconds from a worker's death until its runs had gone on, sorted.</param>
/// <param name="Serving">From the first start to the last run's end.</param>
internal sealed record ChaosResult(ChaosVerdict Verdict, IReadOnlyDictionary<string, int> Faults, List<double> Takeovers, TimeSpan Serving, int Effects, int Repeated, int Followed, int Connections);

/// <summary>A real cluster under real faults: runs of every kind while its parts are killed, halted and cut off; then a verdict.</summary>
/// <param name="calm">How many times longer than usual the faults wait for one another.</param>
internal sealed class ChaosScenario(string serverDll, int runs, TimeSpan within, int seed, double calm = 1)
{
    /// <summary>How long the end of all runs is waited for, once the faults have stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public Action<string> Told { get; set; } = _ => { };

    /// <summary>Each worker in a network of its own, where the machine lets us.</summary>
    public bool Apart { get; init; }

    public async Task<ChaosResult> RunAsync(CancellationToken cancel)
    {
        await using var cluster = await ChaosCluster.StartAsync(serverDll, Apart, cancel);
        await using var outside = await CountingService.StartAsync(cluster.IsApart ? NetworkNamespace.Machine : null);
        if (cluster.IsApart) Told("each worker is in a network of its own");
        using var clients = new ChaosClients(cluster, ChaosWork.All, runs, within, seed);
        using var followers = new ChaosFollowers(cluster, seed) { Complain = Told };
        var (sinks, schedules) = (new ChaosSinks(cluster, clients.Door, outside), new ChaosSchedules(cluster, clients.Door));
        await sinks.MakeAsync(cancel);
        await clients.PushAsync(outside, cancel);
        await schedules.PushAsync(outside, cancel);
        using var calmed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var faults = new ChaosFaults(cluster, seed, calm) { Told = Told };
        var began = Stopwatch.GetTimestamp();
        var following = followers.FollowAsync(clients.Started.Reader, enough.Token);
        var harm = faults.RunAsync(calmed.Token, cancel);
        await clients.RunAsync(cancel);
        Told($"all started and wished after {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");
        await calmed.CancelAsync();
        await harm;
        Told($"calm after {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");
        await schedules.StopAsync(cancel);
        await FinishedAsync(cluster, Told, cancel);
        var serving = Stopwatch.GetElapsedTime(began);
        await HeardAsync(cluster, followers, cancel);
        await enough.CancelAsync();
        await following;
        var verdict = new ChaosVerdict(cluster, outside, clients, followers, runs) { Sinks = sinks, Schedules = schedules };
        await verdict.JudgeAsync(cancel);
        return new ChaosResult(verdict, faults.Counts, [.. faults.Takeovers.Order()], serving, outside.Recorded.Count, outside.Attempts - outside.Recorded.Count, followers.Ends.Count, followers.Connections);
    }

    /// <summary>As long as their number falls, those left have time.</summary>
    public static async Task FinishedAsync(ChaosCluster cluster, Action<string> told, CancellationToken cancel)
    {
        var (least, since) = (int.MaxValue, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(since) < Patience)
        {
            var live = (await ChaosVerdict.LiveAsync(cluster, cancel)).Count;
            if (live == 0) return;
            if (live < least)
            {
                (least, since) = (live, Stopwatch.GetTimestamp());
                told($"{live} left");
            }
            await Pause.ForAsync(TimeSpan.FromSeconds(1), cancel);
        }
    }

    /// <summary>Followers hang up and come again; they have time until they know every end.</summary>
    public static async Task HeardAsync(ChaosCluster cluster, ChaosFollowers followers, CancellationToken cancel)
    {
        var finished = await cluster.QueryAsync("select id from run where state >= 4", r => r.GetGuid(0).ToString(), cancel);
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience / 2)
        {
            if (followers.Told.All(told => finished.All(run => told.GetValueOrDefault(run) is "cancelled" or "faulted" or "completed"))) return;
            await Pause.ForAsync(TimeSpan.FromMilliseconds(250), cancel);
        }
    }
}
