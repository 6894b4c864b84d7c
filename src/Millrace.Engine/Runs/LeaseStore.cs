using Millrace.Engine.Holds;
using Millrace.Storage;

namespace Millrace.Engine.Runs;

/// <summary>Every statement on leases: one row for each start of a worker, one write for each heartbeat however many runs it holds.</summary>
internal static class LeaseStore
{
    /// <summary>How long the row of a lease that ended is kept for people to look at: a day, in microseconds.</summary>
    public const long KeptMicros = 86_400_000_000;

    public static long Begin(DbUnit db, string name, long now, long expiresAt) => db.First(
        "insert into lease (name, started_at, heartbeat_at, expires_at, alive) values ($1, $2, $2, $3, 1) returning id", r => r.Long(0), 0L, name, now, expiresAt);

    /// <summary>Whether the lease is alive, and stays so until this transaction ends: whoever declares it dead waits for that. And what stands.</summary>
    public static (bool Alive, HoldMark Holds) Check(DbUnit db, long lease) => db.First(
        """
        select alive, (select count(*) from hold where come_to is null), (select coalesce(max(created_at), 0) from hold where come_to is null)
        from lease where id = $1 /*pg: for share */
        """,
        r => (r.Long(0) == 1, new HoldMark(r.Long(1), r.Long(2))), default, lease);

    /// <summary>Whether it is alive, for one who only looks.</summary>
    public static bool SeemsAlive(DbUnit db, long lease) =>
        db.First("select alive from lease where id = $1", r => r.Long(0), 0L, lease) == 1;

    /// <returns>False when another worker has declared this one dead: it must stop writing.</returns>
    public static bool Renew(DbUnit db, long lease, long now, long expiresAt) => db.Execute(
        // Never the same twice, whatever the clock says: it is by its change that others see the heart beat.
        "update lease set heartbeat_at = case when heartbeat_at < $1 then $1 else heartbeat_at + 1 end, expires_at = $2 where id = $3 and alive = 1",
        now, expiresAt, lease) == 1;

    public static List<(long Id, long Beat)> Alive(DbUnit db) =>
        db.Query("select id, heartbeat_at from lease where alive = 1 order by id", r => (r.Long(0), r.Long(1)));

    public static void End(DbUnit db, long lease) => db.Execute("update lease set alive = 0 where id = $1", lease);

    /// <summary>Ends a lease whose heart has not beaten since. One that is just being written under is left for the next time.</summary>
    public static void EndSilent(DbUnit db, long lease, long beat) => db.Execute(
        "update lease set alive = 0 where id in (select id from lease where id = $1 and alive = 1 and heartbeat_at = $2 /*pg: for update skip locked */)", lease, beat);

    /// <summary>For data that no process serves: whoever held a lease is gone.</summary>
    public static void EndAll(DbUnit db) => db.Execute("update lease set alive = 0 where alive = 1");

    public static void DeleteEnded(DbUnit db, long before) => db.Execute(
        "delete from lease where alive = 0 and heartbeat_at < $1 and not exists (select 1 from run where run.lease = lease.id)", before);
}
