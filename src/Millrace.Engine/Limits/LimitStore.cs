using Millrace.Storage;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Limits;

/// <summary>Every statement on what runs hold of limits and wait for, and on what workspaces say of them.</summary>
public static class LimitStore
{
    private const string Columns =
        "organisation, workspace, name, key, run, kind, held, most, on_limit, until_end, grp, turn, priority, since, first_at, micros, micros_max";

    /// <summary>Takes the turn of giving slots of a workspace.</summary>
    /// <returns>False when another process has it.</returns>
    internal static bool Lock(DbUnit db, Tenant tenant, long now)
    {
        const string Mine = "select 1 from workspace_limits where workspace = $1 /*pg: for update skip locked */";
        if (db.First(Mine, r => true, false, tenant.Workspace)) return true;
        if (db.First("select 1 from workspace_limits where workspace = $1", r => true, false, tenant.Workspace)) return false;
        db.Execute("insert into workspace_limits (organisation, workspace, weight, most, updated_at) values ($1, $2, 1, null, $3) on conflict do nothing",
            tenant.Organisation, tenant.Workspace, now);
        return db.First(Mine, r => true, false, tenant.Workspace);
    }

    internal static void Insert(DbUnit db, LimitPlace place) => db.Execute(
        """
        insert into limit_place (organisation, workspace, name, key, run, kind, held, most, on_limit, until_end, grp, turn, priority, since, first_at, micros, micros_max)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict do nothing
        """,
        place.Line.Tenant.Organisation, place.Line.Tenant.Workspace, place.Line.Name, place.Line.Key, place.Run, (long)place.Kind, (long)place.Held, (long)place.Most,
        (long)place.OnLimit, place.UntilEnd, place.Group, place.Turn, (long)place.Priority, place.Since, place.FirstAt, place.Micros, place.MicrosMax);

    /// <summary>The turn of a run that comes to the end of its group's line: after the last of its group, and not before those that others have come to.</summary>
    internal static long NextTurn(DbUnit db, LimitLine line, string group)
    {
        var last = db.First("select max(turn) from limit_place where workspace = $1 and name = $2 and key = $3 and grp = $4 and held = 0",
            r => r.LongOrNull(0), null, line.Tenant.Workspace, line.Name, line.Key, group);
        var first = db.First("select min(turn) from limit_place where workspace = $1 and name = $2 and key = $3 and held = 0",
            r => r.LongOrNull(0), null, line.Tenant.Workspace, line.Name, line.Key);
        return Math.Max(last + 1 ?? 0, first ?? 0);
    }

    public static List<LimitPlace> Of(DbUnit db, Tenant tenant, Guid run) =>
        db.Query($"select {Columns} from limit_place where workspace = $1 and run = $2", Map, tenant.Workspace, run);

    /// <summary>Those who wait at a line, in the order in which they are served.</summary>
    internal static List<LimitPlace> Waiting(DbUnit db, LimitLine line, int limit) => db.Query(
        $"select {Columns} from limit_place where workspace = $1 and name = $2 and key = $3 and held = 0 order by priority desc, turn, since, run limit $4",
        Map, line.Tenant.Workspace, line.Name, line.Key, (long)limit);

    /// <summary>As the other, behind a place, and each with all its run's places.</summary>
    internal static List<List<LimitPlace>> Waiting(DbUnit db, LimitLine line, LimitPlace? after, int limit)
    {
        var runs = new List<List<LimitPlace>>();
        foreach (var place in db.Query(
            $"""
            select {Columns} from
                (select run as who, priority as first, turn as second, since as third from limit_place where workspace = $1 and name = $2 and key = $3 and held = 0
                    and priority <= $4 and (priority < $4 or turn > $5 or (turn = $5 and (since > $6 or (since = $6 and run > $7))))
                    order by priority desc, turn, since, run limit $8) as waiting
                join limit_place on workspace = $1 and run = who
            order by first desc, second, third, who
            """,
            Map, line.Tenant.Workspace, line.Name, line.Key, after?.Priority ?? long.MaxValue, after?.Turn ?? 0, after?.Since ?? 0, after?.Run ?? Guid.Empty, (long)limit))
        {
            if (runs.Count == 0 || runs[^1][0].Run != place.Run) runs.Add([]);
            runs[^1].Add(place);
        }
        return runs;
    }

    /// <summary>Those who are neither refused nor ending and stand behind the newest <paramref name="most"/>.</summary>
    internal static List<LimitPlace> BehindNewest(DbUnit db, LimitLine line, int most, int limit) => db.Query(
        $"select {Columns} from limit_place where workspace = $1 and name = $2 and key = $3 and held in (0, 1) order by since desc, run desc limit $4 offset $5",
        Map, line.Tenant.Workspace, line.Name, line.Key, (long)limit, (long)most);

    internal static long CountHeld(DbUnit db, LimitLine line) => db.First(
        "select count(*) from limit_place where workspace = $1 and name = $2 and key = $3 and held in (1, 3)", r => r.Long(0), 0L, line.Tenant.Workspace, line.Name, line.Key);

    /// <summary>How many are served before the place.</summary>
    public static long CountBefore(DbUnit db, LimitPlace place) => db.First(
        """
        select count(*) from limit_place where workspace = $1 and name = $2 and key = $3 and held = 0
            and (priority > $4 or (priority = $4 and (turn < $5 or (turn = $5 and (since < $6 or (since = $6 and run < $7))))))
        """,
        r => r.Long(0), 0L, place.Line.Tenant.Workspace, place.Line.Name, place.Line.Key, (long)place.Priority, place.Turn, place.Since, place.Run);

    /// <summary>A run gets all that it waits for.</summary>
    internal static int Give(DbUnit db, Tenant tenant, Guid run) =>
        db.Execute("update limit_place set held = 1 where workspace = $1 and run = $2 and held = 0", tenant.Workspace, run);

    /// <summary>A run is being cancelled because of its limits.</summary>
    internal static void Ending(DbUnit db, Tenant tenant, Guid run) =>
        db.Execute("update limit_place set held = held + 2 where workspace = $1 and run = $2 and held in (0, 1)", tenant.Workspace, run);

    internal static void SetFirst(DbUnit db, LimitPlace place, long firstAt) => db.Execute(
        "update limit_place set first_at = $1 where workspace = $2 and run = $3 and name = $4", firstAt, place.Line.Tenant.Workspace, place.Run, place.Line.Name);

    /// <summary>A run lets go: with the record that says so.</summary>
    /// <param name="ended">It has ended; else what it holds until its end stays.</param>
    internal static void Leave(DbUnit db, Tenant tenant, Guid run, bool ended) => db.ChangeLater(run, null, ended
        ? "delete from limit_place where workspace = $1 and run = $2"
        : "delete from limit_place where workspace = $1 and run = $2 and until_end = 0", tenant.Workspace, run);

    /// <summary>A run stands in no line any more, and keeps what it has.</summary>
    internal static void StepOut(DbUnit db, Tenant tenant, Guid run) =>
        db.ChangeLater(run, null, "delete from limit_place where workspace = $1 and run = $2 and held = 0", tenant.Workspace, run);

    /// <summary>Keeps what a run needs, which is found when it is first taken.</summary>
    internal static void KeepPlan(DbUnit db, Tenant tenant, Guid run, string plan) =>
        db.Execute("update run set limits = $1 where workspace = $2 and id = $3 and state < 4 /*pg: and not finished */", plan, tenant.Workspace, run);

    /// <summary>Keeps what a run needs that is inserted in the same transaction.</summary>
    internal static void KeepPlanLater(DbUnit db, Tenant tenant, Guid run, LimitPlan plan) => db.ChangeLater(run, null,
        "update run set limits = $1 where workspace = $2 and id = $3 and state < 4 /*pg: and not finished */", plan.ToJson().ToString(), tenant.Workspace, run);

    /// <summary>All that a run holds is the one's that it goes on as: with the record that ends it.</summary>
    internal static void HandOn(DbUnit db, Tenant tenant, Guid run, Guid successor) =>
        db.ChangeLater(run, null, "update limit_place set run = $1 where workspace = $2 and run = $3", successor, tenant.Workspace, run);

    /// <summary>A run that its worker has just claimed waits in line, and is held by nobody.</summary>
    /// <returns>False when the worker does not hold it any more.</returns>
    internal static bool Park(DbUnit db, Tenant tenant, Guid run, long lease) => db.Execute(
        "update run set lease = null, wake_at = null where workspace = $1 and id = $2 and lease = $3 and state < 4 /*pg: and not finished */", tenant.Workspace, run, lease) == 1;

    /// <summary>Lines at which somebody waits, of all workspaces, behind a line.</summary>
    internal static List<LimitLine> Lines(DbUnit db, LimitLine? after, int limit) => db.Query(
        """
        select organisation, workspace, name, key from limit_place where held = 0 and (workspace, name, key) > ($1, $2, $3)
        group by organisation, workspace, name, key order by workspace, name, key limit $4
        """,
        r => new LimitLine(new Tenant(r.Id(0), r.Id(1)), r.Text(2), r.Text(3)), after?.Tenant.Workspace ?? Guid.Empty, after?.Name ?? "", after?.Key ?? "", (long)limit);

    internal static bool Any(DbUnit db) =>
        db.First("select 1 from limit_place limit 1", r => true, false) || db.First("select 1 from limit_start limit 1", r => true, false);

    internal static bool AnyWaiting(DbUnit db) => db.First("select 1 from limit_place where held = 0 limit 1", r => true, false);

    /// <summary>Takes back what runs hold that have ended or wait: only a build that knows no limits leaves such.</summary>
    internal static int TakeBack(DbUnit db) => db.Execute(
        """
        delete from limit_place where exists (select 1 from run r where r.workspace = limit_place.workspace and r.id = limit_place.run and r.state >= 4)
            or (held in (1, 3) and until_end = 0 and exists (select 1 from run r where r.workspace = limit_place.workspace and r.id = limit_place.run
                and r.lease is null and r.wake_at is null))
            or not exists (select 1 from run r where r.workspace = limit_place.workspace and r.id = limit_place.run)
        """);

    /// <summary>Starts after a moment, counted up to <paramref name="most"/>.</summary>
    internal static long CountStarts(DbUnit db, LimitLine line, long after, int most) => db.First(
        "select count(*) from (select 1 from limit_start where workspace = $1 and name = $2 and key = $3 and at > $4 limit $5) as counted",
        r => r.Long(0), 0L, line.Tenant.Workspace, line.Name, line.Key, after, (long)most);

    /// <summary>When the last but so many began; null when there were not as many.</summary>
    internal static long? StartBefore(DbUnit db, LimitLine line, int last) => db.First(
        "select at from limit_start where workspace = $1 and name = $2 and key = $3 order by at desc limit 1 offset $4",
        r => (long?)r.Long(0), null, line.Tenant.Workspace, line.Name, line.Key, (long)last);

    internal static void AddStart(DbUnit db, LimitLine line, Guid run, long now, long until) => db.Execute(
        "insert into limit_start (organisation, workspace, name, key, at, run, until) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        line.Tenant.Organisation, line.Tenant.Workspace, line.Name, line.Key, now, run, until);

    internal static void ForgetStarts(DbUnit db, long now) => db.Execute("delete from limit_start where until < $1", now);

    internal static int? Setting(DbUnit db, Tenant tenant, string name) => db.First(
        "select most from limit_setting where workspace = $1 and name = $2", r => (int?)r.Long(0), null, tenant.Workspace, name);

    /// <summary>Sets a limit in place of the documents', or takes that back.</summary>
    public static void Set(DbUnit db, Tenant tenant, string name, int? most, long now)
    {
        db.Execute("delete from limit_setting where workspace = $1 and name = $2", tenant.Workspace, name);
        if (most is { } limit)
            db.Execute("insert into limit_setting (organisation, workspace, name, most, updated_at) values ($1, $2, $3, $4, $5)",
                tenant.Organisation, tenant.Workspace, name, (long)limit, now);
    }

    public static void Set(DbUnit db, Tenant tenant, WorkspaceLimits limits, long now) => db.Execute(
        """
        insert into workspace_limits (organisation, workspace, weight, most, updated_at) values ($1, $2, $3, $4, $5)
        on conflict (workspace) do update set weight = excluded.weight, most = excluded.most, updated_at = excluded.updated_at
        """,
        tenant.Organisation, tenant.Workspace, (long)limits.Weight, (long?)limits.Most, now);

    public static WorkspaceLimits OfWorkspace(DbUnit db, Tenant tenant) => db.First(
        "select weight, most from workspace_limits where workspace = $1", r => new WorkspaceLimits(r.Int(0), (int?)r.LongOrNull(1)), WorkspaceLimits.None, tenant.Workspace)!;

    /// <summary>What workspaces have said that differs from saying nothing.</summary>
    internal static List<(Guid Workspace, WorkspaceLimits Limits)> OfWorkspaces(DbUnit db) => db.Query(
        "select workspace, weight, most from workspace_limits where weight <> 1 or most is not null", r => (r.Id(0), new WorkspaceLimits(r.Int(1), (int?)r.LongOrNull(2))));

    /// <summary>Lines by name and key, after the given one.</summary>
    public static List<LimitView> List(DbUnit db, Tenant tenant, (string Name, string Key)? after, int limit) => db.Query(
        """
        select p.name, p.key, max(p.kind), max(p.most), max(s.most), sum(case when p.held in (1, 3) then 1 else 0 end), sum(case when p.held = 0 then 1 else 0 end),
            min(case when p.held = 0 then p.since end)
        from limit_place p left join limit_setting s on s.workspace = p.workspace and s.name = p.name
        where p.workspace = $1 and (p.name, p.key) > ($2, $3) group by p.name, p.key order by p.name, p.key limit $4
        """,
        r => new LimitView(r.Text(0), r.Text(1), (NeedKind)r.Long(2), (int)(r.LongOrNull(4) ?? r.Long(3)), !r.IsNull(4), r.Long(5), r.Long(6), r.LongOrNull(7)),
        tenant.Workspace, after?.Name ?? "", after?.Key ?? "", (long)limit);

    private static LimitPlace Map(DbRow r) => new(
        new LimitLine(new Tenant(r.Id(0), r.Id(1)), r.Text(2), r.Text(3)), r.Id(4), (NeedKind)r.Long(5), (Held)r.Long(6), r.Int(7), (OnLimit)r.Long(8), r.Long(9) == 1, r.Text(10),
        r.Long(11), r.Int(12), r.Long(13), r.Long(14), r.Long(15), r.Long(16));
}
