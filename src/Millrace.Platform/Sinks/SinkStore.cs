using System.Text.Json;
using Millrace.Engine.Events;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Sinks;

/// <summary>A sink as its row tells it. Times are Unix microseconds, UTC.</summary>
internal sealed record SinkRow(
    Tenant Tenant, Guid Id, string Name, string Url, IReadOnlyList<string> Types, string? Secret, bool Structured, bool Paused, long Position, long DueAt, long Delivered, long Attempts,
    long? FailingSince, string? Error, long Patience, long? DeadAt, long CreatedAt, long UpdatedAt)
{
    public SinkState State => DeadAt is not null ? SinkState.Dead : Paused ? SinkState.Paused : FailingSince is not null ? SinkState.Failing : SinkState.Active;

    public Sink View(long pending) => new(
        Id, Name, Url, Types, Secret, Structured ? SinkMode.Structured : SinkMode.Binary, State, Position, pending, Delivered, Attempts, Error,
        FailingSince is { } failing ? Micros.ToTime(failing) : null, State == SinkState.Failing ? Micros.ToTime(DueAt) : null, DeadAt is { } dead ? Micros.ToTime(dead) : null, Patience / 1_000_000, Micros.ToTime(CreatedAt), Micros.ToTime(UpdatedAt));
}

/// <summary>Every statement on sinks.</summary>
internal static class SinkStore
{
    private const string Columns =
        "organisation, workspace, id, name, url, types, secret, structured, paused, position, due_at, delivered, attempts, failing_since, error, patience, dead_at, created_at, updated_at";

    private const string Behind = "exists (select 1 from event where event.workspace = sink.workspace and event.position > sink.position and event.position <= $2)";

    /// <summary>Where it stood when it was taken, and not changed by anybody since.</summary>
    private const string Unmoved = "position = $4 and updated_at = $5 and dead_at is null";

    /// <returns>False when the workspace has one of that name.</returns>
    public static bool Insert(DbUnit db, SinkRow row)
    {
        var made = db.Execute(
            $"insert into sink ({Columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) on conflict (workspace, name) do nothing",
            row.Tenant.Organisation, row.Tenant.Workspace, row.Id, row.Name, row.Url, Text(row.Types), row.Secret, row.Structured ? 1L : 0L, row.Paused ? 1L : 0L, row.Position, row.DueAt,
            row.Delivered, row.Attempts, row.FailingSince, row.Error, row.Patience, row.DeadAt, row.CreatedAt, row.UpdatedAt) == 1;
        if (made) Want(db, row);
        return made;
    }

    /// <summary>Changes what somebody may change. A delivery under way notices, since it advances only what stands where it did.</summary>
    public static void Update(DbUnit db, SinkRow row)
    {
        db.Execute(
            """
            update sink set name = $1, url = $2, types = $3, secret = $4, structured = $5, paused = $6, patience = $7, due_at = $8, attempts = 0, failing_since = null, error = null, dead_at = null, updated_at = $8
            where workspace = $9 and id = $10
            """,
            row.Name, row.Url, Text(row.Types), row.Secret, row.Structured ? 1L : 0L, row.Paused ? 1L : 0L, row.Patience, row.UpdatedAt, row.Tenant.Workspace, row.Id);
        Want(db, row);
    }

    public static bool Delete(DbUnit db, Tenant tenant, Guid id)
    {
        db.Execute("delete from sink_type where workspace = $1 and sink = $2", tenant.Workspace, id);
        return db.Execute("delete from sink where workspace = $1 and id = $2", tenant.Workspace, id) == 1;
    }

    public static SinkRow? Get(DbUnit db, Tenant tenant, Guid id) => db.First($"select {Columns} from sink where workspace = $1 and id = $2", Map, null, tenant.Workspace, id);

    public static SinkRow? Named(DbUnit db, Tenant tenant, string name) => db.First($"select {Columns} from sink where workspace = $1 and name = $2", Map, null, tenant.Workspace, name);

    public static long Count(DbUnit db, Tenant tenant) => db.First("select count(*) from sink where workspace = $1", r => r.Long(0), 0L, tenant.Workspace);

    /// <summary>By name, after one.</summary>
    public static List<SinkRow> List(DbUnit db, Tenant tenant, string? after, int limit) => db.Query(
        $"select {Columns} from sink where workspace = $1 and ($2 is null or name > $2) order by name limit $3", Map, tenant.Workspace, after, (long)limit);

    /// <summary>Settled events behind where the sink stands, counted up to a limit.</summary>
    public static long Pending(DbUnit db, SinkRow row, int limit) => db.First(
        "select count(*) from (select 1 from event where workspace = $1 and position > $2 and position <= $3 limit $4) as behind",
        r => r.Long(0), 0L, row.Tenant.Workspace, row.Position, db.Horizon, (long)limit);

    public static bool IsDue(DbUnit db, long now) => db.First(
        $"select 1 from sink where paused = 0 and dead_at is null and due_at <= $1 and {Behind} limit 1", _ => true, false, now, db.Horizon);

    /// <summary>Takes the sink that is due for longest, in any workspace: nobody else takes it before <paramref name="until"/>, or what <see cref="Keep"/> says later.</summary>
    public static SinkRow? Take(DbUnit db, long now, long until) => db.First(
        $"""
        update sink set due_at = $3 where (workspace, id) in
            (select workspace, id from sink where paused = 0 and dead_at is null and due_at <= $1 and {Behind} order by due_at limit 1 /*pg: for update skip locked */)
        returning {Columns}
        """,
        Map, null, now, db.Horizon, until);

    /// <summary>Nobody else takes the sink before <paramref name="until"/>, if it stands where it did.</summary>
    public static bool Keep(DbUnit db, SinkRow row, long until) => db.Execute(
        $"update sink set due_at = $1 where workspace = $2 and id = $3 and {Unmoved}", until, row.Tenant.Workspace, row.Id, row.Position, row.UpdatedAt) == 1;

    /// <summary>Says how far a delivery has come, and lets go of the sink.</summary>
    /// <returns>False when it does not stand where it did, or was changed meanwhile.</returns>
    public static bool Advance(DbUnit db, SinkRow from, SinkRow to) => db.Execute(
        $"""
        update sink set due_at = $1, position = $6, delivered = $7, attempts = $8, failing_since = $9, error = $10, dead_at = $11
        where workspace = $2 and id = $3 and {Unmoved}
        """,
        to.DueAt, from.Tenant.Workspace, from.Id, from.Position, from.UpdatedAt, to.Position, to.Delivered, to.Attempts, to.FailingSince, to.Error, to.DeadAt) == 1;

    private static void Want(DbUnit db, SinkRow row)
    {
        db.Execute("delete from sink_type where workspace = $1 and sink = $2", row.Tenant.Workspace, row.Id);
        List<string> told = [.. SinkTypes.Told(row.Types)];
        if (told.Count > 0) EventLog.BeginLifecycle(db, row.Tenant);
        foreach (var type in told)
            db.Execute("insert into sink_type (organisation, workspace, sink, type) values ($1, $2, $3, $4)", row.Tenant.Organisation, row.Tenant.Workspace, row.Id, type);
    }

    private static string Text(IReadOnlyList<string> types) => JsonSerializer.Serialize(types);

    private static SinkRow Map(DbRow r) => new(
        new Tenant(r.Id(0), r.Id(1)), r.Id(2), r.Text(3), r.Text(4), JsonSerializer.Deserialize<List<string>>(r.Text(5))!, r.TextOrNull(6), r.Long(7) != 0, r.Long(8) != 0, r.Long(9), r.Long(10),
        r.Long(11), r.Long(12), r.LongOrNull(13), r.TextOrNull(14), r.Long(15), r.LongOrNull(16), r.Long(17), r.Long(18));
}
