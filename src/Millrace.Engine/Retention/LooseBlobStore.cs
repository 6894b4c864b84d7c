using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Retention;

/// <summary>Every statement on content that a run which went referred to.</summary>
internal static class LooseBlobStore
{
    public static void Add(DbUnit db, BlobRef blob, long now) => db.Execute(
        "insert into loose_blob (sha256, size, at) values ($1, $2, $3) on conflict (sha256) do update set at = excluded.at where loose_blob.going_since is null",
        blob.Sha256, blob.Size, now);

    /// <summary>When the first of them may go; null when there is none.</summary>
    public static long? First(DbUnit db) => db.First("select min(at) from loose_blob", r => r.LongOrNull(0), null);

    public static bool IsThere(DbUnit db, string sha256) => db.First("select 1 from loose_blob where sha256 = $1", _ => true, false, sha256);

    /// <summary>Somebody is about to refer to it.</summary>
    /// <returns>False when it is being removed.</returns>
    public static bool Keep(DbUnit db, string sha256)
    {
        db.Execute("delete from loose_blob where sha256 = $1 and going_since is null", sha256);
        return !IsThere(db, sha256);
    }

    /// <summary>Those that have been loose since before a moment, and those that somebody began to remove before another and did not.</summary>
    public static List<BlobRef> Due(DbUnit db, long before, long begunBefore, int limit) => db.Query(
        "select sha256, size from loose_blob where (going_since is null and at <= $1) or going_since <= $2 order by at limit $3",
        r => new BlobRef(r.Text(0), r.Long(1)), before, begunBefore, (long)limit);

    /// <summary>Begins to remove one, unless somebody wanted it or let go of it once more since it was found.</summary>
    public static bool Go(DbUnit db, string sha256, long before, long begunBefore, long now) => db.Execute(
        "update loose_blob set going_since = $1 where sha256 = $2 and ((going_since is null and at <= $3) or going_since <= $4)",
        now, sha256, before, begunBefore) == 1;

    /// <summary>Something refers to it: it is loose again when that goes.</summary>
    public static void Used(DbUnit db, string sha256, long begunBefore) =>
        db.Execute("delete from loose_blob where sha256 = $1 and (going_since is null or going_since <= $2)", sha256, begunBefore);

    public static void Gone(DbUnit db, string sha256, long since) => db.Execute("delete from loose_blob where sha256 = $1 and going_since = $2", sha256, since);
}
