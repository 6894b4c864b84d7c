using System.Globalization;
using Millrace.Tests.Chaos;

namespace Millrace.Bench.Chaos;

/// <summary>A cluster on this machine under faults of every kind; what it lost, doubled or left standing, as figures.</summary>
internal static class ChaosBench
{
    private const int RunsDefault = 20_000, RunsPerMinute = 600;

    /// <summary>
    /// Takes its own options: <c>[--server DLL] [--runs N] [--minutes M] [--seed S] [--proxies] [--verbose]</c>: a server compiled ahead, as <c>./bench</c> makes it, else the one beside this program; without
    /// <c>--proxies</c>, workers have networks of their own where the machine lets us.
    /// </summary>
    /// <returns>2 when an option is wrong; figures that are not as they must be are told as all that have bounds are.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (!TryRead(args, out var server, out var runs, out var minutes, out var seed)) return Misused();
        var settings = string.Create(CultureInfo.InvariantCulture, $"{runs} runs over {minutes:0.#} min, seed {seed}");
        Figures.Say($"chaos: {settings}; PostgreSQL with fsync, Redis, 2 api, 3 workers, 2 schedulers, leases of {ChaosCluster.LeaseSeconds} s");
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(minutes * 3 + 10));
        var scenario = new ChaosScenario(server, runs, TimeSpan.FromMinutes(minutes), seed) { Apart = !args.Contains("--proxies") };
        if (args.Contains("--verbose")) scenario.Told = line => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow:HH:mm:ss.f} {line}"));
        var found = await scenario.RunAsync(patience.Token);
        Print(found, runs, settings);
        foreach (var complaint in found.Verdict.Complaints.Take(60)) Console.Error.WriteLine(complaint);
        return 0;
    }

    private static void Print(ChaosResult found, int runs, string settings)
    {
        var verdict = found.Verdict;
        Figures.Print("chaos.runs", runs, "runs", $"{settings}; with {verdict.Children} child runs");
        Figures.Print("chaos.faults", found.Faults.Sum(f => f.Value), "faults", settings);
        foreach (var (kind, times) in found.Faults.OrderBy(f => f.Key, StringComparer.Ordinal)) Figures.Print($"chaos.faults.{kind}", times, "faults", settings);
        Figures.Bound("chaos.lost", verdict.Lost, 0, "runs", "acknowledged starts that are not there exactly once under their key");
        Figures.Bound("chaos.stuck", verdict.Stuck, 0, "runs", "not finished a minute after the last that did");
        Figures.Bound("chaos.wrong_ends", verdict.WrongEnds, 0, "runs", "in a state that their definition does not allow");
        Figures.Bound("chaos.duplicate_effects", verdict.DuplicateEffects, 0, "effects", $"of {found.Effects}; {found.Repeated} requests came again under the same key, or were refused on purpose");
        Figures.Bound("chaos.missing_effects", verdict.MissingEffects, 0, "effects", "of completed runs");
        Figures.Bound("chaos.journal_faults", verdict.JournalFaults, 0, "journals", "with a gap, a second end, or a last state other than the row's");
        Figures.Bound("chaos.child_faults", verdict.ChildFaults, 0, "families", "children too many, too few, or in a state their parent's does not allow");
        Figures.Bound("chaos.vote_faults", verdict.VoteFaults, 0, "votes", $"of {verdict.Questions} questions: not settled exactly once, or otherwise than those who decided were told");
        Figures.Bound("chaos.limit_faults", verdict.LimitFaults, 0, "slots", $"more at work at once than a limit allows, slots or holds left over, steps begun under a hold, or the wrong one of several starts; {verdict.AtOnce} at a line at once, {verdict.Holds} holds, and {verdict.HoldsLapsed} that a wish carried out late may have ended");
        Figures.Bound("chaos.sse_gaps", verdict.SseGaps, 0, "messages", $"{found.Followed} run streams and 4 of the workspace, {found.Connections} connections");
        Figures.Bound("chaos.sse_duplicates", verdict.SseDuplicates, 0, "messages", settings);
        foreach (var part in verdict.Parts) Figures.Bound($"chaos.{part.Metric}", part.Complaints.Count, 0, part.Unit, part.Seen);
        Figures.Bound("chaos.surprises", verdict.Surprises, 0, "answers", "of a sort that no client should get");
        if (found.Takeovers.Count > 0)
        {
            var measured = $"{found.Takeovers.Count} workers killed, other faults going on";
            Figures.Print("chaos.takeover_p50_s", Figures.Percentile(found.Takeovers, 0.5), "s", measured);
            Figures.Print("chaos.takeover_p99_s", Figures.Percentile(found.Takeovers, 0.99), "s", measured);
        }
        Figures.Print("chaos.runs_per_s", (runs + verdict.Children) / found.Serving.TotalSeconds, "runs/s", $"children too, {found.Serving.TotalSeconds:0} s");
    }

    private static bool TryRead(string[] args, out string server, out int runs, out double minutes, out int seed)
    {
        (server, runs, minutes, seed) = (Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), RunsDefault, 0, Environment.TickCount & 0xffff);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--json" or "--verbose" or "--proxies") continue;
            if (i + 1 >= args.Length) return false;
            var (name, text) = (args[i], args[++i]);
            var right = name switch
            {
                "--server" => File.Exists(server = text),
                "--runs" => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out runs) && runs > 0,
                "--minutes" => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out minutes) && minutes > 0,
                "--seed" => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed),
                _ => false,
            };
            if (!right) return false;
        }
        if (minutes == 0) minutes = Math.Max(1, (double)runs / RunsPerMinute);
        return true;
    }

    private static int Misused()
    {
        Console.Error.WriteLine("Usage: ./bench chaos [--runs N] [--minutes M] [--seed S] [--proxies] [--json] [--verbose]");
        return 2;
    }
}
