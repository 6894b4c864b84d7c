using Millrace.Storage.Files;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Admin;

/// <summary>Consistent copies of databases that may be serving.</summary>
public static class Snapshots
{
    /// <summary>
    /// Writes a SQLite database as it is now into a new file, from a connection beside the server's: readers of a write-ahead log stand in nobody's
    /// way. The log is not folded past this snapshot meanwhile, so it grows with what is written.
    /// </summary>
    public static void CopyFile(string database, string into)
    {
        SqliteLibrary.Bind();
        using (var beside = SqliteConnection.Open(DurableFolder.Resolve(database), new SqliteOptions(), readsOnly: false))
        {
            beside.KeepLogOnClose();
            beside.Run($"vacuum into '{into.Replace("'", "''", StringComparison.Ordinal)}'");
        }

        using (var file = new FileStream(into, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
        DurableFolder.Sync(Path.GetDirectoryName(Path.GetFullPath(into))!);
    }

    /// <summary>What SQLite finds wrong with the structure of a file and with its indexes, a line each; empty when all is well. Reads all of it.</summary>
    public static async Task<IReadOnlyList<string>> FaultsAsync(SqliteDatabase database, CancellationToken cancel = default)
    {
        var said = await database.ReadAsync(db => db.Query("pragma integrity_check(20)", r => r.Text(0)), cancel);
        return said is ["ok"] ? [] : said;
    }

    /// <summary>Gives a closed database file its name, when all of it is on disk.</summary>
    public static void PutInPlace(string aside, string path)
    {
        using (var file = new FileStream(aside, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
        File.Move(aside, path, overwrite: false);
        DurableFolder.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Reads on a snapshot that other programs may use by its name for as long as <paramref name="read"/> lasts.</summary>
    public static Task<T> ExportAsync<T>(PostgresDatabase database, Func<DbUnit, string, T> read, CancellationToken cancel = default) =>
        database.ReadAsync(db => read(db, db.First("select pg_export_snapshot()", r => r.Text(0), "")!), cancel);

    /// <summary>Says something on the snapshot's connection, so that the server does not end it as silent.</summary>
    public static void Touch(DbUnit db) => db.First("select 1", _ => true, false);

    /// <summary>Whether the database has no table at all.</summary>
    public static Task<bool> IsBareAsync(PostgresDatabase database, CancellationToken cancel = default) => database.ReadAsync(
        db => db.First("select count(*) from pg_class where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace", r => r.Long(0), 0L) == 0, cancel);
}
