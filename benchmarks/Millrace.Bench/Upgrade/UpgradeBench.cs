using System.Diagnostics;
using System.Globalization;
using Millrace.Tests.Chaos;
using Millrace.Tests.Crash;

namespace Millrace.Bench.Upgrade;

/// <summary>
/// Two real builds on one PostgreSQL: all of the older, exchanged one by one for the newer while runs start, wait and end, and back again. Nothing
/// may be lost, doubled or stuck, and nobody who follows may miss anything.
/// </summary>
internal static class UpgradeBench
{
    private const int RunsDefault = 400;

    /// <summary>Numbers of runs from here on are of kinds that the older build may not know.</summary>
    private const int FirstNewer = 1_000_000;

    /// <summary>How long either build is alone.</summary>
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(8);

    /// <summary>How long a build has to start on the other's database.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(45);

    /// <summary>Takes <c>--old DLL</c>, which ./bench builds, and <c>[--runs N] [--verbose]</c>.</summary>
    /// <returns>1 when something is not as it must be, 2 when an option is wrong.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var (old, runs, verbose) = ("", RunsDefault, args.Contains("--verbose"));
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--json" or "--verbose") continue;
            if (args[i] == "--old" && i + 1 < args.Length && File.Exists(args[i + 1])) old = args[++i];
            else if (args[i] != "--runs" || i + 1 >= args.Length || !int.TryParse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture, out runs) || runs < 1) return Misused();
        }
        if (old.Length == 0) return Misused();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        var (verdict, second, refusal, took) = await ExchangeAsync(old, Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), runs, verbose, patience.Token);
        Print(verdict, refusal, runs, took);
        Figures.Print("upgrade.newer_faults", second.Complaints.Count, "faults", $"{runs / 4} runs of what the older build may not know: {second.Questions} questions, and limits");
        foreach (var complaint in verdict.Complaints.Concat(second.Complaints).Distinct().Take(60)) Console.Error.WriteLine(complaint);
        return verdict.IsClean && second.IsClean ? 0 : 1;
    }

    private static async Task<(ChaosVerdict Verdict, ChaosVerdict Newer, string? Refusal, TimeSpan Took)> ExchangeAsync(string older, string newer, int runs, bool verbose, CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        void Tell(string line)
        {
            if (verbose) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(began).TotalSeconds,6:0.0} s  {line}"));
        }

        await using var outside = await CountingService.StartAsync();
        await using var cluster = await ChaosCluster.StartAsync(older, apart: false, cancel);
        using var clients = new ChaosClients(cluster, ChaosWork.Plain, runs, TimeSpan.FromSeconds(90), seed: 27);
        using var followers = new ChaosFollowers(cluster, seed: 27) { Complain = Tell };
        await clients.PushAsync(outside, cancel);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var following = followers.FollowAsync(clients.Started.Reader, enough.Token);
        var starting = clients.RunAsync(cancel);
        await Pause.ForAsync(Alone, cancel);
        if (await ExchangeAllAsync(cluster, newer, Tell, cancel) is { } failed) throw new InvalidOperationException($"The newer build does not start on the older one's database: {failed}");
        Tell("all are of the newer build");
        // What the older build does not know goes on while that comes back: its runs wait for workers that know it, and people for an api.
        using var newest = new ChaosClients(cluster, ChaosWork.Newer, runs / 4, Alone * 2, seed: 28, first: FirstNewer) { IsMixed = true };
        await newest.PushAsync(outside, cancel);
        var asking = newest.RunAsync(cancel);
        await Pause.ForAsync(Alone, cancel);
        var refusal = await ExchangeAllAsync(cluster, older, Tell, cancel);
        Tell(refusal is null ? "all are of the older build again" : $"the older build refuses to come back: {refusal}");
        await Pause.ForAsync(Alone, cancel);
        await starting;
        // What the newer build has written into a run may be for its workers alone, and what people are asked for its api.
        foreach (var process in cluster.Api.Append(cluster.Workers[0])) await ExchangeAsync(process, newer, cancel);
        Tell("both apis and a worker are of the newer build once more");
        await asking;
        await ChaosScenario.FinishedAsync(cluster, Tell, cancel);
        await ChaosScenario.HeardAsync(cluster, followers, cancel);
        await enough.CancelAsync();
        await following;
        var verdict = new ChaosVerdict(cluster, outside, clients, followers, runs + (runs / 4));
        await verdict.JudgeAsync(cancel);
        var second = new ChaosVerdict(cluster, outside, newest, followers, runs + (runs / 4));
        await second.JudgeAsync(cancel);
        return (verdict, second, refusal, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>One after another, as an operator does.</summary>
    /// <returns>Why the build did not start; then the process is of the other one again.</returns>
    private static async Task<string?> ExchangeAllAsync(ChaosCluster cluster, string dll, Action<string> tell, CancellationToken cancel)
    {
        foreach (var process in cluster.All)
        {
            var before = process.Dll;
            if (await ExchangeAsync(process, dll, cancel) is { } refusal)
            {
                await ExchangeAsync(process, before, cancel);
                return refusal;
            }
            tell($"{process.Name} exchanged");
        }
        return null;
    }

    private static async Task<string?> ExchangeAsync(ChaosProcess process, string dll, CancellationToken cancel)
    {
        await process.StopAsync(cancel);
        process.Dll = dll;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(StartLimit);
        try
        {
            await process.StartAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // It said something else than that it serves.
        }
        return process.IsUp ? null : process.Refusal ?? "it said nothing";
    }

    private static void Print(ChaosVerdict verdict, string? refusal, int runs, TimeSpan took)
    {
        var settings = string.Create(CultureInfo.InvariantCulture, $"older, both, newer, both, older; {took.TotalSeconds:0} s");
        Figures.Print("upgrade.runs", runs, "runs", $"{settings}; with {verdict.Children} child runs");
        Figures.Print("upgrade.lost", verdict.Lost, "runs", settings);
        Figures.Print("upgrade.stuck", verdict.Stuck, "runs", settings);
        Figures.Print("upgrade.wrong_ends", verdict.WrongEnds, "runs", settings);
        Figures.Print("upgrade.duplicate_effects", verdict.DuplicateEffects, "effects", settings);
        Figures.Print("upgrade.missing_effects", verdict.MissingEffects, "effects", settings);
        Figures.Print("upgrade.journal_faults", verdict.JournalFaults + verdict.ChildFaults, "journals", settings);
        Figures.Print("upgrade.sse_gaps", verdict.SseGaps + verdict.SseDuplicates, "messages", settings);
        Figures.Print("upgrade.back_refused", refusal is null ? 0 : 1, "times", refusal ?? "the older build worked on the newer one's database");
    }

    private static int Misused()
    {
        Console.Error.WriteLine("Usage: ./bench upgrade [--from COMMIT] [--runs N] [--json] [--verbose]");
        return 2;
    }
}
