using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Engine;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Bus;
using Millrace.Storage.Postgres;
using Millrace.Tests.Servers;

namespace Millrace.Bench.Postgres;

/// <summary>What several processes do together: one that only starts runs, as an api does, and workers that only carry them out.</summary>
internal static class ClusterBench
{
    private const int Lane = 32;
    private const int Backlog = 12_000;

    /// <summary>Dispatches before those that count: a worker that has been up for a while has compiled its code.</summary>
    private const int Warm = 300;

    public static async Task RunAsync(PostgresServer server)
    {
        await using var redis = await RedisServer.StartAsync();
        var link = $"redis://127.0.0.1:{redis.Port}";
        await DispatchAsync(await server.CreateDatabaseAsync(), link);
        await SecondWorkerAsync(server, link);
        await TakeoverAsync(await server.CreateDatabaseAsync(), link);
    }

    /// <summary>The bus of a process joined with those of others as the server joins it.</summary>
    public static BusLink Link(EventBus bus, string database, string redis)
    {
        void Receive(LinkMessage message) => BusMessages.Receive(bus, message);
        var link = new FallbackLink(RedisLink.Open(RedisOptions.Parse(redis), Receive), PostgresLink.Open(database, Receive));
        bus.Join(link);
        return link;
    }

    private static async Task DispatchAsync(string uri, string redis)
    {
        var stamp = Documents.Call("stamp");
        await using var api = await OpenApiAsync(uri, redis);
        using var worker = await PostgresWorker.StartAsync(uri, "serve", 1, Lane, redis);
        await Task.Delay(TimeSpan.FromSeconds(2));
        List<double> answered = [], asked = [];
        for (var i = 0; i < Warm + 300; i++)
        {
            var before = await worker.CountAsync();
            var begin = Stopwatch.GetTimestamp();
            await api.Engine.StartAsync(new StartRequest(Tenant.Default, stamp, Json.EmptyObject));
            var answer = Stopwatch.GetTimestamp();
            // The worker tells when it began; asking it all the time would keep it from being idle.
            while (await worker.CountAsync() == before) await Task.Delay(2);
            var effect = await worker.AskAsync("stamp");
            if (i < Warm) continue;
            answered.Add(Math.Max(0, (effect - answer) * 1000.0 / Stopwatch.Frequency));
            asked.Add((effect - begin) * 1000.0 / Stopwatch.Frequency);
            // The worker is idle again.
            await Task.Delay(5);
        }
        answered.Sort();
        asked.Sort();
        Figures.Print("postgres.remote_dispatch_p50_ms", Figures.Percentile(answered, 0.5), "ms", "from the answer to the start request to the effect's begin in another, idle process; wake-up by Redis, 300 runs");
        Figures.Print("postgres.remote_dispatch_p99_ms", Figures.Percentile(answered, 0.99), "ms", "the same runs");
        Figures.Print("postgres.remote_start_p50_ms", Figures.Percentile(asked, 0.5), "ms", "the same runs, from the start request");
    }

    private static async Task SecondWorkerAsync(PostgresServer server, string redis)
    {
        var one = await SlowStepsAsync(await server.CreateDatabaseAsync(), redis, workers: 1);
        var two = await SlowStepsAsync(await server.CreateDatabaseAsync(), redis, workers: 2);
        Figures.Print("postgres.slow_steps_per_s_one_worker", one, "steps/s", $"steps of 5 ms, {Lane} at once in a worker, {Backlog:#,0} runs of 10 steps queued before");
        Figures.Print("postgres.slow_steps_per_s_two_workers", two, "steps/s", "the same with a second worker process");
        Figures.Print("postgres.second_worker_ratio", two / one, "ratio", "of the two");
    }

    private static async Task<double> SlowStepsAsync(string uri, string redis, int workers)
    {
        var slow = Documents.Chain(10, "slow");
        await using var api = await OpenApiAsync(uri, redis);
        var left = Backlog;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await api.Engine.StartAsync(new StartRequest(Tenant.Default, slow, Json.EmptyObject));
        }));
        var processes = new List<PostgresWorker.Handle>();
        try
        {
            for (var i = 0; i < workers; i++) processes.Add(await PostgresWorker.StartAsync(uri, "serve", 10, Lane, redis));
            // Until their code is compiled.
            await Task.Delay(TimeSpan.FromSeconds(6));
            var before = await PostgresWorker.CountAsync(processes);
            var watch = Stopwatch.StartNew();
            await Task.Delay(TimeSpan.FromSeconds(6));
            return (await PostgresWorker.CountAsync(processes) - before) / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            foreach (var process in processes) process.Dispose();
        }
    }

    private static async Task TakeoverAsync(string uri, string redis)
    {
        const int runs = 300;
        var hold = Documents.Call("hold");
        await using var api = await OpenApiAsync(uri, redis);
        using var first = await PostgresWorker.StartAsync(uri, "serve", 1, 1000, redis);
        for (var i = 0; i < runs; i++) await api.Engine.StartAsync(new StartRequest(Tenant.Default, hold, Json.EmptyObject));
        while (await HeldByAsync(api, first.Id) < runs) await Task.Delay(20);
        using var second = await PostgresWorker.StartAsync(uri, "serve", 1, 1000, redis);
        await Task.Delay(TimeSpan.FromSeconds(3));
        first.Kill();
        var watch = Stopwatch.StartNew();
        while (await HeldByAsync(api, second.Id) < runs) await Task.Delay(20);
        Figures.Print("postgres.takeover_s", watch.Elapsed.TotalSeconds, "s", $"from kill -9 of a worker to its {runs} runs held by another, lease time {new EngineSettings().LeaseTime.TotalSeconds} s");
        second.Kill();
    }

    private static Task<long> HeldByAsync(EngineHost host, int process) => host.Database.ReadAsync(db => db.First(
        "select count(*) from run where lease in (select id from lease where name = $1)", r => r.Long(0), 0L, process.ToString(CultureInfo.InvariantCulture)));

    private static async Task<EngineHost> OpenApiAsync(string uri, string redis)
    {
        var database = PostgresDatabase.Open(uri);
        return await EngineHost.OpenAsync(EngineHost.NewFolder(), [Documents.Call("stamp"), Documents.Call("hold"), Documents.Chain(10, "slow")], [],
            new EngineSettings { Alone = false, Works = false }, database, link: bus => Link(bus, uri, redis));
    }
}
