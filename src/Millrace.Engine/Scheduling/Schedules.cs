using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Storage;
using Millrace.Workflows;

namespace Millrace.Engine.Scheduling;

/// <summary>
/// Starts the runs of schedules that are due. Sleeps until the next one is, or until it is told that there is one sooner. Any number of
/// processes may do this on one database: a schedule's row is locked by who deals with it, and its runs are committed with it.
/// </summary>
internal sealed class Schedules : IAsyncDisposable
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

    private readonly Worker _worker;
    private readonly DueLoop _loop;
    private long? _swept;

    public Schedules(Worker worker)
    {
        _worker = worker;
        _loop = new DueLoop(worker, "starting runs of schedules", RunOnceAsync);
    }

    public void Start() => _loop.Start();

    /// <param name="at">When a schedule will be due, Unix microseconds.</param>
    public void Call(long at) => _loop.Call(at);

    /// <summary>Starts what is due now.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        if (_swept is not { } swept || _worker.Time.GetElapsedTime(swept) >= SweepInterval) await SweepAsync();
        while (!_loop.IsStopping)
        {
            var now = _worker.Now;
            var (next, ended) = await _worker.Database.ReadAsync(ScheduleStore.Next);
            if (!ended && !(next <= now)) return Math.Min(next ?? long.MaxValue, now + (long)Poll.TotalMicroseconds);
            var (rows, runs, cancelled) = await _worker.Database.WriteAsync(db => Take(db, now, ended));
            if (runs > 0)
            {
                EngineMetrics.RunsScheduled(runs);
                await _worker.Wakes.CallAsync();
            }
            foreach (var (tenant, run) in cancelled) _worker.Nudge(tenant, run);
            // Another process deals with them.
            if (rows == 0) return now + (long)Poll.TotalMicroseconds;
        }
        return long.MaxValue;
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

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
                foreach (var (run, at) in ends) turn.Ended(ContinuationStore.FirstOf(db, row.Tenant, run), at);
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
                var turn = new ScheduleTurn(row with { Error = null }, now, _worker.NewId);
                what(turn);
                runs += ScheduledRuns.Write(db, turn, now).Count;
                if (turn.Cancel is { } run) cancelled.Add((row.Tenant, run));
            }
            catch (Exception e) when (ScheduleTurn.IsBeyondUs(e))
            {
                // One such schedule does not keep the others.
                ScheduleStore.Update(db, row with { Error = e.Message, NextAt = now + RetryMicros }, now);
                var name = $"{row.Definition.Namespace}/{row.Definition.Name}";
                DeadLetterStore.Put(db, new DeadLetter(row.Tenant, DeadLetterKind.Schedule, name, "schedule.failed",
                    new WorkflowError(ErrorTypes.Configuration, 500, "The schedule cannot be followed", e.Message))
                { Definition = name }, now);
            }
        }
    }

    /// <summary>Finds what nobody told of, and schedules that a clock which was ahead has taken along.</summary>
    private async Task SweepAsync()
    {
        var now = _worker.Now;
        if (await _worker.Database.ReadAsync(ScheduleStore.HasAny))
        {
            await _worker.Database.WriteAsync(db =>
            {
                ScheduleStore.FindEnds(db);
                foreach (var row in ScheduleStore.Ahead(db, now + RetryMicros, BatchMax))
                {
                    var turn = new ScheduleTurn(row with { LastTick = null }, now, _worker.NewId);
                    turn.Restart();
                    ScheduledRuns.Write(db, turn, now);
                }
                return 0;
            });
        }
        _swept = _worker.Time.GetTimestamp();
    }
}
