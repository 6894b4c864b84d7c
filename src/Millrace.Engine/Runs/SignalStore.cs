using Millrace.Jq;
using Millrace.Storage;

namespace Millrace.Engine.Runs;

/// <summary>Something others want a run to know. Kinds: <c>cancel</c>, <c>suspend</c>, <c>resume</c>, <c>child</c>, <c>continued</c>, <c>concurrency</c>, <c>redrive</c>, <c>event</c>, <c>approval</c>, <c>release</c>.</summary>
internal sealed record Signal(long Position, string Kind, Json Body);

/// <summary>Every statement on signals: the durable inbox of a run.</summary>
internal static class SignalStore
{
    /// <summary>Signals that are read at once.</summary>
    public const int BatchMax = 1000;

    /// <summary>
    /// Writes to the inbox of a run that has not finished, and makes the run due when nobody holds it. The run's row is changed first:
    /// two who write to one run do so one after the other, so positions become visible in their order.
    /// </summary>
    public static void Send(DbUnit db, Tenant tenant, Guid run, string kind, Json body, long now)
    {
        RunStore.Wake(db, tenant, run, now);
        db.InsertLater(
            run,
            """
            insert into signal (organisation, workspace, run, kind, body, at) select $1, $2, $3, $4, $5, $6
            where exists (select 1 from run where workspace = $2 and id = $3 and state < 4 /*pg: and not finished */)
            """,
            tenant.Organisation, tenant.Workspace, run, kind, JsonText.ToUtf8(body), now);
    }

    public static List<Signal> Of(DbUnit db, Tenant tenant, Guid run, long after) => db.Query(
        "select position, kind, body from signal where run = $1 and position > $2 and workspace = $3 order by position limit $4",
        r => new Signal(r.Long(0), r.Text(1), JsonText.Parse(r.Bytes(2))), run, after, tenant.Workspace, (long)BatchMax);

    /// <summary>Runs that a lease holds and that somebody has written to, at most 1000.</summary>
    public static List<Guid> Unheard(DbUnit db, long lease) => db.Query(
        """
        select distinct s.run from signal s
        where exists (select 1 from run r where r.workspace = s.workspace and r.id = s.run and r.lease = $1) limit 1000
        """,
        r => r.Id(0), lease);

    /// <summary>The last of <c>suspend</c> and <c>resume</c> that has not been heard yet.</summary>
    public static string? LastWish(DbUnit db, Tenant tenant, Guid run) => db.First(
        "select kind from signal where run = $1 and workspace = $2 and kind in ('suspend', 'resume') order by position desc limit 1",
        r => r.Text(0), null, run, tenant.Workspace);

    /// <summary>A hold that the run may stand under is over, and it has not heard of it yet.</summary>
    public static bool IsReleased(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select 1 from signal where run = $1 and workspace = $2 and kind = 'release' limit 1", r => true, false, run, tenant.Workspace);

    /// <summary>Somebody wants the run to end, and it has not heard of it yet.</summary>
    public static bool WantsEnd(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select 1 from signal where run = $1 and workspace = $2 and kind = 'cancel' limit 1", r => true, false, run, tenant.Workspace);

    /// <summary>The first wish for an end from a position on, or else the last that the run may stand.</summary>
    public static Signal? Wish(DbUnit db, Tenant tenant, Guid run, long from) => db.First(
        """
        select position, kind, body from signal where run = $1 and workspace = $2 and position >= $3 and kind in ('cancel', 'suspend')
        order by kind, case when kind = 'cancel' then position else -position end limit 1
        """,
        r => new Signal(r.Long(0), r.Text(1), JsonText.Parse(r.Bytes(2))), null, run, tenant.Workspace, from);

    /// <summary>Takes back what a run was told of events and has not read.</summary>
    /// <returns>Their positions in the log of events.</returns>
    public static List<long> TakeBackEvents(DbUnit db, Tenant tenant, Guid run, long seen) => db.Query(
        "delete from signal where run = $1 and workspace = $2 and position > $3 and kind = 'event' returning body",
        r => (long)JsonText.Parse(r.Bytes(0))["event"].AsNumber(), run, tenant.Workspace, seen);

    public static void DeleteUpTo(DbUnit db, Tenant tenant, Guid run, long position) => db.ChangeLater(
        run, null, "delete from signal where run = $1 and position <= $2 and workspace = $3", run, position, tenant.Workspace);
}
