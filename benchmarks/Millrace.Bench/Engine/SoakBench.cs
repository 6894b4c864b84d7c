using System.Diagnostics;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>
/// A week in small: fifty thousand runs, each with effects and a timer, through one engine and one file that keeps them all. Is the last thousand as quick
/// as the first, and does the memory stay where it was?
/// </summary>
internal static class SoakBench
{
    private const int Runs = 50_000, AtOnce = 100, Window = 1_000;

    /// <summary>Runs that come before anything is measured, so that all code is compiled and the memory of waiting runs is full.</summary>
    private const int Before = 8_000;

    /// <summary>What the last window may take, measured by the first, on a disk that changes its pace.</summary>
    private const double DriftMost = 2;

    /// <summary>Bytes of live memory for each run that went by; one that is not forgotten has several hundred at least.</summary>
    private const double GrowthMost = 60;

    /// <exception cref="InvalidOperationException">It grows slower or larger.</exception>
    public static async Task RunAsync(string folder)
    {
        var workflow = Documents.CallWaitCall("PT0.02S");
        await using var host = await EngineHost.OpenAsync(folder, [workflow], [new NoOp()]);
        await PassAsync(host, workflow, Before);
        var early = (Live: LiveBytes(), Resident: Usage.ResidentBytes());
        var first = await PassAsync(host, workflow, Window);
        await PassAsync(host, workflow, Runs - Before - (2 * Window));
        var last = await PassAsync(host, workflow, Window);
        var late = (Live: LiveBytes(), Resident: Usage.ResidentBytes());

        var settings = $"{Runs:#,0} runs of two effects and a timer, {AtOnce} at once; the last {Window:#,0} against as many after the first {Before:#,0}";
        var (median, tail) = (Figures.Percentile(last, 0.5) / Figures.Percentile(first, 0.5), Figures.Percentile(last, 0.99) / Figures.Percentile(first, 0.99));
        var growth = (double)(late.Live - early.Live) / (Runs - Before);
        Figures.Print("soak.latency_p50_ms", Figures.Percentile(last, 0.5), "ms", "of the last thousand, from request to end");
        Figures.Print("soak.latency_p50_drift", median, "ratio", settings);
        Figures.Print("soak.latency_p99_drift", tail, "ratio", settings);
        Figures.Print("soak.live_bytes_per_run", growth, "bytes", "managed memory that is left after a collection, for each run that went by");
        Figures.Print("soak.resident_growth_mb", (late.Resident - early.Resident) / 1e6, "MB", $"from {early.Resident / 1e6:0} MB");
        Figures.Print("soak.file_bytes_per_run", (double)new FileInfo(Path.Combine(folder, "millrace.db")).Length / Runs, "bytes", "every run is kept");
        if (median > DriftMost) throw new InvalidOperationException($"The last runs took {median:0.0} times what the first took.");
        if (growth > GrowthMost) throw new InvalidOperationException($"Each run leaves {growth:0} bytes in memory.");
    }

    /// <returns>Milliseconds from each run's request to its end, sorted.</returns>
    private static async Task<List<double>> PassAsync(EngineHost host, Workflow workflow, int runs)
    {
        var (left, took) = (runs, new List<double>(runs));
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var began = Stopwatch.GetTimestamp();
                await host.RunAsync(workflow);
                var ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                lock (took) took.Add(ms);
            }
        }));
        took.Sort();
        return took;
    }

    private static long LiveBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
