using System.Text.Json;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Bulk;

/// <summary>A piece of bulk work as its row tells it.</summary>
/// <param name="ComeTo">The run it has come to; the next page begins below it.</param>
internal sealed record BulkRow(Tenant Tenant, Guid Id, Json Request, BulkState State, Guid ComeTo, long Found, long Done, long Refused, IReadOnlyList<BulkRefusal> Refusals, long CreatedAt, long UpdatedAt, long? EndedAt)
{
    public BulkWork View => new(
        Id, BulkWish.Read(Request).Action, Request, State, Found, Done, Refused, Refusals, Micros.ToTime(CreatedAt), Micros.ToTime(UpdatedAt), EndedAt is { } ended ? Micros.ToTime(ended) : null);
}

/// <summary>Every statement on bulk work.</summary>
internal static class BulkStore
{
    private const string Columns = "organisation, workspace, id, request, state, come_to, found, done, refused, refusals, created_at, updated_at, ended_at";

    public static void Insert(DbUnit db, BulkRow row) => db.Execute(
        $"insert into bulk ({Columns}, due_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $11)",
        row.Tenant.Organisation, row.Tenant.Workspace, row.Id, row.Request.ToString(), (long)row.State, row.ComeTo, row.Found, row.Done, row.Refused, Text(row.Refusals),
        row.CreatedAt, row.UpdatedAt, row.EndedAt);

    public static BulkRow? Get(DbUnit db, Tenant tenant, Guid id) =>
        db.First($"select {Columns} from bulk where workspace = $1 and id = $2", Map, null, tenant.Workspace, id);

    /// <summary>Newest first, after one.</summary>
    public static List<BulkRow> List(DbUnit db, Tenant tenant, Guid? before, int limit) => db.Query(
        $"select {Columns} from bulk where workspace = $1 and ($2 is null or id < $2) order by id desc limit $3", Map, tenant.Workspace, before, (long)limit);

    public static bool IsDue(DbUnit db, long now) => db.First("select 1 from bulk where state = 0 and due_at <= $1 limit 1", _ => true, false, now);

    /// <summary>Takes the work that is due for longest, in any workspace: nobody else takes it before <paramref name="until"/>.</summary>
    public static BulkRow? Take(DbUnit db, long now, long until) => db.First(
        $"""
        update bulk set due_at = $2 where (workspace, id) in
            (select workspace, id from bulk where state = 0 and due_at <= $1 order by due_at limit 1 /*pg: for update skip locked */)
        returning {Columns}
        """,
        Map, null, now, until);

    /// <summary>Holds the work for this transaction if it stands where it did; whoever took it over meanwhile has moved it on.</summary>
    public static bool Stands(DbUnit db, BulkRow row) => db.Execute(
        "update bulk set updated_at = updated_at where workspace = $1 and id = $2 and state = 0 and come_to = $3", row.Tenant.Workspace, row.Id, row.ComeTo) == 1;

    /// <summary>Moves the work on by a page, and lets go of it.</summary>
    /// <returns>False when it does not stand where it did: another process has done the page, or somebody has stopped it.</returns>
    public static bool Advance(DbUnit db, BulkRow from, BulkRow to) => db.Execute(
        """
        update bulk set come_to = $1, done = $2, refused = $3, refusals = $4, state = $5, updated_at = $6, due_at = $6, ended_at = $7
        where workspace = $8 and id = $9 and state = 0 and come_to = $10
        """,
        to.ComeTo, to.Done, to.Refused, Text(to.Refusals), (long)to.State, to.UpdatedAt, to.EndedAt, from.Tenant.Workspace, from.Id, from.ComeTo) == 1;

    /// <returns>False when it is over.</returns>
    public static bool Stop(DbUnit db, Tenant tenant, Guid id, long now) => db.Execute(
        "update bulk set state = 2, updated_at = $1, ended_at = $1 where workspace = $2 and id = $3 and state = 0", now, tenant.Workspace, id) == 1;

    private static string Text(IReadOnlyList<BulkRefusal> refusals) => JsonSerializer.Serialize(refusals, WireJson.Options);

    private static BulkRow Map(DbRow r) => new(
        new Tenant(r.Id(0), r.Id(1)), r.Id(2), JsonText.Parse(r.Text(3)), (BulkState)r.Long(4), r.Id(5), r.Long(6), r.Long(7), r.Long(8),
        JsonSerializer.Deserialize<List<BulkRefusal>>(r.Text(9), WireJson.Options) ?? [], r.Long(10), r.Long(11), r.LongOrNull(12));
}
