using Millrace.Storage;

namespace Millrace.Engine.Events;

/// <summary>A step of a run that wants to be told of events. An empty type or source stands for any.</summary>
internal sealed record SubscriptionRow(Tenant Tenant, Guid Run, int Step, string Type, string Source, long Since)
{
    /// <summary>Up to here the log was settled when it began: what it may have missed stands behind.</summary>
    public long Horizon { get; init; }
}

/// <summary>Every statement on subscriptions: who is told when an event of a type comes in.</summary>
internal static class SubscriptionStore
{
    public static void Begin(DbUnit db, SubscriptionRow row) => db.InsertLater(
        row.Run,
        // On PostgreSQL an event may be on its way that neither sees this row nor is seen: such a subscription is settled later (EventKeeper).
        """
        insert into subscription (organisation, workspace, run, step, type, source, since, horizon, settled)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 1 /*pg: - 1 */) on conflict do nothing
        """,
        row.Tenant.Organisation, row.Tenant.Workspace, row.Run, (long)row.Step, row.Type, row.Source, row.Since, row.Horizon);

    public static void End(DbUnit db, Tenant tenant, Guid run, int step) => db.ChangeLater(
        run, null, "delete from subscription where workspace = $1 and run = $2 and step = $3", tenant.Workspace, run, (long)step);

    /// <summary>Runs to tell of an event, each once.</summary>
    public static IEnumerable<Guid> Listeners(DbUnit db, Tenant tenant, string type, string source) => db.Query(
        // Sorted and made distinct here: asked for in the statement, SQLite would rather read all rows of the workspace in the order of their key.
        "select run from subscription where workspace = $1 and type in ($2, '') and source in ($3, '')",
        r => r.Id(0), tenant.Workspace, type, source).Distinct().Order();

    /// <summary>Whether a run is to be told of an event.</summary>
    public static bool Hears(DbUnit db, Tenant tenant, Guid run, string type, string source) => db.First(
        "select 1 from subscription where workspace = $1 and run = $2 and type in ($3, '') and source in ($4, '') limit 1", r => true, false, tenant.Workspace, run, type, source);

    /// <summary>Where every transaction under way now began at the latest: when positions up to here are settled, they have all ended.</summary>
    public static long Latest(DbUnit db) => db.First(
        "select 0 /*pg: + value + (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 20) from log_origin */", r => r.Long(0), 0L);

    public static List<SubscriptionRow> Unsettled(DbUnit db, int limit) => db.Query(
        "select organisation, workspace, run, step, type, source, since, horizon from subscription where settled = 0 limit $1",
        r => new SubscriptionRow(new Tenant(r.Id(0), r.Id(1)), r.Id(2), r.Int(3), r.Text(4), r.Text(5), r.Long(6)) { Horizon = r.Long(7) }, (long)limit);

    public static void Settle(DbUnit db, SubscriptionRow row) => db.Execute(
        "update subscription set settled = 1 where workspace = $1 and run = $2 and step = $3 and type = $4 and source = $5",
        row.Tenant.Workspace, row.Run, (long)row.Step, row.Type, row.Source);

    /// <summary>Of runs that ended without saying so themselves.</summary>
    public static int DeleteOrphans(DbUnit db) => db.Execute(
        "delete from subscription where not exists (select 1 from run r where r.workspace = subscription.workspace and r.id = subscription.run and r.state < 4)");

    public static bool AnyOrphans(DbUnit db) => db.First(
        "select step from subscription where not exists (select 1 from run r where r.workspace = subscription.workspace and r.id = subscription.run and r.state < 4) limit 1",
        r => r.Long(0), -1L) != -1;
}
