using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Simulation.World;
using Millrace.Storage;

namespace Millrace.Simulation.Checks;

/// <summary>
/// Whatever begins by itself began once: a tick of a schedule has one run, an event starts one. Runs that must not meet did not, at no write: a log of the test's
/// own, which a trigger writes, says who was under way when one began.
/// </summary>
internal sealed class Ticks(Cluster cluster, Timekeepers timekeepers)
{
    private sealed record Schedule(string Program, long Skipped, long? Last, long Anchor);

    public static void Install(DbUnit db)
    {
        db.Execute("create table if not exists tick_log (run blob not null, other blob not null) strict");
        db.Execute("""
            create trigger if not exists tick_began after insert on run when new.schedule is not null begin
                insert into tick_log select new.id, id from run where schedule = new.schedule and id <> new.id and state < 4;
            end
            """);
    }

    public async Task JudgeAsync(IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        var schedules = await cluster.Database!.ReadAsync(db => db.Query("select name, skipped, last_tick, anchor from schedule where workspace = $1", r => new Schedule(r.Text(0), r.Long(1), r.LongOrNull(2), r.Long(3)), Tenant.Default.Workspace));
        // What people start stands for itself, whatever is under way; it is under way for others only where nothing else is.
        var met = (await cluster.Database!.ReadAsync(db => db.Query("select run, other from tick_log", r => (Run: r.Id(0), Other: r.Id(1))))).Where(m => !IsWanted(chains.FirstOf(m.Other), runs)).DistinctBy(m => m.Run).ToDictionary(m => m.Run, m => m.Other);
        var events = await cluster.Database!.ReadAsync(db => db.Query("select type, id from event where workspace = $1", r => (Type: r.Text(0), Id: r.Text(1)), Tenant.Default.Workspace));
        foreach (var program in cluster.Library.All.Where(p => p.Timing is not null))
        {
            var own = runs.Values.Where(r => r.Row.Definition.Name == program.Name && r.Row is { Parent: null, Fork: null } && !chains.Continues(r.Row.Id)).ToList();
            if (program.Timing!.HasTicks) Judge(program, schedules.Find(s => s.Program == program.Name), [.. own.Where(r => r.Row.Trigger is not null && !timekeepers.Started.Contains(r.Row.Id)).OrderBy(r => r.Row.Trigger!.At)], met, runs, chains);
            else Judge(program, events, [.. own.Where(r => r.IsByEvent)]);
        }
    }

    /// <summary>Somebody wanted it, at once or for a time before the schedule was there.</summary>
    private bool IsWanted(Guid run, IReadOnlyDictionary<Guid, Found> runs) => timekeepers.Started.Contains(run)
        || (runs.TryGetValue(run, out var found) && timekeepers.Filled.Exists(f => f.Program == found.Row.Definition.Name && f.From <= found.Row.Trigger!.At && found.Row.Trigger.At <= f.To));

    private void Judge(RandomProgram program, Schedule? schedule, List<Found> own, Dictionary<Guid, Guid> met, IReadOnlyDictionary<Guid, Found> runs, Chains chains)
    {
        if (schedule is null)
        {
            Wrong(program, "it is not there");
            return;
        }
        var (timing, period) = (program.Timing!, program.Timing!.Ms * 1000L);
        JudgeFilled(program, period, own.FindAll(r => r.Row.Trigger!.At <= schedule.Anchor));
        own = own.FindAll(r => r.Row.Trigger!.At > schedule.Anchor);
        var ticks = own.ConvertAll(r => r.Row.Trigger!.At);
        if (ticks.Count != ticks.Distinct().Count()) Wrong(program, "a tick has two runs");
        if (timing.IsAlone && own.Find(r => met.ContainsKey(r.Row.Id)) is { } early) Wrong(program, $"run {early.Name} began while {Names.Of(met[early.Row.Id])} was under way");
        if (timing.By == Begins.After)
        {
            // Whoever goes by a clock that was set waits by another.
            for (var i = 1; i < own.Count && !cluster.ClocksDiffered; i++)
                if (runs[chains.LastOf(own[i - 1].Row.Id)].Row.EndedAt + period != ticks[i]) Wrong(program, $"run {own[i].Name} was to begin {timing.Ms} ms after the end of {own[i - 1].Name}");
            return;
        }
        var start = timing.By == Begins.Every ? schedule.Anchor : 0;
        if (!cluster.ClocksDiffered && ticks.Find(t => (t - start) % period != 0) is > 0 and var off) Wrong(program, $"it names no tick at {off}");
        for (var i = 1; i < ticks.Count && timing.HasNoGap; i++)
            if (ticks[i] - ticks[i - 1] != period) Wrong(program, $"it has a tick {(ticks[i] - ticks[i - 1]) / 1000} ms after another, not {timing.Ms}");
        if (cluster.ClocksDiffered || schedule.Last is not { } last) return;
        var first = start + ((schedule.Anchor - start) / period + 1) * period;
        var named = (last - first) / period + 1;
        if (own.Count + schedule.Skipped is var dealt && dealt != named) Wrong(program, $"of {named} ticks {own.Count} have runs, and {schedule.Skipped} are told of as skipped");
    }

    /// <summary>A tick from before the schedule was there has one run where somebody filled that time in, and else none.</summary>
    private void JudgeFilled(RandomProgram program, long period, List<Found> own)
    {
        var (ticks, filled) = (own.ConvertAll(r => r.Row.Trigger!.At), timekeepers.Filled.FindAll(f => f.Program == program.Name));
        if (ticks.Count != ticks.Distinct().Count()) Wrong(program, "a tick that was filled in has two runs");
        if (ticks.Exists(t => t % period != 0 || !filled.Exists(f => f.From <= t && t <= f.To))) Wrong(program, "a time that nobody filled in, or that is no tick, has a run");
        foreach (var time in filled)
            for (var tick = (time.From / period + 1) * period; tick < time.Passed; tick += period)
                if (!ticks.Contains(tick)) Wrong(program, $"the time from {time.From} to {time.Passed} was filled in, and the tick at {tick} has no run");
    }

    /// <summary>Each event of the one type has a run; of two types, each pair.</summary>
    private void Judge(RandomProgram program, List<(string Type, string Id)> events, List<Found> own)
    {
        var started = own.SelectMany(r => r.History.State.Input.AsArray().Select(e => e["id"].AsString())).ToList();
        if (started.GroupBy(id => id).FirstOrDefault(g => g.Count() > 1) is { } twice) Wrong(program, $"event {twice.Key} has started {twice.Count()} runs");
        var expected = Events.Starting.Take(program.Timing!.By == Begins.Events ? 2 : 1).Min(type => events.Count(e => e.Type == type));
        if (timekeepers.Paused.Contains(program.Name) ? own.Count > expected : own.Count != expected) Wrong(program, $"{expected} runs were to be started by events, and {own.Count} were");
    }

    private void Wrong(RandomProgram program, string what) => cluster.Scheduler.Fail($"the schedule of {program.Name}: {what}");
}
