using Millrace.Engine.Admin;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;
using Millrace.Storage.Sqlite;

namespace Millrace.Server.Admin;

/// <summary>Brings a backup into an empty place of the same shape. What is there is compared with the manifest before anything may serve it.</summary>
internal sealed class Restore(AdminArguments arguments, TextWriter output, TimeProvider time)
{
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        var folder = Path.GetFullPath(arguments.Need("from"));
        var uri = arguments.Postgres;
        var manifest = await Manifest.ReadAsync(folder, cancel);
        if (manifest.Shape != (uri is null ? Manifest.Sqlite : Manifest.Postgres))
            throw new AdminException($"The backup is of a {manifest.Shape} database. Restore it as that; 'millrace admin move' brings SQLite to PostgreSQL.");
        if (await manifest.CompareAsync(folder, cancel) is { Count: > 0 } wrong) throw new AdminException($"The backup is damaged, nothing was restored: {string.Join(' ', wrong)}");
        var sound = uri is null ? await ToFolderAsync(manifest, folder, cancel) : await ToPostgresAsync(manifest, folder, uri, cancel);
        await output.WriteLineAsync(sound
            ? $"Restored what was backed up at {manifest.At:O}. Effects that were carried out after that moment and are repeated now are told apart by their idempotency keys alone."
            : "What was restored differs from the backup; it is marked above. No build serves it.");
        return sound;
    }

    /// <summary>Under a name of its own until it is whole: a server that starts meanwhile does not find it.</summary>
    private async Task<bool> ToFolderAsync(Manifest manifest, string folder, CancellationToken cancel)
    {
        var data = Path.GetFullPath(arguments.Need("data"));
        var (file, aside) = (Path.Combine(data, Manifest.SqliteFile), Path.Combine(data, $"{Manifest.SqliteFile}.restoring"));
        if (File.Exists(file)) throw new AdminException($"{file} is there already; restore into an empty data folder.");
        Directory.CreateDirectory(data);
        File.Copy(Path.Combine(folder, Manifest.SqliteFile), aside, overwrite: true);
        bool sound;
        await using (var database = SqliteDatabase.Open(aside))
            sound = await CompareAsync(database, manifest, folder, arguments.Find("blobs") ?? AdminArguments.BlobsOf(data), cancel);
        File.Delete($"{aside}.lock");
        if (sound) Snapshots.PutInPlace(aside, file);
        return sound;
    }

    /// <summary>From its tables' first row to the end the database bears a mark: a server that starts meanwhile, or after one that failed, refuses it.</summary>
    private async Task<bool> ToPostgresAsync(Manifest manifest, string folder, string uri, CancellationToken cancel)
    {
        await using var database = AdminArguments.OpenPostgres(uri);
        if (!await Snapshots.IsBareAsync(database, cancel)) throw new AdminException("The database has tables already; restore into an empty one.");
        Fill(uri, folder, ["--section=pre-data"], cancel);
        // By a connection of its own: one that writes remembers where positions begin, which the rows bring with them.
        await using (var marking = AdminArguments.OpenPostgres(uri)) await marking.WriteAsync(RestoreMark.Set);
        Fill(uri, folder, ["--section=data", "--section=post-data"], cancel);
        if (!await CompareAsync(database, manifest, folder, arguments.Need("blobs"), cancel)) return false;
        // Another server counts its transactions from elsewhere: positions of logs must begin above those that came.
        await RestoreMark.MigrateAsync(database, cancel);
        var now = await WholeDatabase.NowAsync(database, time, cancel);
        await database.WriteAsync(db =>
        {
            WholeDatabase.GiveBack(db, now);
            return RestoreMark.Remove(db);
        });
        return true;
    }

    private static void Fill(string uri, string folder, string[] sections, CancellationToken cancel)
    {
        using var tool = PostgresTool.Start("pg_restore", uri, [.. sections, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", Path.Combine(folder, Manifest.PostgresFile)]);
        tool.End(meanwhile: cancel.ThrowIfCancellationRequested);
    }

    private async Task<bool> CompareAsync(Database database, Manifest manifest, string folder, string place, CancellationToken cancel)
    {
        var blobs = arguments.OpenBlobs(place);
        using var ending = blobs as IDisposable;
        if (manifest.HasBlobs) await WholeDatabase.CopyBlobsAsync(await database.ReadAsync(WholeDatabase.Blobs, cancel), new FileBlobStore(Path.Combine(folder, Manifest.Blobs), shared: true), blobs, cancel);
        var tables = await Table.OfAsync(database, cancel);
        var sums = await database.ReadAsync(db => TableSum.Of(db, tables), cancel);
        var pairs = manifest.Tables.Select(was => (was, sums.Find(s => s.Table == was.Table) ?? was with { Rows = 0, Sha256 = new string('0', 64) })).ToList();
        await AdminReport.WriteAsync(output, pairs);
        var check = await WholeDatabase.CheckAsync(database, blobs, cancel);
        await AdminReport.WriteAsync(output, check);
        return check.IsSound && pairs.TrueForAll(p => p.Item1 == p.Item2);
    }
}
