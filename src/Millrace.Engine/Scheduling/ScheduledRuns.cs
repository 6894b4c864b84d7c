using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Scheduling;

/// <summary>Writes what a turn has decided: the row, the runs, and the wish that another run may end, in one transaction.</summary>
internal static class ScheduledRuns
{
    /// <summary>The runs are due at once for whichever worker takes them first.</summary>
    /// <returns>The runs that begin; a tick that has started one before, as a backfill starts those of ticks that the schedule has still to come to, starts no other.</returns>
    public static List<ScheduledRun> Write(DbUnit db, ScheduleTurn turn, long now)
    {
        var row = turn.Row;
        var started = new List<ScheduledRun>(turn.Starts.Count);
        foreach (var start in turn.Starts)
        {
            if (ScheduleStore.Keep(db, row.Tenant, row.Id, start.Tick, start.Run))
            {
                Insert(db, row, start, now);
                started.Add(start);
            }
            else if (row.Running == start.Run)
            {
                row = row with { Running = null };
            }
        }
        if (turn.Cancel is { } cancelled)
        {
            var reason = Json.Object("reason", "its schedule has come to its next time");
            SignalStore.Send(db, row.Tenant, cancelled, "cancel", reason, now);
            ContinuationStore.SendOn(db, row.Tenant, cancelled, "cancel", reason, now);
        }
        ScheduleStore.Update(db, row, now);
        return started;
    }

    private static void Insert(DbUnit db, ScheduleRow row, ScheduledRun start, long now)
    {
        var trigger = new RunTrigger(row.Id, start.Tick);
        RunStore.Insert(db, RunRow.New(row.Tenant, start.Run, row.Definition, row.Hash, now) with { WakeAt = now, Trigger = trigger });
        if (row.Schedule.IsLimited) RunStore.NeedLater(db, row.Tenant, start.Run, EntryReader.LimitsFormat);
        // Small enough never to be kept elsewhere: the loader sees to it.
        var (bytes, _) = EntryWriter.Write([new Entry.RunCreated(row.Schedule.Input) { Trigger = trigger }]);
        JournalStore.Append(db, row.Tenant, start.Run, 0, now, RunPhase.Pending, bytes);
    }
}
