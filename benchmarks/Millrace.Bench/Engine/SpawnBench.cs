using System.Diagnostics;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Bench.Engine;

/// <summary>A map over many items, each carried out by a child run in chunks: how long it takes, and what it holds in memory meanwhile.</summary>
internal static class SpawnBench
{
    private const int Items = 100_000, Chunk = 100, Concurrency = 50;

    public static async Task RunAsync()
    {
        await MeasureAsync("compute", Documents.Computed());
        await MeasureAsync("effect", Documents.Call("noop"));
    }

    private static async Task MeasureAsync(string name, Workflow child)
    {
        var folder = EngineHost.NewFolder();
        try
        {
            var map = Documents.Map(child, Chunk, Concurrency);
            await using var host = await EngineHost.OpenAsync(folder, [child, map], [new NoOp()]);
            await RunOnceAsync(host, map, Chunk * Concurrency);
            var small = await RunOnceAsync(host, map, Items / 10);
            var large = await RunOnceAsync(host, map, Items);
            Figures.Print($"spawn.{name}_s", large.Seconds, "s", $"{Items:#,0} items, one task each, in chunks of {Chunk} with {Concurrency} children at once; SQLite, fsync before acknowledgement");
            Figures.Print($"spawn.{name}_items_per_s", Items / large.Seconds, "items/s", "the same");
            Figures.Print($"spawn.{name}_cost_ratio", large.Seconds / small.Seconds / 10, "ratio", $"cost of an item of the same map to that in a map of {Items / 10:#,0}");
            Figures.Print($"spawn.{name}_peak_mb", large.PeakMb, "MB", $"resident memory at most while it ran, the items and their results among it; {small.PeakMb:0} MB with {Items / 10:#,0} items");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(double Seconds, double PeakMb)> RunOnceAsync(EngineHost host, Workflow map, int items)
    {
        GC.Collect();
        var peak = 0L;
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                peak = Math.Max(peak, Usage.ResidentBytes());
                await Task.Delay(50);
            }
        });
        var watch = Stopwatch.StartNew();
        var started = (StartOutcome.Started)await host.Engine.StartAsync(new StartRequest(Tenant.Default, map, Json.Object("count", items)));
        var phase = await host.Engine.EndAsync(Tenant.Default, started.Run);
        var seconds = watch.Elapsed.TotalSeconds;
        await stop.CancelAsync();
        await watching;
        if (phase != RunPhase.Completed) throw new InvalidOperationException($"The run {started.Run} ended {phase}.");
        var output = (await host.Engine.Journal.OutcomeAsync(Tenant.Default, started.Run)).Output;
        if (output.AsNumber() != items) throw new InvalidOperationException($"{output} results for {items} items.");
        return (seconds, peak / 1e6);
    }
}
