using System.Diagnostics;

namespace Millrace.Bench.Engine;

/// <summary>
/// Where the time of a step goes, by part of the engine, in two ways: the wait of one record by the clock, and what every thread was doing
/// when the runtime's own sampling profiler looked. The pace is taken with the clock, with the profiler, and alone before and after, so
/// that what measuring costs stands beside what was measured, and how much the machine's own pace differs beside both.
/// </summary>
internal static class PartsBench
{
    private const int InFlight = 256;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(string folder)
    {
        var (before, _) = await PaceAsync(Path.Combine(folder, "before"), timed: false, Wait);
        var (clocked, times) = await PaceAsync(Path.Combine(folder, "clocked"), timed: true, Wait);
        var trace = Path.Combine(folder, "trace.nettrace");
        var (profiled, _) = await PaceAsync(Path.Combine(folder, "profiled"), timed: false, () => StackSamples.CollectAsync(trace, Span));
        var (after, _) = await PaceAsync(Path.Combine(folder, "after"), timed: false, Wait);
        string Cost(double pace) => $"{100 * (1 - pace / ((before + after) / 2)):0.#} % of the pace (which differs by {100 * Math.Abs(1 - after / before):0.#} % by itself)";
        PrintRecord(times!, Cost(clocked));
        StackSamples.Print(trace, Cost(profiled));
    }

    private static Task Wait() => Task.Delay(Span);

    /// <returns>Steps a second while <paramref name="meanwhile"/> lasts.</returns>
    private static async Task<(double Pace, TimedDatabase? Times)> PaceAsync(string folder, bool timed, Func<Task> meanwhile)
    {
        var chain = Documents.Chain(10);
        var noop = new NoOp();
        TimedDatabase? times = null;
        await using var host = await EngineHost.OpenAsync(folder, [chain], [noop], around: timed ? database => times = new TimedDatabase(database) : null);
        var pace = 0.0;
        await host.UnderLoadAsync(chain, InFlight, async _ =>
        {
            var (before, watch) = (Volatile.Read(ref noop.Calls), Stopwatch.StartNew());
            await meanwhile();
            pace = (Volatile.Read(ref noop.Calls) - before) / watch.Elapsed.TotalSeconds;
        });
        return (pace, times);
    }

    private static void PrintRecord(TimedDatabase database, string cost)
    {
        var times = database.Times.ToList();
        var settings = $"of one record, mean of {times.Count:#,0} (one in {TimedDatabase.Every}); {InFlight} runs in flight, {database.Writes / (double)database.Groups:0} records a group; taking the times cost {cost}";
        Figures.Print("engine.record_queue_us", times.Average(t => t.Queue), "us", $"wait for its turn {settings}");
        Figures.Print("engine.record_statements_us", times.Average(t => t.Statements), "us", $"its own SQL statements {settings}");
        Figures.Print("engine.record_group_us", times.Average(t => t.Rest), "us", $"SQL statements behind it in its group {settings}");
        Figures.Print("engine.record_commit_us", times.Average(t => t.Commit), "us", $"commit, fsync and waking the run {settings}");
    }
}
