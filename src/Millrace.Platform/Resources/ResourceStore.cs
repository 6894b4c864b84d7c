using Millrace.Storage;

namespace Millrace.Platform.Resources;

/// <summary>A text that a workspace keeps, without the text. Times are Unix microseconds, UTC.</summary>
public sealed record ResourceRow(string Name, string MediaType, string Sha256, long Size, long CreatedAt, long UpdatedAt);

/// <summary>Every statement on stored resources.</summary>
public static class ResourceStore
{
    private const string Columns = "name, media_type, sha256, size, created_at, updated_at";

    /// <summary>By name, after the given one.</summary>
    internal static List<ResourceRow> List(DbUnit db, Tenant tenant, string? after, int limit) => db.Query(
        $"select {Columns} from resource where workspace = $1 and name > $2 order by name limit $3", Map, tenant.Workspace, after ?? "", (long)limit);

    internal static ResourceRow? Find(DbUnit db, Tenant tenant, string name) =>
        db.First($"select {Columns} from resource where workspace = $1 and name = $2", Map, null, tenant.Workspace, name);

    public static byte[]? Content(DbUnit db, Tenant tenant, string name) =>
        db.First("select content from resource where workspace = $1 and name = $2", r => r.Bytes(0), null, tenant.Workspace, name);

    internal static long Count(DbUnit db, Tenant tenant) => db.First("select count(*) from resource where workspace = $1", r => r.Long(0), 0L, tenant.Workspace);

    internal static void Put(DbUnit db, Tenant tenant, ResourceRow row, byte[] content) => db.Execute(
        """
        insert into resource (organisation, workspace, name, media_type, sha256, size, content, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (workspace, name) do update set media_type = excluded.media_type, sha256 = excluded.sha256, size = excluded.size, content = excluded.content, updated_at = excluded.updated_at
        """,
        tenant.Organisation, tenant.Workspace, row.Name, row.MediaType, row.Sha256, row.Size, content, row.CreatedAt, row.UpdatedAt);

    internal static bool Remove(DbUnit db, Tenant tenant, string name) => db.Execute("delete from resource where workspace = $1 and name = $2", tenant.Workspace, name) == 1;

    private static ResourceRow Map(DbRow r) => new(r.Text(0), r.Text(1), r.Text(2), r.Long(3), r.Long(4), r.Long(5));
}
