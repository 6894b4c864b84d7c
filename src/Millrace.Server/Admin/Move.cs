using Millrace.Engine.Admin;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;

namespace Millrace.Server.Admin;

/// <summary>From a SQLite file to a PostgreSQL database, with live runs.</summary>
internal sealed class Move(AdminArguments arguments, TextWriter output, TimeProvider time)
{
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        var (data, uri) = (arguments.Need("from"), arguments.Need("to"));
        if (!AdminArguments.IsPostgres(uri)) throw new SettingsException("--to is postgres://user:password@host:port/name.");
        await using var source = AdminArguments.OpenFile(data);
        await using var target = AdminArguments.OpenPostgres(uri);
        var blobs = new FileBlobStore(AdminArguments.BlobsOf(data));
        BlobStore there = arguments.Find("blobs") is { } place ? arguments.OpenBlobs(place) : blobs;
        using var ending = there as IDisposable;

        var move = await TableMove.BeginAsync(source, target, cancel);
        var (copied, bytes) = there == blobs ? default : await WholeDatabase.CopyBlobsAsync(await source.ReadAsync(WholeDatabase.Blobs, cancel), blobs, there, cancel);
        var sums = await move.CopyAsync(cancel);
        var same = sums.TrueForAll(pair => pair.Source == pair.Target);
        var check = await WholeDatabase.CheckAsync(target, there, cancel);
        await AdminReport.WriteAsync(output, sums);
        await AdminReport.WriteAsync(output, check);
        if (!same || !check.IsSound)
        {
            await output.WriteLineAsync("The move is not finished: what differs is marked above. The target keeps its mark and is served by no build; the source is as it was.");
            return false;
        }

        var now = await WholeDatabase.NowAsync(target, time, cancel);
        var held = await target.WriteAsync(db =>
        {
            var runs = WholeDatabase.GiveBack(db, now);
            TableMove.Finish(db);
            return runs;
        });
        await output.WriteLineAsync($"Moved. {held} runs that a worker held are due again; {copied} blobs ({bytes} bytes) were copied. Start servers with --database; do not start the old one on {data} again, or its runs are carried out twice.");
        return true;
    }
}
