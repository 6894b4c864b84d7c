using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schedules;

namespace Millrace.Engine.Scheduling;

/// <summary>How a backfill ended.</summary>
/// <param name="Started">Runs that begin, one for each tick.</param>
/// <param name="Known">Ticks that had started a run before.</param>
public sealed record Backfilled(int Started, int Known);

/// <summary>What people want of schedules. Everything is answered after its commit.</summary>
public sealed class ScheduleControl
{
    /// <summary>Ticks of one backfill.</summary>
    public const int BackfillMax = 1000;

    private readonly Worker _worker;

    internal ScheduleControl(Worker worker) => _worker = worker;

    private long Now => _worker.Now;

    /// <summary>Takes over what the latest version of a definition says, in the transaction that made it the latest.</summary>
    /// <param name="workflow">The latest version, with a schedule or without.</param>
    public static void Follow(DbUnit db, Tenant tenant, Workflow workflow, long now)
    {
        var id = ScheduleRow.IdOf(tenant, workflow.Id.Namespace, workflow.Id.Name);
        var known = ScheduleStore.Lock(db, tenant, id);
        if (workflow.Schedule?.Under(limits: workflow.Flow is not null) is not { } schedule)
        {
            if (known is not null) ScheduleStore.Delete(db, tenant, id);
            return;
        }
        // Who deploys every day keeps what is due every other day.
        if (known is not null && known.Schedule.HasTicksOf(schedule))
        {
            ScheduleStore.Update(db, known with { Definition = workflow.Id, Hash = workflow.Hash, Schedule = schedule }, now);
            return;
        }
        var row = known is null
            ? new ScheduleRow { Tenant = tenant, Id = id, Definition = workflow.Id, Hash = workflow.Hash, Schedule = schedule, Anchor = now, CreatedAt = now }
            : known with { Definition = workflow.Id, Hash = workflow.Hash, Schedule = schedule, Anchor = now, LastTick = null, Buffered = null, Error = null };
        var turn = new ScheduleTurn(row, now, Guid.NewGuid);
        turn.Restart();
        if (known is null) ScheduleStore.Insert(db, turn.Row);
        else ScheduleStore.Update(db, turn.Row, now);
    }

    /// <summary>Somebody has changed schedules, and this process may have to start a run sooner than it knew.</summary>
    public void Changed() => _worker.Schedules.Call(0);

    /// <summary>While it is paused a schedule starts nothing, and what it would have started is not made up for.</summary>
    /// <returns>The schedule; null when there is none.</returns>
    public async Task<ScheduleRow?> PauseAsync(Tenant tenant, string space, string name, bool paused)
    {
        var now = Now;
        var row = await _worker.Database.WriteAsync(db =>
        {
            if (ScheduleStore.Lock(db, tenant, ScheduleRow.IdOf(tenant, space, name)) is not { } row) return null;
            if (row.Paused == paused) return row;
            var changed = Restarted(row with { Paused = paused, Skipped = row.Skipped + (row.Buffered is null ? 0 : 1), Buffered = null, Error = null }, now);
            ScheduleStore.Update(db, changed, now);
            return changed;
        });
        Changed();
        return row;
    }

    /// <summary>Starts a run at once, whether the schedule is paused or not and whatever is under way.</summary>
    /// <param name="key">The same key starts one run.</param>
    /// <returns>The run, and whether this request started it; no run when the key stands for another request; null when there is no such schedule.</returns>
    public async Task<(Guid Run, bool Started)?> TriggerAsync(Tenant tenant, string space, string name, string? key)
    {
        var now = Now;
        var (request, id) = ($"schedule:{space}/{name}", _worker.NewId());
        var outcome = await _worker.Database.WriteAsync<(Guid, bool)?>(db =>
        {
            if (ScheduleStore.Lock(db, tenant, ScheduleRow.IdOf(tenant, space, name)) is not { } row) return null;
            if (key is not null && RunStore.KeepKey(db, tenant, key, request, id, now) is { } earlier)
                return earlier.Request == request ? (earlier.Run, false) : (Guid.Empty, false);
            // A tick that happens to be at this very microsecond has its run already.
            var tick = now;
            while (ScheduleStore.HasRun(db, tenant, row.Id, tick)) tick++;
            var turn = new ScheduleTurn(row, now, () => id);
            turn.Begin(tick);
            ScheduledRuns.Write(db, turn, now);
            return (id, true);
        });
        if (outcome is (_, true)) await StartedAsync(1);
        return outcome;
    }

    /// <summary>Starts a run for each tick of a time that has passed and that has started none, all at once.</summary>
    /// <returns>Null when there is no such schedule; null inside when it names more than <see cref="BackfillMax"/> ticks of that time.</returns>
    public async Task<(ScheduleRow Row, Backfilled? Done)?> BackfillAsync(Tenant tenant, string space, string name, long from, long to)
    {
        var now = Now;
        var outcome = await _worker.Database.WriteAsync<(ScheduleRow, Backfilled?)?>(db =>
        {
            if (ScheduleStore.Lock(db, tenant, ScheduleRow.IdOf(tenant, space, name)) is not { } row) return null;
            var ticks = TicksOf(row).Between(from, Math.Min(to, now), BackfillMax + 1).ToList();
            if (ticks.Count > BackfillMax) return (row, null);
            var turn = new ScheduleTurn(row, now, _worker.NewId);
            foreach (var tick in ticks) turn.Begin(tick);
            // They stand for a time that has passed: none of them is what the next tick waits for.
            var started = ScheduledRuns.Write(db, turn.Apart(), now);
            return (row, new Backfilled(started.Count, ticks.Count - started.Count));
        });
        if (outcome is (_, { Started: > 0 } done)) await StartedAsync(done.Started);
        return outcome;
    }

    /// <summary>Whether an exception says that this machine lacks what the schedule needs, such as a time zone.</summary>
    public static bool IsBeyondUs(Exception e) => ScheduleTurn.IsBeyondUs(e);

    /// <summary>The next moments that a schedule names, as far as they are known now.</summary>
    /// <returns>Each with the moment at which its run begins.</returns>
    public static List<(long Tick, long At)> Coming(ScheduleRow row, int max)
    {
        if (row.NextTick is not { } next) return [];
        var ticks = TicksOf(row);
        List<long> coming = row.Schedule.After is null ? [.. ticks.Between(next, long.MaxValue / 1000, max)] : [next];
        return coming.ConvertAll(t => (t, ticks.Due(row.Id, t)));
    }

    private ScheduleRow Restarted(ScheduleRow row, long now)
    {
        try
        {
            var turn = new ScheduleTurn(row, now, _worker.NewId);
            turn.Restart();
            return turn.Row;
        }
        catch (Exception e) when (ScheduleTurn.IsBeyondUs(e))
        {
            // It is due, so that it is told of as any other that cannot be followed, and tried again.
            return row with { Error = e.Message, NextTick = now, NextAt = now };
        }
    }

    private static Ticks TicksOf(ScheduleRow row) => new(row.Schedule, row.Anchor);

    private async Task StartedAsync(int runs)
    {
        EngineMetrics.RunsScheduled(runs);
        await _worker.Wakes.CallAsync();
        Changed();
    }
}
