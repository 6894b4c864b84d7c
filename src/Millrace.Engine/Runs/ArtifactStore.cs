using Millrace.Storage;

namespace Millrace.Engine.Runs;

/// <summary>A file kept with a run; its bytes lie in the blob store under their SHA-256.</summary>
public sealed record ArtifactRow(string Name, string MediaType, long Size, string Sha256, long At);

/// <summary>Every statement on artifacts.</summary>
public static class ArtifactStore
{
    internal static void Save(DbUnit db, Tenant tenant, Guid run, ArtifactRow artifact) => db.Execute(
        """
        insert into artifact (organisation, workspace, run, name, media_type, size, sha256, at) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (workspace, run, name) do update set media_type = excluded.media_type, size = excluded.size, sha256 = excluded.sha256, at = excluded.at
        """,
        tenant.Organisation, tenant.Workspace, run, artifact.Name, artifact.MediaType, artifact.Size, artifact.Sha256, artifact.At);

    /// <summary>Gives a run what another one had saved by then, as it is now: an artifact that was saved again since is the later one.</summary>
    internal static void Copy(DbUnit db, Tenant tenant, Guid from, Guid to, long until) => db.Execute(
        """
        insert into artifact (organisation, workspace, run, name, media_type, size, sha256, at)
        select organisation, workspace, $1, name, media_type, size, sha256, at from artifact where workspace = $2 and run = $3 and at <= $4
        """,
        to, tenant.Workspace, from, until);

    public static List<ArtifactRow> Of(DbUnit db, Tenant tenant, Guid run) => db.Query(
        "select name, media_type, size, sha256, at from artifact where workspace = $1 and run = $2 order by name",
        Map, tenant.Workspace, run);

    public static ArtifactRow? Get(DbUnit db, Tenant tenant, Guid run, string name) => db.First(
        "select name, media_type, size, sha256, at from artifact where workspace = $1 and run = $2 and name = $3",
        Map, null, tenant.Workspace, run, name);

    /// <summary>Blobs of artifacts of all workspaces, each once, after one by name.</summary>
    internal static List<(string Sha256, long Size)> Blobs(DbUnit db, string after, int limit) => db.Query(
        "select distinct sha256, size from artifact where sha256 > $1 order by sha256 limit $2", r => (r.Text(0), r.Long(1)), after, limit);

    private static ArtifactRow Map(DbRow r) => new(r.Text(0), r.Text(1), r.Long(2), r.Text(3), r.Long(4));
}
