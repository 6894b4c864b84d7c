using Millrace.Engine.Approvals;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Engine.Holds;

/// <summary>A definition that stands, or a workspace. Times are Unix microseconds.</summary>
/// <param name="Name">Empty, as is the namespace: the whole workspace.</param>
/// <param name="ComeTo">Set when it is over: the run up to which those it held have been told.</param>
public sealed record HoldRow(Tenant Tenant, Guid Id, string Namespace, string Name, string? Reason, long CreatedAt, Guid? ComeTo);

/// <summary>Tells whether the same stands: how many holds are not over, and when the last of them began.</summary>
internal readonly record struct HoldMark(long Count, long Newest)
{
    public static HoldMark Of(IEnumerable<HoldRow> rows)
    {
        var holds = rows.Where(r => r.ComeTo is null).ToList();
        return new HoldMark(holds.Count, holds.Count == 0 ? 0 : holds.Max(h => h.CreatedAt));
    }
}

/// <summary>Every statement on holds.</summary>
public static class HoldStore
{
    /// <summary>Runs told at once.</summary>
    private const int PageMax = 500;

    private const string Columns = "organisation, workspace, id, namespace, name, reason, created_at, come_to";

    /// <summary>All that are not over yet, of every workspace.</summary>
    internal static List<HoldRow> All(DbUnit db) => db.Query($"select {Columns} from hold order by id", Map);

    public static List<HoldRow> Of(DbUnit db, Tenant tenant) => db.Query($"select {Columns} from hold where workspace = $1 and come_to is null order by namespace, name", Map, tenant.Workspace);

    public static HoldRow? Find(DbUnit db, Tenant tenant, string space, string name) => db.First(
        $"select {Columns} from hold where workspace = $1 and namespace = $2 and name = $3 and come_to is null", Map, null, tenant.Workspace, space, name);

    /// <returns>False when it stands already.</returns>
    internal static bool Insert(DbUnit db, HoldRow row) => db.Execute(
        "insert into hold (organisation, workspace, id, namespace, name, reason, created_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        row.Tenant.Organisation, row.Tenant.Workspace, row.Id, row.Namespace, row.Name, row.Reason, row.CreatedAt) == 1;

    internal static bool End(DbUnit db, Tenant tenant, string space, string name) => db.Execute(
        "update hold set come_to = $1 where workspace = $2 and namespace = $3 and name = $4 and come_to is null", Guid.Empty, tenant.Workspace, space, name) == 1;

    /// <summary>A run that is to stand does so only while the hold is there; who ends it then finds the run.</summary>
    /// <exception cref="OvertakenException">It is over.</exception>
    internal static void Check(DbUnit db, Tenant tenant, Guid run, Guid hold)
    {
        if (!db.First("select 1 from hold where workspace = $1 and id = $2 and come_to is null /*pg: for share */", _ => true, false, tenant.Workspace, hold)) throw new OvertakenException(run);
    }

    /// <summary>Tells the next runs that a hold which is over may have held.</summary>
    /// <returns>The runs; none when all have been told.</returns>
    internal static List<Guid> Release(DbUnit db, HoldRow row, long now)
    {
        var runs = db.Query(
            $"select id from run where workspace = $1 and id > $2 and state in (0, 3) /*pg: and not finished */ {(row.Name.Length == 0 ? "and ($3 = $4)" : "and namespace = $3 and name = $4")} order by id limit $5",
            r => r.Id(0), row.Tenant.Workspace, row.ComeTo, row.Namespace, row.Name, (long)PageMax);
        if (runs.Count == 0)
        {
            db.Execute("delete from hold where workspace = $1 and id = $2 and come_to = $3", row.Tenant.Workspace, row.Id, row.ComeTo);
            return runs;
        }
        // Another process may have done the page.
        if (db.Execute("update hold set come_to = $1 where workspace = $2 and id = $3 and come_to = $4", runs[^1], row.Tenant.Workspace, row.Id, row.ComeTo) == 0) return [];
        foreach (var run in runs) SignalStore.Send(db, row.Tenant, run, "release", Json.Object("hold", row.Id.ToString()), now);
        return runs;
    }

    private static HoldRow Map(DbRow r) => new(new Tenant(r.Id(0), r.Id(1)), r.Id(2), r.Text(3), r.Text(4), r.TextOrNull(5), r.Long(6), r.IdOrNull(7));
}
