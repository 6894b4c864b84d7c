using Millrace.Engine.Journal;
using Millrace.Storage;

namespace Millrace.Engine.Events;

/// <summary>Every statement on how far workspaces' journals have been told of as lifecycle events.</summary>
internal static class LifecycleStore
{
    private const string IsTold =
        "(type >= 'io.serverlessworkflow.' and type < 'io.serverlessworkflow/' or type >= 'io.millrace.approval.' and type < 'io.millrace.approval/')";

    /// <summary>Types that somebody wants, by workspace: a sink, or who listens.</summary>
    public static List<(Tenant Tenant, string Type, bool BySink)> Wanted(DbUnit db) => db.Query(
        $"""
        select organisation, workspace, type, 0 from subscription where {IsTold}
        union select organisation, workspace, type, 0 from event_trigger where {IsTold}
        union select organisation, workspace, type, 1 from sink_type
        """,
        r => (new Tenant(r.Id(0), r.Id(1)), r.Text(2), r.Long(3) == 1));

    public static List<(Tenant Tenant, long Position)> Cursors(DbUnit db) =>
        db.Query("select organisation, workspace, position from lifecycle", r => (new Tenant(r.Id(0), r.Id(1)), r.Long(2)));

    /// <summary>From the end of what is settled now.</summary>
    public static void Begin(DbUnit db, Tenant tenant) => db.Execute(
        "insert into lifecycle (organisation, workspace, position) values ($1, $2, $3) on conflict do nothing",
        tenant.Organisation, tenant.Workspace, JournalStore.LastOf(db, tenant));

    /// <summary>Whether somebody is to be told of records of the run, and was not yet.</summary>
    public static bool IsUntold(DbUnit db, Tenant tenant, Guid run) => db.First(
        "select 1 from lifecycle where workspace = $1 and position < (select position from journal where workspace = $1 and run = $2 order by seq desc limit 1)",
        _ => true, false, tenant.Workspace, run);

    /// <summary>Moves on behind a page, which is told of in this transaction.</summary>
    /// <returns>False when another process has done so, or is at it.</returns>
    public static bool Advance(DbUnit db, Tenant tenant, long from, long to) => db.Execute(
        "update lifecycle set position = $1 where workspace in (select workspace from lifecycle where workspace = $2 and position = $3 /*pg: for update skip locked */)",
        to, tenant.Workspace, from) == 1;

    public static void End(DbUnit db, Tenant tenant) => db.Execute("delete from lifecycle where workspace = $1", tenant.Workspace);
}
