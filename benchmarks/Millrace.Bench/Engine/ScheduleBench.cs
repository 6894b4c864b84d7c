using System.Diagnostics;
using Millrace.Engine.Scheduling;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>A hundred thousand schedules in one file: how late their runs begin, how soon they go on after a restart, and what one moment at which many are due costs.</summary>
internal static class ScheduleBench
{
    private const int Schedules = 100_000, AtOnce = 5_000, Batch = 2_000;
    private const long Interval = 600_000_000;
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(string folder)
    {
        var job = Load();
        var watch = Stopwatch.StartNew();
        await using (var host = await EngineHost.OpenAsync(folder, [job], []))
        {
            // Their times lie evenly in the interval to come.
            await FollowAsync(host, job, "spread", Schedules, (i, now) => now - Interval + 5_000_000 + i * (Interval / Schedules));
            Figures.Print("schedules.follow_us", watch.Elapsed.TotalMicroseconds / Schedules, "us", $"to take over one of {Schedules:#,0} schedules, {Batch:#,0} in a transaction");
            await Task.Delay(TimeSpan.FromSeconds(6));
            await MeasureAsync(host, "late", $"{Schedules:#,0} schedules, {Schedules * 1_000_000L / Interval:#,0} due each second, from the tick to the beginning of the run, whose row is on disk by then");
        }

        watch.Restart();
        await using (var host = await EngineHost.OpenAsync(folder, [job], []))
        {
            var opened = Now();
            Figures.Bound("schedules.restart_ms", watch.Elapsed.TotalMilliseconds, 2000, "ms", $"to open the file with {Schedules:#,0} schedules and serve");
            while (await FirstAfterAsync(host, opened) is null) await Task.Delay(10);
            Figures.Print("schedules.restart_to_run_ms", watch.Elapsed.TotalMilliseconds, "ms", "and until the first run is started");
            var due = 0L;
            await FollowAsync(host, job, "crowd", AtOnce, (_, now) => (due = due == 0 ? now + 3_000_000 : due) - Interval);
            var burst = Stopwatch.StartNew();
            while (await CountAsync(host, due) < AtOnce && burst.Elapsed < TimeSpan.FromMinutes(1)) await Task.Delay(20);
            var late = await LateAsync(host, "and r.scheduled_for = $2", due, due);
            Figures.Print("schedules.crowd_last_ms", late[^1], "ms", $"{AtOnce:#,0} schedules due at the same moment: until the last of their runs begins; p50 {Figures.Percentile(late, 0.5):0} ms");
        }
    }

    private static async Task MeasureAsync(EngineHost host, string name, string settings)
    {
        var since = Now();
        await Task.Delay(Measured);
        var late = await LateAsync(host, "and r.scheduled_for <= $2", since, Now() - 1_000_000);
        Figures.Print($"schedules.{name}_p50_ms", Figures.Percentile(late, 0.5), "ms", $"{settings}, {late.Count:#,0} runs");
        Figures.Print($"schedules.{name}_p99_ms", Figures.Percentile(late, 0.99), "ms", "the same runs");
        Figures.Bound($"schedules.{name}_max_ms", late[^1], 1000, "ms", "the same runs");
    }

    private static async Task FollowAsync(EngineHost host, Workflow job, string prefix, int count, Func<int, long, long> anchor)
    {
        var now = Now();
        for (var from = 0; from < count; from += Batch)
        {
            var first = from;
            await host.Database.WriteAsync(db =>
            {
                for (var i = first; i < Math.Min(first + Batch, count); i++) ScheduleControl.Follow(db, Tenant.Default, Named(job, $"{prefix}{i}"), anchor(i, now));
                return 0;
            });
        }
        host.Engine.Schedules.Changed();
    }

    /// <summary>Another definition of the same text, as far as schedules are concerned.</summary>
    internal static Workflow Named(Workflow job, string name) => new()
    {
        Id = job.Id with { Name = name },
        Hash = job.Hash,
        Definition = job.Definition,
        Do = job.Do,
        Nodes = job.Nodes,
        Schedule = job.Schedule,
    };

    private static Task<List<double>> LateAsync(EngineHost host, string and, long since, long until) => host.Database.ReadAsync(db =>
    {
        var late = db.Query($"select r.started_at - r.scheduled_for from run r where r.started_at is not null and r.scheduled_for >= $1 {and}", r => r.Long(0) / 1000.0, since, until);
        late.Sort();
        return late;
    });

    private static Task<long?> FirstAfterAsync(EngineHost host, long opened) =>
        host.Database.ReadAsync(db => db.First("select created_at from run where created_at > $1 limit 1", r => r.LongOrNull(0), null, opened));

    private static Task<long> CountAsync(EngineHost host, long tick) =>
        host.Database.ReadAsync(db => db.First("select count(*) from run where scheduled_for = $1", r => r.Long(0), 0L, tick));

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static Workflow Load()
    {
        var loaded = WorkflowLoader.Load("""
            document: { dsl: 1.0.3, namespace: bench, name: scheduled, version: 1.0.0 }
            schedule: { every: PT10M }
            do:
              - note: { set: { done: true } }
            """);
        return loaded.Workflow ?? throw new InvalidOperationException(string.Join("\n", loaded.Diagnostics));
    }
}
