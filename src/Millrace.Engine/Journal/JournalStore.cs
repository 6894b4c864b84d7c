using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Journal;

/// <summary>One row of the journal. Position is the order of commits in the workspace, Seq the order in the run; At in Unix microseconds.</summary>
public sealed record JournalRow(long Position, Guid Run, long Seq, long At, RunPhase? State, byte[] Entries);

/// <summary>Every statement on the journal.</summary>
public static class JournalStore
{
    private const string Columns = "position, run, seq, at, state, entries";

    /// <summary>Appends one record; the writer has seen in this transaction that its lease is alive.</summary>
    /// <returns>The position given to it.</returns>
    internal static long Append(DbUnit db, Tenant tenant, Guid run, long seq, long at, RunPhase? state, ReadOnlyMemory<byte> entries) => db.AppendLater(
        "insert into journal (position, organisation, workspace, run, seq, at, state, entries) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant.Organisation, tenant.Workspace, run, seq, at, (long?)state, RecordSeal.Seal(run, seq, at, state, entries.Span));

    /// <summary>Records of one run after <paramref name="after"/>, in order.</summary>
    /// <exception cref="DamagedRecordException">One of them is not what was written, or is missing.</exception>
    public static List<JournalRow> Of(DbUnit db, Tenant tenant, Guid run, long after, int limit)
    {
        var rows = db.Query($"select {Columns} from journal where run = $1 and seq > $2 and workspace = $3 order by seq limit $4",
            MapSound, run, after, tenant.Workspace, (long)limit);
        for (var i = 0; i < rows.Count; i++)
            if (rows[i].Seq != after + 1 + i) throw new DamagedRecordException(run, after + 1 + i);
        return rows;
    }

    /// <summary>Sequence number of the run's last record; -1 when it has none.</summary>
    public static long LastSeq(DbUnit db, Tenant tenant, Guid run) => db.First(
        "select coalesce(max(seq), -1) from journal where run = $1 and workspace = $2", r => r.Long(0), -1L, run, tenant.Workspace);

    /// <summary>The run's last record.</summary>
    /// <exception cref="DamagedRecordException">It is not what was written.</exception>
    public static JournalRow? Last(DbUnit db, Tenant tenant, Guid run) => db.First(
        $"select {Columns} from journal where run = $1 and workspace = $2 order by seq desc limit 1", MapSound, null, run, tenant.Workspace);

    /// <summary>Takes the run's last records away.</summary>
    /// <returns>What was taken, damaged or not.</returns>
    internal static List<JournalRow> Remove(DbUnit db, Tenant tenant, Guid run, int most) => db.Query(
        $"""
        delete from journal where run = $1 and workspace = $2
            and seq > (select coalesce(max(seq), -1) from journal where run = $1 and workspace = $2) - $3
        returning {Columns}
        """,
        Map, run, tenant.Workspace, (long)most);

    /// <summary>Where and when the run's journal ends, whatever its last record is worth.</summary>
    internal static (long Seq, long At) End(DbUnit db, Tenant tenant, Guid run) => db.First(
        "select seq, at from journal where run = $1 and workspace = $2 order by seq desc limit 1", r => (r.Long(0), r.Long(1)), (-1L, 0L), run, tenant.Workspace);

    /// <summary>Settled records that changed a run's state, after a position of the workspace's log.</summary>
    public static List<JournalRow> StateChanges(DbUnit db, Tenant tenant, long after, int limit) => db.Query(
        $"select {Columns} from journal where workspace = $1 and position > $2 and position <= $3 and state is not null order by position limit $4",
        Map, tenant.Workspace, after, db.Horizon, (long)limit);

    /// <summary>The last settled position of the workspace's log; 0 when there is none.</summary>
    public static long LastPosition(DbUnit db, Tenant tenant) => db.First(
        "select coalesce(max(position), 0) from journal where workspace = $1 and position <= $2 and state is not null", r => r.Long(0), 0L, tenant.Workspace, db.Horizon);

    /// <summary>No settled record of any workspace has ever stood behind this position, also of those that are there no more.</summary>
    public static long End(DbUnit db) => db.First(
        "select /*pg: $1 -- */ min($1, coalesce((select seq from sqlite_sequence where name = 'journal'), 0))", r => r.Long(0), 0L, db.Horizon);

    /// <summary>Settled records of one workspace after a position.</summary>
    internal static List<JournalRow> After(DbUnit db, Tenant tenant, long after, int limit) => db.Query(
        $"select {Columns} from journal where workspace = $1 and position > $2 and position <= $3 order by position limit $4", Map, tenant.Workspace, after, db.Horizon, (long)limit);

    /// <summary>The last settled position of any record of the workspace; 0 when there is none.</summary>
    internal static long LastOf(DbUnit db, Tenant tenant) => db.First(
        "select position from journal where workspace = $1 and position <= $2 order by position desc limit 1", r => r.Long(0), 0L, tenant.Workspace, db.Horizon);

    /// <summary>Records of all workspaces after a position, for those who look after the whole database: damaged ones as well.</summary>
    internal static List<JournalRow> Page(DbUnit db, long after, int limit) =>
        db.Query($"select {Columns} from journal where position > $1 order by position limit $2", Map, after, limit);

    /// <summary>Runs whose records are not numbered 0, 1, 2, …, or do not end as the run's row says, in the whole database.</summary>
    internal static long Broken(DbUnit db) => db.First(
        """
        select (select count(*) from (select run from journal group by run having min(seq) <> 0 or max(seq) <> count(*) - 1) as gaps)
            + (select count(*) from run where not exists (select 1 from journal where journal.run = run.id and (run.state < 4 or journal.state = run.state)))
        """,
        r => r.Long(0), 0L);

    private static JournalRow MapSound(DbRow r)
    {
        var row = Map(r);
        RecordSeal.Check(row);
        return row;
    }

    private static JournalRow Map(DbRow r) =>
        new(r.Long(0), r.Id(1), r.Long(2), r.Long(3), r.LongOrNull(4) is { } s ? (RunPhase)s : null, r.Bytes(5));
}
