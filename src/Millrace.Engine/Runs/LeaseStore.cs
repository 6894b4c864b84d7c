using Millrace.Storage;

namespace Millrace.Engine.Runs;

/// <summary>Every statement on leases: one row for each start of a worker, one write for each heartbeat however many runs it holds.</summary>
internal static class LeaseStore
{
    public static long Begin(DbUnit db, string name, long now, long expiresAt)
    {
        db.Execute(
            "insert into lease (name, started_at, heartbeat_at, expires_at, alive) values ($1, $2, $2, $3, 1)", name, now, expiresAt);
        return db.LastInsertedRow;
    }

    public static bool IsAlive(DbUnit db, long lease) =>
        db.First("select alive from lease where id = $1", r => r.Long(0), 0L, lease) == 1;

    /// <returns>False when another worker has declared this one dead: it must stop writing.</returns>
    public static bool Renew(DbUnit db, long lease, long now, long expiresAt) => db.Execute(
        "update lease set heartbeat_at = $1, expires_at = $2 where id = $3 and alive = 1", now, expiresAt, lease) == 1;

    public static bool IsAlive(DbUnit db, long lease, long now) =>
        db.First("select 1 from lease where id = $1 and alive = 1 and expires_at >= $2", r => r.Int(0), 0, lease, now) == 1;

    public static void End(DbUnit db, long lease) => db.Execute("update lease set alive = 0 where id = $1", lease);

    /// <summary>Ends every lease whose time is over. A worker that alone may open the database ends all others at once.</summary>
    public static int EndExpired(DbUnit db, long own, long now, bool alone) => alone
        ? db.Execute("update lease set alive = 0 where alive = 1 and id <> $1", own)
        : db.Execute("update lease set alive = 0 where alive = 1 and id <> $1 and expires_at < $2", own, now);
}
