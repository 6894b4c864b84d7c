using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Engine.Runs;

/// <summary>Every statement on runs that went on as others. The runs of a chain are known by its first one.</summary>
public static class ContinuationStore
{
    /// <summary>The live run of the chain that <c>$3</c>, which has gone on as another, belongs to.</summary>
    private const string Live = """
        select r.id from continuation c join run r on r.workspace = c.workspace and r.id = c.successor
        where c.workspace = $2 and c.chain = (select d.chain from continuation d where d.workspace = $2 and d.run = $3) and r.state < 4 /*pg: and not r.finished */
        order by c.at desc, c.successor desc limit 1
        """;

    /// <summary>A run goes on as another, whose row comes with it. Wishes that it has not heard are the other's.</summary>
    internal static void Begin(DbUnit db, Tenant tenant, Guid run, Guid successor, long seen, long now)
    {
        db.InsertLater(
            run,
            """
            insert into continuation (organisation, workspace, run, successor, chain, at)
            values ($1, $2, $3, $4, coalesce((select b.chain from continuation b where b.workspace = $2 and b.successor = $3), $3), $5)
            """,
            tenant.Organisation, tenant.Workspace, run, successor, now);
        db.ChangeLater(run, null, "update signal set run = $1 where run = $2 and workspace = $3 and position > $4 and kind in ('cancel', 'suspend', 'resume')", successor, run, tenant.Workspace, seen);
    }

    /// <summary>Sends a wish to the run that another one has gone on as; to nobody when it has not.</summary>
    internal static void SendOn(DbUnit db, Tenant tenant, Guid run, string kind, Json body, long now)
    {
        db.TouchLater(
            run, $"update run set wake_at = case when lease is null then $1 else wake_at end where workspace = $2 and state < 4 /*pg: and not finished */ and id = ({Live})",
            now, tenant.Workspace, run);
        db.InsertLater(
            run, $"insert into signal (organisation, workspace, run, kind, body, at) select $1, $2, ({Live}), $4, $5, $6 where exists ({Live})",
            tenant.Organisation, tenant.Workspace, run, kind, JsonText.ToUtf8(body), now);
    }

    /// <summary>The run that has gone on as this one, and the one this has gone on as.</summary>
    public static (Guid? Before, Guid? After) Beside(DbUnit db, Tenant tenant, Guid run) => (
        db.First("select run from continuation where workspace = $1 and successor = $2", r => (Guid?)r.Id(0), null, tenant.Workspace, run),
        db.First("select successor from continuation where workspace = $1 and run = $2", r => (Guid?)r.Id(0), null, tenant.Workspace, run));

    /// <summary>The first run of the chain that a run belongs to; itself when it continues none.</summary>
    public static Guid FirstOf(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select chain from continuation where workspace = $1 and successor = $2", r => (Guid?)r.Id(0), null, tenant.Workspace, run) ?? run;

    /// <summary>Whether the run has gone on as another.</summary>
    internal static bool IsContinued(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select 1 from continuation where workspace = $1 and run = $2", r => true, false, tenant.Workspace, run);

    /// <summary>The run that the chain has come to; itself when it has not been continued. Of those between, any may be gone by retention.</summary>
    public static Guid LastOf(DbUnit db, Tenant tenant, Guid run)
    {
        var first = FirstOf(db, tenant, run);
        return db.First(
            """
            select successor from continuation c where workspace = $1 and chain = $2
                and not exists (select 1 from continuation n where n.workspace = $1 and n.run = c.successor)
                and exists (select 1 from run r where r.workspace = $1 and r.id = c.successor)
            order by at desc, successor desc limit 1
            """,
            r => (Guid?)r.Id(0), null, tenant.Workspace, first) ?? run;
    }
}
