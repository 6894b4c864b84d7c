using System.Diagnostics;
using System.Net;
using Millrace.Tests.Crash;

namespace Millrace.Tests.Chaos;

/// <summary>Schedules with several processes that could follow them: their beginning, their end, and whether each tick started one run.</summary>
internal sealed class ChaosSchedules(ChaosCluster cluster, ChaosDoor door)
{
    private const long Second = 1_000_000;

    /// <summary>How long ticks that nobody could start may take to be made up for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Every tick of these starts a run: microseconds from one to the next.</summary>
    private static readonly Dictionary<string, long> Intervals = new() { ["ticking"] = 2 * Second, ["timed"] = 3 * Second };

    private long _asked;

    public async Task PushAsync(CountingService outside, CancellationToken cancel)
    {
        foreach (var document in ChaosWork.Scheduled.SelectMany(k => k.Documents(outside))) await door.PostAsync("api/v1/definitions", document, "application/yaml", cancel);
    }

    /// <summary>Pauses them once all ticks that were missed have been made up for.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience
            && (await cluster.QueryAsync("select 1 from schedule where next_at <= (extract(epoch from now()) - 0.5) * 1000000", r => r.GetInt32(0), cancel)).Count > 0)
            await Pause.ForAsync(TimeSpan.FromMilliseconds(100), cancel);
        _asked = (await cluster.QueryAsync("select (extract(epoch from now()) * 1000000)::bigint", r => r.GetInt64(0), cancel))[0];
        foreach (var kind in ChaosWork.Scheduled)
        {
            while (true)
            {
                var (status, text) = await door.AskAsync($"api/v1/schedules/chaos/{kind.Name}", """{"paused": true}""", null, new Random(0), cancel, method: HttpMethod.Patch);
                if (status == HttpStatusCode.OK) break;
                await door.SurprisedAsync("pause", status, text, cancel);
            }
        }
    }

    public async Task<ChaosPart> JudgeAsync(IReadOnlyDictionary<string, ChaosRow> rows, CountingService outside, CancellationToken cancel)
    {
        var part = new ChaosPart("schedule_faults", "ticks");
        var schedules = await cluster.QueryAsync("select id, name, created_at from schedule", r => (Id: r.GetGuid(0), Name: r.GetString(1), From: r.GetInt64(2)), cancel);
        var ticks = (await cluster.QueryAsync("select schedule, tick, run from schedule_run", r => (Schedule: r.GetGuid(0), Tick: r.GetInt64(1), Run: r.GetGuid(2).ToString()), cancel)).OrderBy(t => t.Tick).ToLookup(t => t.Schedule);
        var runs = rows.Values.Where(r => r.Schedule is not null).ToLookup(r => r.Schedule!.Value);
        var mayEnd = ChaosWork.Scheduled.ToDictionary(k => k.Name, k => k.MayEnd);
        var effects = outside.Recorded.Values.ToHashSet();
        foreach (var (id, name, from) in schedules)
        {
            var known = ticks[id].ToDictionary(t => t.Run, t => t.Tick);
            foreach (var (run, tick) in known)
                if (rows.GetValueOrDefault(run) is not { State: >= ChaosRow.Cancelled } row || !mayEnd[name].Contains(row.StateName)) part.Complain($"{run} of {name} for {tick} is {rows.GetValueOrDefault(run)?.StateName ?? "not there"}");
                else if (row.Tick != tick) part.Complain($"{run} of {name} is for {row.Tick}, its tick says {tick}");
            foreach (var run in runs[id].Where(r => !known.ContainsKey(r.Id))) part.Complain($"{run.Id} of {name} for {run.Tick} is no tick's run");
            foreach (var run in known.Keys.Where(r => rows.GetValueOrDefault(r)?.State == ChaosRow.Completed && !effects.Contains($"tick.{r}") && !effects.Contains($"tick.leave.{r}"))) part.Complain($"{run} of {name} has had no effect");
            if (known.Count == 0) part.Complain($"{name} has started no run");
            else if (Intervals.TryGetValue(name, out var interval)) part.Complaints.AddRange(Gaps(name, [.. ticks[id].Select(t => t.Tick).Prepend(from)], interval));
        }
        if (schedules.Count != ChaosWork.Scheduled.Count) part.Complain($"there are {schedules.Count} schedules");
        part.Seen = $"of {ticks.Sum(t => t.Count())}, {cluster.Schedulers.Length} schedulers alive: without a run, with more than one, or not there";
        return part;
    }

    /// <param name="times">When the schedule began, and its ticks.</param>
    private IEnumerable<string> Gaps(string name, List<long> times, long interval)
    {
        if (times[1] - times[0] > interval) yield return $"{name} began at {times[0]}, and its first tick is {times[1]}";
        for (var i = 2; i < times.Count; i++)
            if (times[i] - times[i - 1] != interval) yield return $"{name} has a tick {times[i]} after {times[i - 1]}";
        if (_asked - times[^1] > interval + Second) yield return $"{name} was paused at {_asked}, and its last tick is {times[^1]}";
    }
}
