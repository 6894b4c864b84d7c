using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Engine;
using Millrace.Engine.Execution;
using Millrace.Storage.Postgres;
using Millrace.Tests.Servers;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Postgres;

/// <summary>
/// The engine on PostgreSQL, everything on this machine: a server with its own durable settings, and workers as processes of their own
/// (<see cref="PostgresWorker"/>), as a cluster has them.
/// </summary>
internal static class PostgresBench
{
    private const string Durable = "PostgreSQL, fsync=on, synchronous_commit=on, full_page_writes=on, shared_buffers=256MB";
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(8);

    public static async Task RunAsync()
    {
        await using var server = await ServerAsync();
        await ThroughputAsync(server, workers: 2, "chain", 10, EngineBench.AtOnce / 2, "postgres.steps_per_s", "steps/s", 10);
        await ThroughputAsync(server, workers: 1, "chain", 10, EngineBench.AtOnce, "postgres.steps_per_s_one_worker", "steps/s", 10);
        await ThroughputAsync(server, workers: 2, "chain", 1, EngineBench.AtOnce / 2, "postgres.runs_per_s", "runs/s", 1);
        await LatencyAsync(server);
        await ClusterBench.RunAsync(server);
        await ReadsBench.RunAsync(server);
    }

    /// <summary>Only what several processes do together.</summary>
    public static async Task RunClusterAsync()
    {
        await using var server = await ServerAsync();
        await ClusterBench.RunAsync(server);
        await ReadsBench.RunAsync(server);
    }

    /// <summary>One worker that another workspace has given more than it can do.</summary>
    public static async Task RunFairnessAsync(string folder)
    {
        await using var server = await ServerAsync();
        await FairnessBench.RunAsync(folder, PostgresDatabase.Open(await server.CreateDatabaseAsync()), "postgres.fairness");
    }

    private static Task<PostgresServer> ServerAsync()
    {
        Figures.Say($"postgres: {Environment.ProcessorCount} processors, .NET {Environment.Version}; {Durable}");
        return PostgresServer.StartAsync("fsync=on", "shared_buffers=256MB", "max_wal_size=4GB", "checkpoint_timeout=15min");
    }

    private static async Task ThroughputAsync(PostgresServer server, int workers, string kind, int steps, int inFlight, string metric, string unit, int perRun)
    {
        var uri = await server.CreateDatabaseAsync();
        await using (var database = PostgresDatabase.Open(uri)) await database.MigrateAsync();
        var processes = new List<PostgresWorker.Handle>();
        try
        {
            for (var i = 0; i < workers; i++) processes.Add(await PostgresWorker.StartAsync(uri, kind, steps, inFlight));
            await Task.Delay(WarmUp);
            var before = await PostgresWorker.CountAsync(processes);
            var watch = Stopwatch.StartNew();
            await Task.Delay(Measured);
            var done = await PostgresWorker.CountAsync(processes) - before;
            var seconds = watch.Elapsed.TotalSeconds;
            Figures.Print(metric, done * perRun / seconds, unit, $"{workers} worker processes, {inFlight} runs in flight each, {steps} no-op steps a run, start request to finished; {Durable}");
        }
        finally
        {
            foreach (var process in processes) process.Dispose();
        }
    }

    private static async Task LatencyAsync(PostgresServer server)
    {
        var uri = await server.CreateDatabaseAsync();
        Workflow one = Documents.Chain(1), many = Documents.Chain(101);
        await using var host = await EngineHost.OpenAsync(EngineHost.NewFolder(), [one, many], [new NoOp()], new EngineSettings { Alone = false }, PostgresDatabase.Open(uri));
        for (var i = 0; i < 300; i++) await host.RunAsync(one);
        var times = new List<double>();
        for (var i = 0; i < 1000; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await host.RunAsync(one);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        times.Sort();
        Figures.Print("postgres.one_step_p50_ms", Figures.Percentile(times, 0.5), "ms", "idle machine, one run at a time, start request to finished, 1000 runs");
        Figures.Print("postgres.one_step_p99_ms", Figures.Percentile(times, 0.99), "ms", "the same runs");
        var extra = new List<double>();
        for (var i = 0; i < 30; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await host.RunAsync(many);
            extra.Add((Stopwatch.GetElapsedTime(began).TotalMilliseconds - Figures.Percentile(times, 0.5)) / 100);
        }
        extra.Sort();
        Figures.Print("postgres.extra_step_ms", Figures.Percentile(extra, 0.5), "ms", "each further sequential step, from runs of 101 steps, median of 30");
    }
}
