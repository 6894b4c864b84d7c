using Millrace.Engine.Admin;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Retention;

/// <summary>A run that has ended and goes, or of which only parts are left.</summary>
internal sealed record ExpiredRun(Tenant Tenant, Guid Run);

/// <summary>Every statement on when runs go, and on what goes with them.</summary>
public static class RetentionStore
{
    /// <summary>Says with a run's last record when it goes.</summary>
    internal static void Expire(DbUnit db, Tenant tenant, Guid run, long at) => db.InsertLater(run,
        "insert into run_expiry (organisation, workspace, run, at) values ($1, $2, $3, $4) on conflict do nothing", tenant.Organisation, tenant.Workspace, run, at);

    /// <summary>A run that has been taken back does not go.</summary>
    internal static void Keep(DbUnit db, Tenant tenant, Guid run) => db.Execute("delete from run_expiry where workspace = $1 and run = $2", tenant.Workspace, run);

    /// <summary>When a run that has ended goes; null: it is kept. One that another run still needs is put off when its time has come.</summary>
    public static long? KeptUntil(DbUnit db, Tenant tenant, Guid run) =>
        db.First("select at from run_expiry where workspace = $1 and run = $2", r => (long?)r.Long(0), null, tenant.Workspace, run);

    internal static long? Next(DbUnit db) => db.First("select min(at) from run_expiry", r => r.LongOrNull(0), null);

    internal static bool AnyRemoval(DbUnit db) => db.First("select 1 from run_removal limit 1", r => true, false);

    /// <summary>Runs whose time has come; nobody else deals with them before this transaction ends.</summary>
    internal static List<ExpiredRun> Due(DbUnit db, long now, int limit) => db.Query(
        "select organisation, workspace, run from run_expiry where at <= $1 order by at limit $2 /*pg: for update skip locked */",
        r => new ExpiredRun(new Tenant(r.Id(0), r.Id(1)), r.Id(2)), now, (long)limit);

    internal static void Postpone(DbUnit db, ExpiredRun run, long at) =>
        db.Execute("update run_expiry set at = $1 where workspace = $2 and run = $3", at, run.Tenant.Workspace, run.Run);

    /// <summary>
    /// Whether a run that has not ended needs it: the one that started it, one that it started, or a fork of either, which may not have read yet how it ended; or the live
    /// one of a chain that it is the first of, by which start keys, schedules and whoever cancels know the chain.
    /// </summary>
    internal static bool IsNeeded(DbUnit db, ExpiredRun run, Guid? parent) =>
        db.First("select 1 from run where parent = $1 and workspace = $2 and state < 4 limit 1", r => true, false, run.Run, run.Tenant.Workspace)
        || db.First("select 1 from run where fork_of = $1 and workspace = $2 and state < 4 limit 1", r => true, false, run.Run, run.Tenant.Workspace)
        || db.First("select 1 from continuation c join run r on r.workspace = c.workspace and r.id = c.successor where c.chain = $1 and c.workspace = $2 and r.state < 4 limit 1",
            r => true, false, run.Run, run.Tenant.Workspace)
        || (parent is { } above && (
            db.First("select 1 from run where id = $1 and workspace = $2 and state < 4 limit 1", r => true, false, above, run.Tenant.Workspace)
            || db.First("select 1 from run where fork_of = $1 and workspace = $2 and state < 4 limit 1", r => true, false, above, run.Tenant.Workspace)));

    /// <summary>The run is there no more; what hangs on it goes in pieces.</summary>
    /// <returns>False when it is under way again.</returns>
    internal static bool Remove(DbUnit db, ExpiredRun run)
    {
        if (db.Execute("delete from run where workspace = $1 and id = $2 and state >= 4 /*pg: and finished */", run.Tenant.Workspace, run.Run) == 0) return false;
        db.Execute("insert into run_removal (organisation, workspace, run) values ($1, $2, $3) on conflict do nothing", run.Tenant.Organisation, run.Tenant.Workspace, run.Run);
        Keep(db, run.Tenant, run.Run);
        return true;
    }

    internal static List<ExpiredRun> Removals(DbUnit db, int limit) => db.Query(
        "select organisation, workspace, run from run_removal limit $1 /*pg: for update skip locked */",
        r => new ExpiredRun(new Tenant(r.Id(0), r.Id(1)), r.Id(2)), (long)limit);

    /// <summary>The last records of a journal go first, so that what is left has no gap.</summary>
    /// <returns>Records that went.</returns>
    internal static int RemoveRecords(DbUnit db, ExpiredRun run, int most, long now)
    {
        var rows = JournalStore.Remove(db, run.Tenant, run.Run, most);
        foreach (var blob in rows.SelectMany(r => WholeDatabase.References(r, _ => { }))) LooseBlobStore.Add(db, blob, now);
        return rows.Count;
    }

    /// <summary>All that hangs on the run besides its journal. Bytes of files and large values go when nothing else refers to them.</summary>
    internal static void RemoveRest(DbUnit db, ExpiredRun run, long now)
    {
        foreach (var artifact in ArtifactStore.Of(db, run.Tenant, run.Run)) LooseBlobStore.Add(db, new BlobRef(artifact.Sha256, artifact.Size), now);
        db.Execute("delete from artifact where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        db.Execute("delete from signal where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        db.Execute("delete from subscription where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        db.Execute("delete from approval_link where workspace = $1 and approval in (select id from approval where workspace = $1 and run = $2)", run.Tenant.Workspace, run.Run);
        db.Execute("delete from approval_vote where workspace = $1 and approval in (select id from approval where workspace = $1 and run = $2)", run.Tenant.Workspace, run.Run);
        db.Execute("delete from approval where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        db.Execute("delete from start_key where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        db.Execute("delete from limit_place where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
        // What leads from the first of a chain stays as long as that does.
        db.Execute("delete from continuation where workspace = $1 and ((successor = $2 and run <> chain) or chain = $2)", run.Tenant.Workspace, run.Run);
        db.Execute("delete from dead_letter where workspace = $1 and kind = 'run' and subject = $2", run.Tenant.Workspace, run.Run.ToString());
        db.Execute("delete from run_removal where workspace = $1 and run = $2", run.Tenant.Workspace, run.Run);
    }

    /// <summary>The key of the tick that started the run goes with it; runs that it has gone on as name the tick as well, and leave the key.</summary>
    internal static void RemoveTick(DbUnit db, Tenant tenant, Guid schedule, long tick, Guid run) =>
        db.Execute("delete from schedule_run where workspace = $1 and schedule = $2 and tick = $3 and run = $4", tenant.Workspace, schedule, tick, run);

    public static RunRetention OfWorkspace(DbUnit db, Tenant tenant) => db.First(
        "select completed, faulted, cancelled from retention_setting where workspace = $1", r => Of(r, 0), RunRetention.None, tenant.Workspace)!;

    internal static List<(Guid Workspace, RunRetention Retention)> OfWorkspaces(DbUnit db) =>
        db.Query("select workspace, completed, faulted, cancelled from retention_setting", r => (r.Id(0), Of(r, 1)));

    public static void Set(DbUnit db, Tenant tenant, RunRetention retention, long now) => db.Execute(
        """
        insert into retention_setting (organisation, workspace, completed, faulted, cancelled, updated_at) values ($1, $2, $3, $4, $5, $6)
        on conflict (workspace) do update set completed = excluded.completed, faulted = excluded.faulted, cancelled = excluded.cancelled, updated_at = excluded.updated_at
        """,
        tenant.Organisation, tenant.Workspace, Micros(retention.Completed), Micros(retention.Faulted), Micros(retention.Cancelled), now);

    private static RunRetention Of(DbRow r, int column) => new(Time(r.LongOrNull(column)), Time(r.LongOrNull(column + 1)), Time(r.LongOrNull(column + 2)));

    private static TimeSpan? Time(long? micros) => micros is { } m ? TimeSpan.FromMicroseconds(m) : null;

    private static long? Micros(TimeSpan? time) => time is { } t ? t.Ticks / TimeSpan.TicksPerMicrosecond : null;
}
