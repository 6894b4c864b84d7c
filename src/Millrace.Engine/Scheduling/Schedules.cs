using Cronos;
using Millrace.Engine.Execution;
using Millrace.Engine.Telemetry;
using Millrace.Storage;

namespace Millrace.Engine.Scheduling;

/// <summary>
/// Starts the runs of schedules that are due. Sleeps until the next one is, or until it is told that there is one sooner. Any number of
/// processes may do this on one database: a schedule's row is locked by who deals with it, and its runs are committed with it.
/// </summary>
internal sealed class Schedules(Worker worker) : IAsyncDisposable
{
    /// <summary>Schedules dealt with in one transaction.</summary>
    private const int BatchMax = 200;

    /// <summary>Runs started in one transaction, beyond which the other schedules wait for the next.</summary>
    private const int StartsMax = 1000;

    /// <summary>How often somebody looks whether a schedule became due sooner than was known: word of it may come from another process or never.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>How often ends are looked for that nobody told of.</summary>
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(5);

    private const long RetryMicros = 60_000_000;

    private readonly CancellationTokenSource _stop = new();
    private readonly Alarm _called = new(worker.Time);
    private long _sleepsUntil = long.MaxValue;
    private long? _swept;
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = LoopAsync();

    /// <param name="at">When a schedule will be due, Unix microseconds.</param>
    public void Call(long at)
    {
        if (at < Volatile.Read(ref _sleepsUntil)) _called.Ring();
    }

    /// <summary>Starts what is due now.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        if (_swept is not { } swept || worker.Time.GetElapsedTime(swept) >= SweepInterval) await SweepAsync();
        while (!_stop.IsCancellationRequested)
        {
            var now = worker.Now;
            var (next, ended) = await worker.Database.ReadAsync(ScheduleStore.Next);
            if (!ended && !(next <= now)) return Math.Min(next ?? long.MaxValue, now + (long)Poll.TotalMicroseconds);
            var (rows, runs, cancelled) = await worker.Database.WriteAsync(db => Take(db, now, ended));
            if (runs > 0)
            {
                EngineMetrics.RunsScheduled(runs);
                await worker.Wakes.CallAsync();
            }
            foreach (var (tenant, run) in cancelled) worker.Nudge(tenant, run);
            // Another process deals with them.
            if (rows == 0) return now + (long)Poll.TotalMicroseconds;
        }
        return long.MaxValue;
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private (int Rows, int Runs, List<(Tenant, Guid)> Cancelled) Take(DbUnit db, long now, bool ended)
    {
        var (rows, runs, cancelled) = (0, 0, new List<(Tenant, Guid)>());
        var waiting = ended ? ScheduleStore.WithEnds(db, BatchMax) : [];
        // Of schedules that were taken away meanwhile, or that another process deals with.
        if (ended && waiting.Count == 0) ScheduleStore.ForgetEnds(db);
        foreach (var row in waiting)
        {
            var ends = ScheduleStore.TakeEnds(db, row.Tenant, row.Id);
            Deal(row, turn =>
            {
                foreach (var (run, at) in ends) turn.Ended(run, at);
            });
        }
        foreach (var row in ScheduleStore.Due(db, now, BatchMax))
        {
            if (runs >= StartsMax) break;
            Deal(row, turn => turn.Tick());
        }
        return (rows, runs, cancelled);

        void Deal(ScheduleRow row, Action<ScheduleTurn> what)
        {
            rows++;
            try
            {
                var turn = new ScheduleTurn(row with { Error = null }, now, worker.NewId);
                what(turn);
                runs += ScheduledRuns.Write(db, row, turn, now).Count;
                if (turn.Cancel is { } run) cancelled.Add((row.Tenant, run));
            }
            catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or CronFormatException)
            {
                // This machine lacks what the one had that took the definition. One such schedule does not keep the others.
                ScheduleStore.Update(db, row with { Error = e.Message, NextAt = now + RetryMicros }, now);
            }
        }
    }

    /// <summary>Finds what nobody told of, and schedules that a clock which was ahead has taken along.</summary>
    private async Task SweepAsync()
    {
        var now = worker.Now;
        if (await worker.Database.ReadAsync(ScheduleStore.HasAny))
        {
            await worker.Database.WriteAsync(db =>
            {
                ScheduleStore.FindEnds(db);
                foreach (var row in ScheduleStore.Ahead(db, now + RetryMicros, BatchMax))
                {
                    var turn = new ScheduleTurn(row with { LastTick = null }, now, worker.NewId);
                    turn.Restart();
                    ScheduledRuns.Write(db, row, turn, now);
                }
                return 0;
            });
        }
        _swept = worker.Time.GetTimestamp();
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var until = worker.Now + (long)worker.Settings.PollInterval.TotalMicroseconds;
            try
            {
                // A call that comes meanwhile makes it look once more.
                Volatile.Write(ref _sleepsUntil, long.MaxValue);
                until = await RunOnceAsync();
            }
            catch (Exception e)
            {
                worker.LoopFailed("starting runs of schedules", e);
            }
            Volatile.Write(ref _sleepsUntil, until);
            // Timers count whole milliseconds: one that is cut short would have the loop look again and again until the time has come.
            var most = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(until - worker.Now, 0, 60_000_000) / 1000.0));
            await _called.SleepAsync(most, () => worker.Now >= until, _stop.Token);
        }
    }
}
