using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Millrace.Storage;
using Millrace.Storage.Sqlite;

namespace Millrace.Bench.Storage;

/// <summary>Durable writes per second, how long one write waits when it is alone and when it is not, and reads.</summary>
internal static class StorageBench
{
    private const int Callers = 256;
    private const int StepsPerRun = 10;
    private const int LoneWrites = 2_000;
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(6);
    private static readonly byte[] Body = new byte[120];

    public static async Task RunAsync(bool json)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-bench-");
        try
        {
            await using var database = SqliteDatabase.Open(Path.Combine(folder.FullName, "bench.db"));
            await database.WriteAsync(unit => unit.Execute(
                "create table event (run integer not null, seq integer not null, body blob not null, primary key (run, seq)) without rowid"));
            var metrics = new List<(string Name, double Value)>();
            await LoneAsync(database, metrics);
            await ManyAsync(database, metrics);
            await ReadsAsync(database, metrics);
            foreach (var (name, value) in metrics) Print(name, value, json);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task LoneAsync(Database database, List<(string, double)> metrics)
    {
        var waits = new List<double>(LoneWrites);
        for (var i = 0; i < LoneWrites + 200; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await InsertAsync(database, -1, i);
            if (i >= 200) waits.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        metrics.Add(("storage.lone_write_p50_ms", At(waits, 0.5)));
        metrics.Add(("storage.lone_write_p99_ms", At(waits, 0.99)));
    }

    private static async Task ManyAsync(Database database, List<(string, double)> metrics)
    {
        using var stop = new CancellationTokenSource();
        var done = new long[Callers * 16];
        var waits = new List<double>[Callers];
        var measuring = false;
        var runs = 0L;

        async Task Call(int caller)
        {
            var mine = waits[caller] = [];
            var run = 0L;
            for (var seq = 0; !stop.IsCancellationRequested; seq++)
            {
                if (seq % StepsPerRun == 0) run = Interlocked.Increment(ref runs);
                var start = Stopwatch.GetTimestamp();
                await InsertAsync(database, run, seq % StepsPerRun);
                done[caller * 16]++;
                if ((seq & 15) == 0 && Volatile.Read(ref measuring)) mine.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        var calls = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => Call(caller))).ToList();
        await Task.Delay(Warmup);
        Volatile.Write(ref measuring, true);
        var before = done.Sum();
        var (began, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await Task.Delay(Measured);
        var units = done.Sum() - before;
        metrics.Add(("storage.units_per_s", units / Stopwatch.GetElapsedTime(began).TotalSeconds));
        metrics.Add(("storage.cpu_us_per_unit", (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / units));
        await stop.CancelAsync();
        await Task.WhenAll(calls);
        var all = waits.SelectMany(w => w).ToList();
        metrics.Add(("storage.busy_write_p50_ms", At(all, 0.5)));
        metrics.Add(("storage.busy_write_p99_ms", At(all, 0.99)));
        metrics.Add(("storage.busy_write_max_ms", At(all, 1)));
    }

    private static async Task ReadsAsync(Database database, List<(string, double)> metrics)
    {
        var reads = 0L;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            var mine = 0L;
            for (; Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(2); mine++)
            {
                var seq = mine % 1_000;
                var run = 1 + seq / StepsPerRun;
                await database.ReadAsync(unit => unit.First("select body from event where run = $1 and seq = $2", row => row.Bytes(0), null, run, seq % StepsPerRun));
            }

            Interlocked.Add(ref reads, mine);
        })));
        metrics.Add(("storage.reads_per_s", reads / Stopwatch.GetElapsedTime(began).TotalSeconds));
    }

    private static Task<int> InsertAsync(Database database, long run, long seq) =>
        database.WriteAsync(unit => unit.Execute("insert into event (run, seq, body) values ($1, $2, $3)", run, seq, Body));

    private static double At(List<double> values, double part)
    {
        values.Sort();
        return values[Math.Min(values.Count - 1, (int)(part * values.Count))];
    }

    private static void Print(string name, double value, bool json)
    {
        value = Math.Round(value, value < 100 ? 3 : 0);
        Console.WriteLine(json
            ? JsonSerializer.Serialize(new { metric = name, value })
            : string.Create(CultureInfo.InvariantCulture, $"{name,-32} {value}"));
    }
}
