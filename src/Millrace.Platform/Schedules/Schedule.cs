using System.Text.Json.Serialization;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Schedules;

namespace Millrace.Platform.Schedules;

/// <param name="Window">For how long a missed tick is made up for, ISO 8601.</param>
public sealed record ScheduleCatchUp(string Window, CatchUp Mode);

/// <summary>A run that a schedule has started.</summary>
/// <param name="At">The moment that it stands for.</param>
public sealed record ScheduleRun(DateTimeOffset At, Guid Run, RunPhase State, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);

/// <param name="Tick">The moment that the schedule names.</param>
/// <param name="At">When the run begins: the same, and its share of the jitter.</param>
public sealed record ScheduleTick(DateTimeOffset Tick, DateTimeOffset At);

/// <summary>When runs of a definition begin by themselves.</summary>
/// <param name="Version">The definition's latest version, whose runs it starts.</param>
/// <param name="Times">The document's schedule, as it is written there.</param>
/// <param name="Jitter">ISO 8601.</param>
/// <param name="Input">What its runs are started on.</param>
/// <param name="NextAt">When the next run begins; null while it is paused, waits for the end of a run, or has come to its last.</param>
/// <param name="Running">The run whose end it waits for, or that the next tick may meet.</param>
/// <param name="Buffered">The tick that begins when that run has ended.</param>
/// <param name="Skipped">Ticks that started no run, because they were missed or because a run was under way; counted up to 1,000 at a time.</param>
/// <param name="Error">Why it cannot be followed here.</param>
public sealed record Schedule(
    Guid Id, string Namespace, string Name, string Version, Json Times, string TimeZone, Overlap Overlap, ScheduleCatchUp CatchUp, string? Jitter, Json Input, bool Paused,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] DateTimeOffset? NextAt, ScheduleRun? LastRun, Guid? Running, DateTimeOffset? Buffered, long Skipped, string? Error,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static Schedule Of(DbUnit db, ScheduleRow row) => Of(row, RunsOf(db, row, 1).FirstOrDefault());

    internal static Schedule Of(ScheduleRow row, ScheduleRun? last)
    {
        var says = row.Schedule;
        return new Schedule(
            row.Id, row.Definition.Namespace, row.Definition.Name, row.Definition.Version, says.Source["schedule"], says.TimeZone, says.Overlap,
            new ScheduleCatchUp(System.Xml.XmlConvert.ToString(says.Window), says.CatchUp), says.Jitter == TimeSpan.Zero ? null : System.Xml.XmlConvert.ToString(says.Jitter),
            says.Input, row.Paused, Time(row.NextAt), last, row.Running, Time(row.Buffered), row.Skipped, row.Error, Micros.ToTime(row.CreatedAt), Micros.ToTime(row.UpdatedAt));
    }

    internal static List<ScheduleRun> RunsOf(DbUnit db, ScheduleRow row, int limit) =>
        [.. from kept in ScheduleStore.Runs(db, row.Tenant, row.Id, limit)
            let run = RunStore.Get(db, row.Tenant, kept.Run)
            where run is not null
            select new ScheduleRun(Micros.ToTime(kept.Tick), kept.Run, run.State, Micros.ToTime(run.CreatedAt), Time(run.EndedAt))];

    private static DateTimeOffset? Time(long? micros) => micros is { } m ? Micros.ToTime(m) : null;
}

/// <summary>A schedule with what comes and what was.</summary>
/// <param name="Next">The next ticks, as far as they are known now.</param>
/// <param name="Runs">The runs of the latest ticks, the latest first.</param>
public sealed record ScheduleDetail(Schedule Schedule, IReadOnlyList<ScheduleTick> Next, IReadOnlyList<ScheduleRun> Runs);

/// <summary>Body of a request to change a schedule; what is said of its times stands in the definition.</summary>
public sealed record ScheduleChange(bool Paused);

/// <summary>Body of a request to start the runs of a time that has passed.</summary>
public sealed record BackfillBody(DateTimeOffset From, DateTimeOffset To);
