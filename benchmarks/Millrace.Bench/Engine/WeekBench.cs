using System.Diagnostics;
using System.Globalization;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Bench.Engine;

/// <summary>
/// Days that pass in hours: the clock goes faster, and all that goes by it with it. Requests, schedules and events start runs that wait, call and go
/// when they have been kept for a day. Latency, tables, file and memory have to stay as they are once the first day is over.
/// </summary>
internal static class WeekBench
{
    private const int Windows = 14, AtOnce = 20, Schedules = 200, EventsEachSecond = 20;

    /// <summary>What the last windows may take or hold, measured by those after the first days.</summary>
    private const double DriftMost = 2, RowsMost = 1.5, LiveMost = 1.5;

    public static async Task<int> RunAsync(string[] args, Func<Func<string, Task>, Task> inFolder)
    {
        if (Option(args, "--hours", 1) is not { } hours || Option(args, "--days", 7) is not { } days || hours <= 0 || days < 1)
        {
            Console.Error.WriteLine("Usage: ./bench soak --hours H --days D [--json]: D days, 1 or more, pass in H hours.");
            return 2;
        }
        await inFolder(folder => RunAsync(folder, TimeSpan.FromHours(hours), TimeSpan.FromDays(days)));
        return 0;
    }

    private static async Task RunAsync(string folder, TimeSpan real, TimeSpan passed)
    {
        var factor = passed / real;
        var time = new FastTime(factor);
        var kept = TimeSpan.FromDays(1);
        var (request, ticked, told) = (Load("request", "", factor), Load("ticked", "\nschedule: { every: PT1H }", factor), Load("told", "\nschedule: { on: { one: { with: { type: soak.event } } } }", factor));
        var settings = new EngineSettings { LeaseTime = TimeSpan.FromSeconds(6) * factor, PollInterval = TimeSpan.FromSeconds(0.5) * factor, EventsKept = kept };
        await using var host = await EngineHost.OpenAsync(folder, [request, ticked, told], [new NoOp()], settings, time: time);
        await FollowAsync(host, ticked, told, time);
        using var stop = new CancellationTokenSource();
        var events = PublishAsync(host, stop.Token);
        var windows = new List<Window>();
        for (var i = 0; i < Windows; i++)
        {
            var window = await PassAsync(host, request, real / Windows, folder);
            windows.Add(window);
            Figures.Say(string.Create(CultureInfo.InvariantCulture,
                $"day {(i + 1) * passed.TotalDays / Windows:0.0}: {window.Runs} requests, p50 {window.Median:0.0} ms, p99 {window.Tail:0.0} ms, {window.Rows:#,0} runs, {window.Records:#,0} records, {window.Events:#,0} events, file {window.File / 1e6:0} MB, live {window.Live / 1e6:0} MB"));
        }
        await stop.CancelAsync();
        await events;
        Check(windows, passed, real);
    }

    private static void Check(List<Window> windows, TimeSpan passed, TimeSpan real)
    {
        // The first day fills the tables, and half a day more lets the keeping of it come to its pace.
        var steady = Math.Min(Windows - 2, (int)Math.Ceiling(Windows * 1.5 / passed.TotalDays));
        var (early, late) = (windows[steady], windows[^1]);
        var settings = $"{passed.TotalDays:0.#} days in {real.TotalMinutes:0.#} minutes; the last window against the one after day {steady * passed.TotalDays / Windows:0.0}";
        Figures.Bound("soak.days_p50_drift", late.Median / early.Median, DriftMost, "ratio", settings);
        Figures.Bound("soak.days_p99_drift", late.Tail / early.Tail, DriftMost, "ratio", settings);
        Figures.Bound("soak.days_run_rows", (double)late.Rows / early.Rows, RowsMost, "ratio", settings);
        Figures.Bound("soak.days_records", (double)late.Records / early.Records, RowsMost, "ratio", settings);
        Figures.Bound("soak.days_events", (double)late.Events / Math.Max(1, early.Events), RowsMost, "ratio", settings);
        Figures.Bound("soak.days_file", late.File / early.File, RowsMost, "ratio", settings);
        Figures.Bound("soak.days_live", late.Live / early.Live, LiveMost, "ratio", settings);
    }

    private static async Task<Window> PassAsync(EngineHost host, Workflow request, TimeSpan real, string folder)
    {
        var (watch, took) = (Stopwatch.StartNew(), new List<double>());
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (watch.Elapsed < real)
        {
            var batch = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
            {
                var began = Stopwatch.GetTimestamp();
                await host.RunAsync(request);
                return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }));
            took.AddRange(batch);
            await pulse.WaitForNextTickAsync();
        }
        took.Sort();
        var (rows, records, events) = await host.Database.ReadAsync(db => (Count(db, "run"), Count(db, "journal"), Count(db, "event")));
        GC.Collect();
        return new Window(took.Count, Figures.Percentile(took, 0.5), Figures.Percentile(took, 0.99), rows, records, events,
            new FileInfo(Path.Combine(folder, "millrace.db")).Length, GC.GetTotalMemory(forceFullCollection: true));
    }

    private static long Count(DbUnit db, string table) => db.First($"select count(*) from {table}", r => r.Long(0), 0L);

    private static async Task PublishAsync(EngineHost host, CancellationToken stop)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EventsEachSecond));
        try
        {
            for (var i = 0; await pulse.WaitForNextTickAsync(stop); i++)
            {
                var e = new JsonObject.Builder().Set("specversion", "1.0").Set("type", "soak.event").Set("source", "/soak").Set("id", i.ToString(CultureInfo.InvariantCulture)).Set("data", i);
                await host.Engine.Events.PublishAsync(Tenant.Default, [(Json)e.Build()]);
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
    }

    private static async Task FollowAsync(EngineHost host, Workflow ticked, Workflow told, TimeProvider time)
    {
        var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        await host.Database.WriteAsync(db =>
        {
            TriggerStore.Follow(db, Tenant.Default, told, now);
            for (var i = 0; i < Schedules; i++) ScheduleControl.Follow(db, Tenant.Default, ScheduleBench.Named(ticked, $"ticked-{i}"), now + i);
            return 0;
        });
        host.Engine.Schedules.Changed();
    }

    private static Workflow Load(string name, string head, double factor)
    {
        // Real time that a request's run waits: short, whatever the pace of the clock.
        var rest = string.Create(CultureInfo.InvariantCulture, $"PT{factor * 0.02:0.###}S");
        var loaded = WorkflowLoader.Load($$"""
            document:
              dsl: 1.0.3
              namespace: soak
              name: {{name}}
              version: 1.0.0
              metadata: { retention: { completed: P1D, faulted: P1D, cancelled: P1D } }{{head}}
            do:
              - before: { call: 'noop:1.0.0@default', with: { order: 4711 } }
              - rest: { wait: {{rest}} }
              - after: { call: 'noop:1.0.0@default', with: { order: 4711 } }
            """);
        return loaded.Workflow ?? throw new InvalidOperationException(string.Join("\n", loaded.Diagnostics));
    }

    private static double? Option(string[] args, string name, double otherwise)
    {
        var at = Array.IndexOf(args, name);
        if (at < 0) return otherwise;
        return at + 1 < args.Length && double.TryParse(args[at + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private sealed record Window(int Runs, double Median, double Tail, long Rows, long Records, long Events, double File, double Live);
}
