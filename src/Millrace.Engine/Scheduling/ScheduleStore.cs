using System.Text;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schedules;

namespace Millrace.Engine.Scheduling;

/// <summary>Every statement on schedules, the runs they started, and the ends they wait for.</summary>
public static class ScheduleStore
{
    private const string Columns =
        "organisation, workspace, id, namespace, name, version, hash, source, paused, anchor, next_tick, next_at, last_tick, running, buffered, skipped, revision, error, created_at, updated_at";

    /// <summary>When the next schedule is due, and whether a run has ended that its schedule waits for.</summary>
    internal static (long? Next, bool Ended) Next(DbUnit db) => (
        db.First("select min(next_at) from schedule where next_at is not null", r => r.LongOrNull(0), null),
        db.First("select 1 from schedule_end limit 1", r => true, false));

    internal static bool HasAny(DbUnit db) => db.First("select 1 from schedule limit 1", r => true, false);

    /// <summary>Takes schedules that are due; nobody else deals with them before this transaction ends.</summary>
    internal static List<ScheduleRow> Due(DbUnit db, long now, int limit) => db.Query(
        $"select {Columns} from schedule where next_at <= $1 order by next_at limit $2 /*pg: for update skip locked */", Map, now, (long)limit);

    /// <summary>Takes schedules whose runs have ended.</summary>
    internal static List<ScheduleRow> WithEnds(DbUnit db, int limit) => db.Query(
        $"""
        select {Columns} from schedule where (workspace, id) in (select workspace, schedule from schedule_end limit $1) /*pg: for update skip locked */
        """,
        Map, (long)limit);

    /// <summary>Takes the ends that a schedule has not dealt with.</summary>
    internal static List<(Guid Run, long At)> TakeEnds(DbUnit db, Tenant tenant, Guid schedule) => db.Query(
        "delete from schedule_end where workspace = $1 and schedule = $2 returning run, at", r => (r.Id(0), r.Long(1)), tenant.Workspace, schedule);

    /// <summary>Says, with a run's last record, that it has ended. The schedule's row is not touched: whoever holds it never keeps a run waiting.</summary>
    internal static void RunEnded(DbUnit db, Tenant tenant, Guid schedule, Guid run, long at) => db.InsertLater(
        run, "insert into schedule_end (organisation, workspace, schedule, run, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        tenant.Organisation, tenant.Workspace, schedule, run, at);

    /// <summary>Ends that nobody told of, such as those recorded by a build that knows no schedules.</summary>
    internal static void FindEnds(DbUnit db) => db.Execute(
        """
        insert into schedule_end (organisation, workspace, schedule, run, at)
        select s.organisation, s.workspace, s.id, r.id, coalesce(r.ended_at, r.updated_at) from schedule s join run r on r.workspace = s.workspace and r.id = s.running
        where s.running is not null and r.state >= 4 and not exists (select 1 from continuation c where c.workspace = s.workspace and c.run = r.id) on conflict do nothing
        """);

    /// <summary>Ends that no schedule waits for any more.</summary>
    internal static void ForgetEnds(DbUnit db) => db.Execute(
        "delete from schedule_end where not exists (select 1 from schedule s where s.workspace = schedule_end.workspace and s.id = schedule_end.schedule)");

    /// <summary>Schedules that have dealt with ticks that are yet to come: the clock was ahead.</summary>
    internal static List<ScheduleRow> Ahead(DbUnit db, long now, int limit) => db.Query(
        $"select {Columns} from schedule where last_tick > $1 and next_at is not null limit $2 /*pg: for update skip locked */", Map, now, (long)limit);

    /// <summary>A schedule, and nobody else changes it before this transaction ends.</summary>
    public static ScheduleRow? Lock(DbUnit db, Tenant tenant, Guid id) => db.First(
        $"select {Columns} from schedule where workspace = $1 and id = $2 /*pg: for update */", Map, null, tenant.Workspace, id);

    public static ScheduleRow? Find(DbUnit db, Tenant tenant, string space, string name) => db.First(
        $"select {Columns} from schedule where workspace = $1 and namespace = $2 and name = $3", Map, null, tenant.Workspace, space, name);

    /// <summary>By name, after the given one.</summary>
    public static List<ScheduleRow> List(DbUnit db, Tenant tenant, (string Namespace, string Name)? after, int limit) => db.Query(
        $"select {Columns} from schedule where workspace = $1 and (namespace, name) > ($2, $3) order by namespace, name limit $4",
        Map, tenant.Workspace, after?.Namespace ?? "", after?.Name ?? "", (long)limit);

    internal static void Insert(DbUnit db, ScheduleRow row) => db.Execute(
        """
        insert into schedule (organisation, workspace, id, namespace, name, version, hash, source, paused, anchor, next_tick, next_at, last_tick, running, buffered,
            skipped, revision, error, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, null, $17, $17)
        """,
        row.Tenant.Organisation, row.Tenant.Workspace, row.Id, row.Definition.Namespace, row.Definition.Name, row.Definition.Version, row.Hash,
        row.Schedule.Source.ToString(), row.Paused, row.Anchor, row.NextTick, row.NextAt, row.LastTick, row.Running, row.Buffered, row.Skipped, row.CreatedAt);

    /// <summary>Writes what a locked row has become.</summary>
    /// <exception cref="LostScheduleException">Somebody else has changed it; thrown now or instead of the commit.</exception>
    internal static void Update(DbUnit db, ScheduleRow row, long now) => db.ChangeLater(
        row.Id, static id => new LostScheduleException(id),
        """
        update schedule set version = $1, hash = $2, source = $3, paused = $4, anchor = $5, next_tick = $6, next_at = $7, last_tick = $8, running = $9, buffered = $10,
            skipped = $11, error = $12, updated_at = $13, revision = revision + 1
        where workspace = $14 and id = $15 and revision = $16
        """,
        row.Definition.Version, row.Hash, row.Schedule.Source.ToString(), row.Paused, row.Anchor, row.NextTick, row.NextAt, row.LastTick, row.Running, row.Buffered,
        row.Skipped, row.Error?.Replace('\0', '\ufffd'), now, row.Tenant.Workspace, row.Id, row.Revision);

    internal static void Delete(DbUnit db, Tenant tenant, Guid id) => db.Execute("delete from schedule where workspace = $1 and id = $2", tenant.Workspace, id);

    /// <summary>Keeps which run a tick has started.</summary>
    /// <returns>False when it has started one already.</returns>
    internal static bool Keep(DbUnit db, Tenant tenant, Guid schedule, long tick, Guid run) => db.Execute(
        "insert into schedule_run (organisation, workspace, schedule, tick, run) values ($1, $2, $3, $4, $5) on conflict do nothing",
        tenant.Organisation, tenant.Workspace, schedule, tick, run) == 1;

    internal static bool HasRun(DbUnit db, Tenant tenant, Guid schedule, long tick) => db.First(
        "select 1 from schedule_run where workspace = $1 and schedule = $2 and tick = $3", r => true, false, tenant.Workspace, schedule, tick);

    /// <summary>The runs of the latest ticks, the latest first.</summary>
    public static List<ScheduledRun> Runs(DbUnit db, Tenant tenant, Guid schedule, int limit) => db.Query(
        "select tick, run from schedule_run where workspace = $1 and schedule = $2 order by tick desc limit $3",
        r => new ScheduledRun(r.Long(0), r.Id(1)), tenant.Workspace, schedule, (long)limit);

    private static ScheduleRow Map(DbRow r) => new()
    {
        Tenant = new Tenant(r.Id(0), r.Id(1)),
        Id = r.Id(2),
        Definition = new WorkflowId(r.Text(3), r.Text(4), r.Text(5)),
        Hash = r.Text(6),
        Schedule = WorkflowSchedule.Of(JsonText.Parse(Encoding.UTF8.GetBytes(r.Text(7)))),
        Paused = r.Long(8) == 1,
        Anchor = r.Long(9),
        NextTick = r.LongOrNull(10),
        NextAt = r.LongOrNull(11),
        LastTick = r.LongOrNull(12),
        Running = r.IdOrNull(13),
        Buffered = r.LongOrNull(14),
        Skipped = r.Long(15),
        Revision = r.Long(16),
        Error = r.TextOrNull(17),
        CreatedAt = r.Long(18),
        UpdatedAt = r.Long(19),
    };
}

/// <summary>Somebody else has changed the schedule; what was decided here does not count.</summary>
internal sealed class LostScheduleException(Guid schedule) : Exception($"The schedule {schedule} was changed meanwhile.");
