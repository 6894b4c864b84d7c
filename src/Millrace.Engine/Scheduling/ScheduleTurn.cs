using Cronos;
using Millrace.Workflows.Schedules;

namespace Millrace.Engine.Scheduling;

/// <summary>
/// What becomes of one schedule at one moment: which runs begin, which is cancelled, and how its row goes on. Pure; the row is locked
/// by whoever calls, and what is decided is written in the same transaction.
/// </summary>
internal sealed class ScheduleTurn(ScheduleRow row, long now, Func<Guid> newId)
{
    /// <summary>Runs that one schedule starts in one turn; the rest come in the next.</summary>
    public const int StartsMax = 100;

    /// <summary>Ticks that are walked in one turn.</summary>
    public const int TicksMax = 1000;

    /// <summary>A tick that is no later than this was not missed.</summary>
    public const long OnTimeMicros = 10_000_000;

    /// <summary>Spans in which the ticks that are overtaken by a later one need not be walked.</summary>
    private static readonly long[] Leaps = [.. ((double[])[31 * 86_400, 86_400, 7_200, 300]).Select(s => (long)(s * 1e6))];

    private Ticks? _known;
    private readonly Guid? _running = row.Running;

    public ScheduleRow Row { get; private set; } = row;
    public List<ScheduledRun> Starts { get; } = [];

    /// <summary>The run that makes room.</summary>
    public Guid? Cancel { get; private set; }

    private WorkflowSchedule Schedule => Row.Schedule;

    /// <summary>Found when they are needed: who pauses a schedule or starts a run of it needs no time zone.</summary>
    private Ticks Ticks => _known ??= new(Schedule, Row.Anchor);

    /// <summary>How late a run may begin.</summary>
    private long Window => Schedule.CatchUp == CatchUp.None ? OnTimeMicros : Math.Max((long)Schedule.Window.TotalMicroseconds, OnTimeMicros);

    /// <summary>A run has ended.</summary>
    public void Ended(Guid run, long at)
    {
        if (Row.Running != run) return;
        Row = Row with { Running = null };
        if (Row.Paused) return;
        if (Schedule.After is { } after) Await(at + (long)after.TotalMicroseconds);
        else if (Row.Buffered is { } tick)
        {
            Row = Row with { Buffered = null };
            Begin(tick);
        }
    }

    /// <summary>Deals with the ticks that are due.</summary>
    public void Tick()
    {
        if (Row.NextTick is not { } next || Due(next) > now)
        {
            // It was due for another reason, such as trying again.
            Await(Row.NextTick);
            return;
        }
        if (Schedule.After is not null)
        {
            Row = Row with { LastTick = Later(Row.LastTick, next) };
            Await(null);
            Begin(next);
            return;
        }
        var due = Walk(next, out var after);
        var wanted = Wanted(due, after is { } more && Due(more) <= now);
        Row = Row with { Skipped = Row.Skipped + due.Count - wanted.Count };
        foreach (var tick in wanted) Offer(tick);
        Row = Row with { LastTick = due.Count == 0 ? Row.LastTick : Later(Row.LastTick, due[^1]) };
        Await(after);
    }

    /// <summary>Starts a run because somebody wants it, whatever is under way.</summary>
    public void Begin(long tick)
    {
        var run = newId();
        Starts.Add(new ScheduledRun(tick, run));
        if (Schedule.TracksRuns && Row.Running is null) Row = Row with { Running = run };
    }

    /// <summary>This machine lacks what the one had that took the definition, such as a time zone.</summary>
    public static bool IsBeyondUs(Exception e) => e is TimeZoneNotFoundException or InvalidTimeZoneException or CronFormatException;

    /// <summary>Its starts stand for themselves: the schedule goes on as if they were not.</summary>
    public ScheduleTurn Apart()
    {
        Row = Row with { Running = _running };
        return this;
    }

    /// <summary>Goes on from now, whatever was missed.</summary>
    public void Restart()
    {
        if (Row.Paused) Await(null);
        else if (Schedule.After is not { } after) Await(Ticks.Next(now));
        else Await(Row.Running is null ? now + (long)after.TotalMicroseconds : null);
    }

    private void Await(long? tick) => Row = Row with { NextTick = tick, NextAt = tick is { } t ? Due(t) : null };

    private long Due(long tick) => Ticks.Due(Row.Id, tick);

    /// <summary>The ticks that are due, as many as one turn deals with. Those that nothing will be made of are leapt over.</summary>
    /// <param name="after">The tick behind them.</param>
    private List<long> Walk(long first, out long? after)
    {
        var from = first;
        var jitter = (long)Schedule.Jitter.TotalMicroseconds;
        Leap(Window, toTheFuture: true);
        if (Schedule.CatchUp == CatchUp.Latest)
            foreach (var span in Leaps) Leap(span, toTheFuture: false);
        var max = Schedule.CatchUp == CatchUp.All ? StartsMax : TicksMax;
        var due = Ticks.Between(from, now, max).TakeWhile(t => Due(t) <= now).ToList();
        after = due.Count == 0 ? Ticks.Next(from - 1) : Ticks.Next(due[^1]);
        return due;

        // What is overtaken is left out only where the tick that overtakes it is due.
        void Leap(long span, bool toTheFuture)
        {
            if (Ticks.Next(now - span - jitter - 1) is not { } tick || tick <= from || (Due(tick) > now && !toTheFuture)) return;
            var leapt = Ticks.Between(from, tick - 1, TicksMax).ToList();
            Row = Row with { Skipped = Row.Skipped + leapt.Count, LastTick = Later(Row.LastTick, leapt[^1]) };
            from = tick;
        }
    }

    /// <param name="more">More ticks are due behind these.</param>
    private List<long> Wanted(List<long> due, bool more)
    {
        var wanted = due.Where(t => now - Due(t) <= Window).ToList();
        if (Schedule.CatchUp == CatchUp.Latest)
        {
            var onTime = wanted.Where(t => now - Due(t) <= OnTimeMicros).ToList();
            wanted = onTime.Count > 0 ? onTime : more ? [] : [.. wanted.TakeLast(1)];
        }
        // Each would be cancelled by the next.
        return Schedule.Overlap == Overlap.CancelOther ? [.. wanted.TakeLast(1)] : wanted;
    }

    private void Offer(long tick)
    {
        if (!Schedule.TracksRuns || Row.Running is null)
        {
            Begin(tick);
            return;
        }
        var waits = Schedule.Overlap == Overlap.CancelOther || (Schedule.Overlap == Overlap.BufferOne && Row.Buffered is null);
        if (!waits || Row.Buffered is not null) Row = Row with { Skipped = Row.Skipped + 1 };
        if (waits) Row = Row with { Buffered = tick };
        if (Schedule.Overlap == Overlap.CancelOther) Cancel = Row.Running;
    }

    private static long Later(long? one, long other) => one > other ? one.Value : other;
}
