using System.Diagnostics;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Bench.Engine;

/// <summary>Many children of one step: how long they take, and what the run holds in memory meanwhile.</summary>
internal static class SpawnBench
{
    private const int Items = 100_000, Chunk = 100, Concurrency = 50;
    private const string Settings = "SQLite, fsync before acknowledgement";

    /// <summary>Each runs in a process of its own.</summary>
    public static readonly IReadOnlyDictionary<string, Func<string, Task>> Scenarios = new Dictionary<string, Func<string, Task>>
    {
        ["compute"] = folder => MapAsync(folder, "compute", Documents.Computed()),
        ["effect"] = folder => MapAsync(folder, "effect", Documents.Call("noop")),
        ["reference"] = ReferenceAsync,
        ["graph"] = GraphAsync,
        ["nested"] = NestedAsync,
        ["failing"] = FailingAsync,
        ["joins"] = JoinsAsync,
    };

    private static async Task MapAsync(string folder, string name, Workflow child)
    {
        var map = SpawnDocuments.Map(child, Chunk, Concurrency);
        await using var host = await EngineHost.OpenAsync(folder, [child, map], [new NoOp()]);
        await CountAsync(host, map, Chunk * Concurrency);
        var small = await CountAsync(host, map, Items / 10);
        var large = await CountAsync(host, map, Items);
        Figures.Bound($"spawn.{name}_s", large.Seconds, 15, "s", $"{Items:#,0} items, one task each, in chunks of {Chunk} with {Concurrency} children at once; {Settings}");
        Figures.Print($"spawn.{name}_items_per_s", Items / large.Seconds, "items/s", "the same");
        Figures.Print($"spawn.{name}_cost_ratio", large.Seconds / small.Seconds / 10, "ratio", $"cost of an item of the same map to that in a map of {Items / 10:#,0}");
        Figures.Print($"spawn.{name}_peak_mb", large.PeakMb, "MB", $"resident memory at most while it ran, the items and their results among it; {small.PeakMb:0} MB with {Items / 10:#,0} items");
        Figures.Print($"spawn.{name}_memory_ratio", large.PeakMb / small.PeakMb, "ratio", "the one to the other");
    }

    /// <summary>Items made while they are walked and results that stay with the children: nothing grows but a few bytes for each chunk.</summary>
    private static async Task ReferenceAsync(string folder)
    {
        var child = Documents.Computed();
        var map = SpawnDocuments.Walk(child, Chunk, Concurrency);
        await using var host = await EngineHost.OpenAsync(folder, [child, map], [new NoOp()]);
        // The database's page cache fills with whatever is written, up to its limit.
        await CountAsync(host, map, Items * 2);
        var small = await CountAsync(host, map, Items / 10);
        var middle = await CountAsync(host, map, Items);
        var large = await CountAsync(host, map, Items * 10);
        Figures.Bound("spawn.reference_s", middle.Seconds, 15, "s", $"{Items:#,0} items by a cursor, results by reference, in chunks of {Chunk} with {Concurrency} children at once; {Settings}");
        Figures.Print("spawn.reference_million_s", large.Seconds, "s", $"{Items * 10:#,0} items, the same");
        Figures.Print("spawn.reference_peak_mb", large.PeakMb, "MB", $"resident memory at most with {Items * 10:#,0} items, the database's full page cache among it; {middle.PeakMb:0} MB with {Items:#,0}, {small.PeakMb:0} MB with {Items / 10:#,0}");
        Figures.Print("spawn.reference_memory_ratio", large.PeakMb / small.PeakMb, "ratio", $"with {Items * 10:#,0} items to with {Items / 10:#,0}; {middle.PeakMb / small.PeakMb:0.00} with {Items:#,0}");
        Figures.Bound("spawn.reference_held_kb", (large.HeldBytes - small.HeldBytes) / 1e3, 1000, "KB", $"live objects after the {Items * 10:#,0} items, less those after the {Items / 10:#,0}");
    }

    private static async Task GraphAsync(string folder)
    {
        const int Layers = 20, Width = 50;
        var member = Documents.Computed();
        var graph = SpawnDocuments.Graph(member, Layers, Width, Concurrency);
        await using var host = await EngineHost.OpenAsync(folder, [member, graph], [new NoOp()]);
        await RunAsync(host, graph, Json.Object("amount", 1));
        var seconds = new List<double>();
        for (var i = 0; i < 3; i++)
        {
            var (took, output) = await RunAsync(host, graph, Json.Object("amount", 1));
            seconds.Add(took);
            Check(output.AsObject().Count(m => m.Value["state"].StringOrNull == "completed"), Layers * Width);
        }
        Figures.Print("spawn.graph_s", Figures.Percentile([.. seconds.Order()], 0.5), "s", $"a swarm of {Layers * Width:#,0} members in {Layers} layers, each needing two of the layer before, {Concurrency} at once; median of 3; {Settings}");
    }

    private static async Task NestedAsync(string folder)
    {
        const int Outer = 100, Inner = 100;
        var leaf = Documents.Computed();
        var (outer, inner) = SpawnDocuments.Nested(leaf, Outer, Inner);
        await using var host = await EngineHost.OpenAsync(folder, [leaf, outer, inner], [new NoOp()]);
        await RunAsync(host, inner, Json.EmptyObject);
        var (seconds, output) = await RunAsync(host, outer, Json.EmptyObject);
        Check(output.AsArray().Sum(r => r.AsArray().Count), Outer * Inner);
        Figures.Print("spawn.nested_s", seconds, "s", $"a map of {Inner} in each of the {Outer} children of a map, a child for each of the {Outer * Inner:#,0} items, ten at once in each; {Settings}");
        Figures.Print("spawn.nested_children_per_s", (Outer + Outer * Inner) / seconds, "runs/s", "the same");
    }

    private static async Task FailingAsync(string folder)
    {
        const int Children = 1000;
        var child = SpawnDocuments.Failing();
        var map = SpawnDocuments.Map(child, 1, Children, "collect");
        await using var host = await EngineHost.OpenAsync(folder, [child, map], [new NoOp()]);
        await RunAsync(host, map, Json.Object("count", 100));
        var (seconds, output) = await RunAsync(host, map, Json.Object("count", Children));
        Check(output["errors"].AsArray().Select(e => (int)e["offset"].AsNumber()).Distinct().Count(), Children);
        Figures.Print("spawn.failing_s", seconds, "s", $"{Children:#,0} children that fail at once, each collected once; {Settings}");
    }

    private static async Task JoinsAsync(string folder)
    {
        const int Children = 10_000, AtOnce = 1000;
        var (child, straggler) = (Documents.Call("straggler"), new Straggler());
        var map = SpawnDocuments.Map(child, 1, AtOnce);
        await using var host = await EngineHost.OpenAsync(folder, [child, map], [straggler]);
        await RunAsync(host, map, Json.Object("count", AtOnce));
        straggler.Calls.Clear();
        var (seconds, output) = await RunAsync(host, map, Json.Object("count", Children));
        Check(output.AsArray().Count, Children);
        Check(straggler.Calls.Distinct().Count(), Children);
        Check(straggler.Calls.Count, Children);
        Figures.Print("spawn.joins_s", seconds, "s", $"a map of {Children:#,0} children, {AtOnce:#,0} at once, whose effects end in an order of chance within 100 ms, each counted once; {Settings}");
    }

    private static void Check(int found, int expected)
    {
        if (found != expected) throw new InvalidOperationException($"{found} where {expected} were expected.");
    }

    private static async Task<(double Seconds, Json Output)> RunAsync(EngineHost host, Workflow workflow, Json input)
    {
        var watch = Stopwatch.StartNew();
        var started = (StartOutcome.Started)await host.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, input));
        var phase = await host.Engine.EndAsync(Tenant.Default, started.Run);
        var seconds = watch.Elapsed.TotalSeconds;
        if (phase != RunPhase.Completed) throw new InvalidOperationException($"The run {started.Run} ended {phase}.");
        return (seconds, (await host.Engine.Journal.OutcomeAsync(Tenant.Default, started.Run)).Output);
    }

    private static async Task<(double Seconds, double PeakMb, long HeldBytes)> CountAsync(EngineHost host, Workflow map, int items)
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
        var (seconds, output) = await RunAsync(host, map, Json.Object("count", items));
        await stop.CancelAsync();
        await watching;
        Check(output.ArrayOrNull?.Count ?? (int)output["total"].AsNumber(), items);
        return (seconds, peak / 1e6, GC.GetTotalMemory(forceFullCollection: true));
    }
}

/// <summary>An effect that takes a time of chance, and notes for whom it was done.</summary>
internal sealed class Straggler : IFunction
{
    public FunctionDescriptor Descriptor { get; } = new("straggler", "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

    public System.Collections.Concurrent.ConcurrentQueue<string> Calls { get; } = new();

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await Task.Delay(Random.Shared.Next(100), cancel);
        Calls.Enqueue(context.IdempotencyKey);
        return FunctionOutcome.Done(Json.True);
    }
}
