using System.Diagnostics;
using System.Globalization;
using Millrace.Simulation;

namespace Millrace.Bench.Simulation;

/// <summary>Seeds for as long as one likes: <c>./bench simulate [--seeds N] [--from S] [--minutes M] [--json]</c>.</summary>
internal static class SimulateBench
{
    private const ulong SeedsUntold = 1000;

    /// <returns>1 when a seed failed; each is told with its story and the command that repeats it.</returns>
    public static int Run(string[] args)
    {
        if (!TryRead(args, out var from, out var seeds, out var minutes))
        {
            Console.Error.WriteLine("Usage: ./bench simulate [--seeds N] [--from S] [--minutes M] [--json]");
            return 2;
        }

        // With a time and no number, the time alone is the limit.
        var count = seeds ?? (minutes is null ? SeedsUntold : ulong.MaxValue - from);
        var watch = Stopwatch.StartNew();
        var (next, done, failures, runs) = (from - 1, 0L, 0L, 0L);
        var threads = Enumerable.Range(0, (int)Math.Min(count, (ulong)Environment.ProcessorCount)).Select(_ => new Thread(() =>
        {
            while (minutes is null || watch.Elapsed.TotalMinutes < minutes)
            {
                var seed = Interlocked.Increment(ref next);
                if (seed - from >= count) return;
                var result = Seed.Run(seed);
                Interlocked.Increment(ref done);
                Interlocked.Add(ref runs, result.Runs);
                if (result.Failure is not null)
                {
                    Interlocked.Increment(ref failures);
                    Console.Error.WriteLine(result);
                }
                else if (count == 1)
                {
                    Figures.Say($"{result}");
                }
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var settings = string.Create(CultureInfo.InvariantCulture, $"{done} seeds from {from}, {runs} runs, {threads.Count} threads, {watch.Elapsed.TotalSeconds:0} s");
        Figures.Print("simulate.seeds_per_s", done / watch.Elapsed.TotalSeconds, "seeds/s", settings);
        Figures.Print("simulate.failures", failures, "seeds", settings);
        return failures == 0 ? 0 : 1;
    }

    private static bool TryRead(string[] args, out ulong from, out ulong? seeds, out double? minutes)
    {
        (from, seeds, minutes) = (1, null, null);
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) return false;
            var value = args[i + 1];
            if (args[i] == "--from" && ulong.TryParse(value, CultureInfo.InvariantCulture, out var first) && first > 0) from = first;
            else if (args[i] == "--seeds" && ulong.TryParse(value, CultureInfo.InvariantCulture, out var number)) seeds = number;
            else if (args[i] == "--minutes" && double.TryParse(value, CultureInfo.InvariantCulture, out var time) && time > 0) minutes = time;
            else return false;
        }

        return true;
    }
}
