using Millrace.Engine.Admin;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;
using Millrace.Storage.Sqlite;

namespace Millrace.Server.Admin;

/// <summary>
/// A consistent copy in a new folder. The database comes first, with a list of the blobs that this very copy refers to. They never change, and what is let go while they are
/// copied stays in the store for a day (decision 32).
/// </summary>
internal sealed class Backup(AdminArguments arguments, TextWriter output, TimeProvider time)
{
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        var folder = Path.GetFullPath(arguments.Need("out"));
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new AdminException($"{folder} is not empty.");
        var at = time.GetUtcNow();
        var uri = arguments.Postgres;
        Directory.CreateDirectory(folder);
        var manifest = uri is null ? await OfFileAsync(folder, at, cancel) : await OfPostgresAsync(uri, folder, at, cancel);
        foreach (var table in manifest.Tables) await output.WriteLineAsync($"{table.Table,-20} {table.Rows,12}  {table.Sha256[..16]}");
        await output.WriteLineAsync($"Backed up into {folder}: {manifest.Files.Count} files, {manifest.Files.Sum(f => f.Size)} bytes{(manifest.HasBlobs ? "" : "; blobs are in a bucket and were not copied")}.");
        return true;
    }

    private async Task<Manifest> OfFileAsync(string folder, DateTimeOffset at, CancellationToken cancel)
    {
        var data = arguments.Need("data");
        var (file, copy) = (AdminArguments.FileOf(data), Path.Combine(folder, Manifest.SqliteFile));
        if (!File.Exists(file)) throw new AdminException($"There is no database {file}.");
        var place = arguments.Find("blobs") ?? AdminArguments.BlobsOf(data);
        Snapshots.CopyFile(file, copy);
        List<TableSum> sums;
        await using (var database = SqliteDatabase.Open(copy))
        {
            var tables = await Table.OfAsync(database, cancel);
            sums = await database.ReadAsync(db => TableSum.Of(db, tables), cancel);
            if (!IsBucket(place)) await CopyBlobsAsync(await database.ReadAsync(WholeDatabase.Blobs, cancel), place, folder, cancel);
        }

        File.Delete($"{copy}.lock");
        return await Manifest.WriteAsync(folder, Manifest.Sqlite, at, !IsBucket(place), sums, cancel);
    }

    private async Task<Manifest> OfPostgresAsync(string uri, string folder, DateTimeOffset at, CancellationToken cancel)
    {
        await using var database = AdminArguments.OpenPostgres(uri);
        var place = arguments.Need("blobs");
        var inBucket = IsBucket(place);
        var tables = await Table.OfAsync(database, cancel);
        var (sums, blobs) = await Snapshots.ExportAsync(database, (db, snapshot) =>
        {
            using var dump = PostgresTool.Start("pg_dump", uri, "--format=custom", $"--snapshot={snapshot}", $"--file={Path.Combine(folder, Manifest.PostgresFile)}");
            var sums = TableSum.Of(db, tables);
            var blobs = inBucket ? [] : WholeDatabase.Blobs(db);
            dump.End(meanwhile: () => Snapshots.Touch(db));
            return (sums, blobs);
        }, cancel);
        if (!inBucket) await CopyBlobsAsync(blobs, place, folder, cancel);
        return await Manifest.WriteAsync(folder, Manifest.Postgres, at, !inBucket, sums, cancel);
    }

    /// <summary>A bucket has backups of its own.</summary>
    private static bool IsBucket(string place) => place.StartsWith("s3://", StringComparison.Ordinal);

    private async Task CopyBlobsAsync(List<BlobRef> blobs, string place, string folder, CancellationToken cancel)
    {
        await output.WriteLineAsync($"The database is copied; its {blobs.Count} blobs are next.");
        await WholeDatabase.CopyBlobsAsync(blobs, new FileBlobStore(place, shared: true), new FileBlobStore(Path.Combine(folder, Manifest.Blobs)), cancel);
    }
}
