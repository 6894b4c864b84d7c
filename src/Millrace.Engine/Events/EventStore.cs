using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Events;

/// <summary>One event of a workspace's log. Times are Unix microseconds, UTC, but <paramref name="Time"/>, which is its sender's own text.</summary>
/// <param name="Body">The CloudEvent in its JSON format; null when it is large and lies in the blob store.</param>
public sealed record EventRow(
    long Position, string Type, string Source, string Id, string? Subject, string? Time, long ReceivedAt, long Size, byte[]? Body, string? Sha256)
{
    /// <summary>It tells of a run whose definition listens for such events: for sinks, and not for who listens.</summary>
    internal bool IsForSinks { get; init; }

    /// <summary>The run that alone is told of it: a signal. Null: whoever listens is.</summary>
    public Guid? Run { get; init; }

    public BlobRef? Large => Sha256 is null ? null : new BlobRef(Sha256, Size);
}

/// <summary>Which events a list shows. Newest first, before a position when given.</summary>
public sealed record EventQuery(string? Type, string? Source, string? Subject, long? Before, int Limit);

/// <summary>Every statement on events.</summary>
public static class EventStore
{
    private const string Columns = "position, type, source, id, subject, time, received_at, size, body, sha256, run";

    /// <returns>The position given to it. Where another transaction has written an event with the same source and id meanwhile, nothing stands there.</returns>
    internal static long Append(DbUnit db, Tenant tenant, EventRow e) => db.AppendLater(
        """
        insert into event (position, organisation, workspace, type, source, id, subject, time, received_at, size, body, sha256, run, for_sinks)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (workspace, source, id) do nothing
        """,
        tenant.Organisation, tenant.Workspace, e.Type, e.Source, e.Id, e.Subject, e.Time, e.ReceivedAt, e.Size, e.Body, e.Sha256, e.Run, e.IsForSinks ? 1L : 0L);

    /// <summary>Where an event with the same source and id stands; null when there is none.</summary>
    internal static long? Find(DbUnit db, Tenant tenant, string source, string id) => db.First<long?>(
        "select position from event where workspace = $1 and source = $2 and id = $3", r => r.Long(0), null, tenant.Workspace, source, id);

    public static EventRow? Get(DbUnit db, Tenant tenant, long position) => db.First(
        $"select {Columns} from event where position = $1 and workspace = $2", Map, null, position, tenant.Workspace);

    public static List<EventRow> List(DbUnit db, Tenant tenant, EventQuery query) => db.Query(
        $"""
        select {Columns} from event
        where workspace = $1 and ($2 is null or position < $2) and ($3 is null or type = $3) and ($4 is null or source = $4) and ($5 is null or subject = $5)
        order by position desc limit $6
        """,
        Map, tenant.Workspace, query.Before, query.Type, query.Source, query.Subject, (long)query.Limit);

    /// <summary>Settled events behind a position, in their order.</summary>
    public static List<EventRow> After(DbUnit db, Tenant tenant, long after, int limit) => db.Query(
        $"select {Columns} from event where workspace = $1 and position > $2 and position <= $3 order by position limit $4", Map, tenant.Workspace, after, db.Horizon, (long)limit);

    /// <summary>The last settled position; 0 when there is none.</summary>
    public static long Last(DbUnit db, Tenant tenant) => db.First(
        "select coalesce(max(position), 0) from event where workspace = $1 and position <= $2", r => r.Long(0), 0L, tenant.Workspace, db.Horizon);

    /// <summary>The last events for everybody, but those for sinks alone, since the moment from which a step listens, and the last signals to its run, in the order of the log.</summary>
    /// <param name="limit">So many of each.</param>
    /// <param name="after">Only those behind this position.</param>
    internal static IEnumerable<long> Missed(DbUnit db, SubscriptionRow by, int limit, long after = 0) => Since(db, by, limit, after).Concat(SignalsTo(db, by, limit, after)).Order();

    private static List<long> Since(DbUnit db, SubscriptionRow by, int limit, long after) => by.Type.Length > 0
        ? db.Query(
            """
            select position from event
            where workspace = $1 and type = $2 and received_at >= $3 and run is null and for_sinks = 0 and ($4 = '' or source = $4) and position > $5 order by position desc limit $6
            """,
            r => r.Long(0), by.Tenant.Workspace, by.Type, by.Since, by.Source, after, (long)limit)
        : db.Query(
            "select position from event where workspace = $1 and received_at >= $2 and run is null and for_sinks = 0 and ($3 = '' or source = $3) and position > $4 order by position desc limit $5",
            r => r.Long(0), by.Tenant.Workspace, by.Since, by.Source, after, (long)limit);

    /// <summary>Whenever they came: those that the run before it in a chain had not heard are older than it.</summary>
    private static List<long> SignalsTo(DbUnit db, SubscriptionRow by, int limit, long after) => db.Query(
        "select position from event where workspace = $1 and run = $2 and ($3 = '' or type = $3) and ($4 = '' or source = $4) and position > $5 order by position desc limit $6",
        r => r.Long(0), by.Tenant.Workspace, by.Run, by.Type, by.Source, after, (long)limit);

    /// <summary>Signals that a run has not heard are its successor's. The run's row has been changed before, so whoever sends one now waits or has sent it.</summary>
    internal static void HandOn(DbUnit db, Tenant tenant, Guid run, Guid successor, IReadOnlyCollection<long> heard)
    {
        var sent = db.Query("select position from event where workspace = $1 and run = $2", r => r.Long(0), tenant.Workspace, run);
        foreach (var position in sent.Except(heard).Order())
            db.Execute("update event set run = $1 where workspace = $2 and position = $3", successor, tenant.Workspace, position);
    }

    internal static bool AnyBefore(DbUnit db, long receivedBefore) =>
        db.First("select position from event where received_at < $1 limit 1", r => r.Long(0), -1L, receivedBefore) != -1;

    /// <returns>How many are gone; at most <paramref name="limit"/>.</returns>
    internal static int DeleteBefore(DbUnit db, long receivedBefore, int limit) => db.Execute(
        "delete from event where position in (select position from event where received_at < $1 order by received_at limit $2)", receivedBefore, (long)limit);

    /// <summary>Blobs of events of all workspaces, each once, after one by name.</summary>
    internal static List<(string Sha256, long Size)> Blobs(DbUnit db, string after, int limit) => db.Query(
        "select distinct sha256, size from event where sha256 > $1 order by sha256 limit $2", r => (r.Text(0), r.Long(1)), after, (long)limit);

    private static EventRow Map(DbRow r) => new(
        r.Long(0), r.Text(1), r.Text(2), r.Text(3), r.TextOrNull(4), r.TextOrNull(5), r.Long(6), r.Long(7), r.BytesOrNull(8), r.TextOrNull(9))
    { Run = r.IdOrNull(10) };
}
