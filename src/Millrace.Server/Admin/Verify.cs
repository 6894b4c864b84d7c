using Millrace.Engine.Admin;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;
using Millrace.Storage.Sqlite;

namespace Millrace.Server.Admin;

/// <summary>Counts and checks data where it is, or a backup.</summary>
internal sealed class Verify(AdminArguments arguments, TextWriter output)
{
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        if (arguments.Find("backup") is { } backup) return await OfBackupAsync(backup, cancel);
        var uri = arguments.Postgres;
        await using Database database = uri is null ? AdminArguments.OpenFile(arguments.Need("data")) : AdminArguments.OpenPostgres(uri);
        var place = arguments.Find("blobs") ?? (uri is null ? AdminArguments.BlobsOf(arguments.Need("data")) : null);
        var blobs = place is null ? null : arguments.OpenBlobs(place);
        using var ending = blobs as IDisposable;
        var tables = await Table.OfAsync(database, cancel);
        foreach (var sum in await database.ReadAsync(db => TableSum.Of(db, tables), cancel)) await output.WriteLineAsync($"{sum.Table,-20} {sum.Rows,12}  {sum.Sha256[..16]}");
        var check = await WholeDatabase.CheckAsync(database, blobs, cancel);
        await AdminReport.WriteAsync(output, check);
        IReadOnlyList<string> faults = database is SqliteDatabase file ? await Snapshots.FaultsAsync(file, cancel) : [];
        foreach (var fault in faults) await output.WriteLineAsync($"the file is damaged: {fault}");
        return check.IsSound && faults.Count == 0;
    }

    private async Task<bool> OfBackupAsync(string folder, CancellationToken cancel)
    {
        var manifest = await Manifest.ReadAsync(folder, cancel);
        var wrong = await manifest.CompareAsync(folder, cancel);
        foreach (var what in wrong) await output.WriteLineAsync(what);
        await output.WriteLineAsync($"{manifest.Files.Count} files of the backup of {manifest.At:O} were compared, {wrong.Count} are wrong.");
        return wrong.Count == 0;
    }
}
