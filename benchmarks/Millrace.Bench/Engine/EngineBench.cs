using System.Diagnostics;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>What the embedded engine does on this machine: fsync before acknowledgement, everything in one process.</summary>
internal static class EngineBench
{
    private const string Durable = "SQLite, WAL, synchronous=FULL, fsync before acknowledgement";

    /// <summary>Runs in flight in the benches of steps, runs and size.</summary>
    public static int AtOnce { get; set; } = 512;

    /// <summary>Each runs in a process of its own, so that none sees another's memory.</summary>
    public static readonly IReadOnlyDictionary<string, Func<string, Task>> Scenarios = new Dictionary<string, Func<string, Task>>
    {
        ["steps"] = folder => StepsAsync(folder, AtOnce, ""),
        ["steps-256"] = folder => StepsAsync(folder, 256, "_256"),
        ["parts"] = PartsBench.RunAsync,
        ["runs"] = RunsAsync,
        ["latency"] = LatencyAsync,
        ["long-run"] = LongRunBench.RunAsync,
        ["restart"] = RestartAsync,
        ["memory"] = MemoryAsync,
        ["size"] = SizeAsync,
    };

    private static async Task StepsAsync(string folder, int inFlight, string suffix)
    {
        var chain = Documents.Chain(10);
        var noop = new NoOp();
        await using var host = await EngineHost.OpenAsync(folder, [chain], [noop]);
        await host.UnderLoadAsync(chain, inFlight, async finished =>
        {
            var usage = Usage.Now();
            var (steps0, runs0) = (Volatile.Read(ref noop.Calls), finished());
            var watch = Stopwatch.StartNew();
            await Task.Delay(TimeSpan.FromSeconds(8));
            var seconds = watch.Elapsed.TotalSeconds;
            var (steps, done) = (Volatile.Read(ref noop.Calls) - steps0, finished() - runs0);
            var spent = Usage.Now() - usage;
            Figures.Print($"engine.steps_per_s{suffix}", steps / seconds, "steps/s", $"{inFlight} runs in flight, 10 no-op steps each; {Durable}");
            Figures.Print($"engine.chain_runs_per_s{suffix}", done / seconds, "runs/s", "the same runs, from start request to finished");
            Figures.Say($"      of {spent.Cpu / seconds:0.00} cores used: {spent.User / seconds:0.00} in programs, {spent.System / seconds:0.00} in the kernel; {spent.Allocated / steps:0} bytes allocated a step, {spent.Collections} collections, {spent.Pause.TotalMilliseconds:0} ms of pauses");
            Figures.Print($"engine.cpu_us_per_step{suffix}", spent.Cpu * 1e6 / steps, "us", "processor time of the whole process, all threads");
            Figures.Print($"engine.alloc_bytes_per_step{suffix}", spent.Allocated / (double)steps, "bytes", "managed memory allocated");
        });
    }

    private static async Task RunsAsync(string folder)
    {
        var one = Documents.Chain(1);
        await using var host = await EngineHost.OpenAsync(folder, [one], [new NoOp()]);
        await host.UnderLoadAsync(one, AtOnce, async finished =>
        {
            var before = finished();
            var watch = Stopwatch.StartNew();
            await Task.Delay(TimeSpan.FromSeconds(8));
            var rate = (finished() - before) / watch.Elapsed.TotalSeconds;
            Figures.Print("engine.runs_per_s", rate, "runs/s", $"one-step runs, start request to finished, {AtOnce} at once; {Durable}");
        });
    }

    private static async Task LatencyAsync(string folder)
    {
        Workflow one = Documents.Chain(1), many = Documents.Chain(101);
        await using var host = await EngineHost.OpenAsync(folder, [one, many], [new NoOp()]);
        for (var i = 0; i < 300; i++) await host.RunAsync(one);
        var times = new List<double>();
        for (var i = 0; i < 2000; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await host.RunAsync(one);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        Figures.Print("engine.one_step_p50_ms", Figures.Percentile(times, 0.5), "ms", "idle machine, one run at a time, start request to finished, 2000 runs");
        Figures.Print("engine.one_step_p99_ms", Figures.Percentile(times, 0.99), "ms", "the same runs");
        for (var i = 0; i < 10; i++) await host.RunAsync(many);
        var extra = new List<double>();
        for (var i = 0; i < 50; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await host.RunAsync(many);
            extra.Add((Stopwatch.GetElapsedTime(began).TotalMilliseconds - Figures.Percentile(times, 0.5)) / 100);
        }
        extra.Sort();
        Figures.Print("engine.extra_step_ms", Figures.Percentile(extra, 0.5), "ms", "each further sequential step, from runs of 101 steps, median of 50");
    }

    private static async Task RestartAsync(string folder)
    {
        const int waiting = 100_000;
        Workflow wait = Documents.Wait("PT10H"), one = Documents.Chain(1);
        await using (var host = await EngineHost.OpenAsync(folder, [wait, one], [new NoOp()]))
        {
            var left = waiting;
            await Task.WhenAll(Enumerable.Range(0, 256).Select(async _ =>
            {
                while (Interlocked.Decrement(ref left) >= 0) await host.Engine.StartAsync(new StartRequest(Tenant.Default, wait, Json.EmptyObject));
            }));
            while (host.Engine.Held > 0) await Task.Delay(20);
        }
        var began = Stopwatch.StartNew();
        await using var again = await EngineHost.OpenAsync(folder, [wait, one], [new NoOp()]);
        await again.RunAsync(one);
        Figures.Print("engine.restart_s", began.Elapsed.TotalSeconds, "s", $"{waiting:#,0} live waiting runs: from opening the data folder to the first new run finished");
    }

    private static async Task MemoryAsync(string folder)
    {
        const int inFlight = 10_000;
        var gated = Documents.Gated();
        var gate = new Gate();
        await using var host = await EngineHost.OpenAsync(folder, [gated], [gate], new EngineSettings { IoMax = inFlight });
        var left = inFlight;
        await Task.WhenAll(Enumerable.Range(0, 128).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await host.Engine.StartAsync(new StartRequest(Tenant.Default, gated, Json.Object("order", 4711)));
        }));
        while (gate.Waiting < inFlight) await Task.Delay(10);
        Figures.Print("engine.rss_mb", Usage.ResidentBytes() / 1e6, "MB", $"{inFlight:#,0} runs in flight, each inside an effect");
        gate.Open();
        while (host.Engine.Held > 0) await Task.Delay(20);
    }

    private static async Task SizeAsync(string folder)
    {
        const int runs = 20_000;
        var chain = Documents.Chain(10);
        await using (await EngineHost.OpenAsync(folder, [chain], [new NoOp()])) { }
        var empty = FolderBytes(folder);
        await using (var host = await EngineHost.OpenAsync(folder, [chain], [new NoOp()]))
        {
            var left = runs;
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
            {
                while (Interlocked.Decrement(ref left) >= 0) await host.RunAsync(chain);
            }));
        }
        Figures.Print("engine.bytes_per_run", (FolderBytes(folder) - empty) / (double)runs, "bytes", $"growth of the data folder over {runs:#,0} runs of 10 no-op steps, their journals kept");
    }

    private static long FolderBytes(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);
}
