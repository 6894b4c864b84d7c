using System.Runtime.CompilerServices;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Admin;

/// <param name="Live">Runs that have not finished.</param>
/// <param name="Broken">Runs whose journal has a gap.</param>
/// <param name="BlobsMissing">Blobs that the data refers to and that are not in the store; null when they were not looked for.</param>
/// <param name="Damaged">Records that are not what was written; blobs that only they refer to are not counted.</param>
public sealed record DatabaseCheck(long Runs, long Live, long Broken, long Damaged, long Blobs, long? BlobsMissing)
{
    public bool IsSound => Broken == 0 && Damaged == 0 && BlobsMissing is null or 0;
}

/// <summary>What is asked of a whole database when it is moved, backed up or restored: all workspaces, no worker.</summary>
public static class WholeDatabase
{
    /// <summary>Puts finished runs in their place, and gives back every run that a worker held when the copy was made. Only for data that no process serves.</summary>
    /// <returns>Runs that were held.</returns>
    public static int GiveBack(DbUnit db, DateTimeOffset now)
    {
        RunStore.Place(db);
        LeaseStore.EndAll(db);
        return RunStore.Release(db, (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>The time by which runs of this database are due.</summary>
    public static async Task<DateTimeOffset> NowAsync(Database database, TimeProvider time, CancellationToken cancel = default) =>
        await database.ClockAsync(cancel) is { } micros ? DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond) : time.GetUtcNow();

    /// <summary>Counts, and looks whether every journal is whole and every blob is there.</summary>
    /// <param name="blobs">Null: blobs are counted and not looked for.</param>
    public static async Task<DatabaseCheck> CheckAsync(Database database, BlobStore? blobs, CancellationToken cancel = default)
    {
        var ((all, live), broken) = await database.ReadAsync(db => (RunStore.CountAll(db), JournalStore.Broken(db)), cancel);
        long count = 0, missing = 0, damaged = 0;
        await foreach (var blob in BlobsAsync(database, _ => damaged++, cancel))
        {
            count++;
            if (blobs is not null && !await blobs.ExistsAsync(blob, cancel)) missing++;
        }

        return new DatabaseCheck(all, live, broken, damaged, count, blobs is null ? null : missing);
    }

    /// <summary>Every blob that records, artifacts and events refer to, each once, of a database that may be serving: what comes or goes meanwhile may be listed or not.</summary>
    public static IAsyncEnumerable<BlobRef> BlobsAsync(Database database, CancellationToken cancel = default) => BlobsAsync(database, _ => { }, cancel);

    private static async IAsyncEnumerable<BlobRef> BlobsAsync(Database database, Action<JournalRow> damaged, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var pages = new BlobPages(damaged); await database.ReadAsync(pages.Next, cancel) is { } page;)
            foreach (var blob in page) yield return blob;
    }

    /// <summary>The same on one snapshot, whatever is let go meanwhile.</summary>
    public static List<BlobRef> Blobs(DbUnit db)
    {
        var blobs = new List<BlobRef>();
        for (var pages = new BlobPages(_ => { }); pages.Next(db) is { } page;) blobs.AddRange(page);
        return blobs;
    }

    /// <summary>Copies what is not there yet. Content never changes under its name, so copies made before hold.</summary>
    /// <returns>Blobs and bytes copied.</returns>
    public static async Task<(long Blobs, long Bytes)> CopyBlobsAsync(IEnumerable<BlobRef> which, BlobStore from, BlobStore to, CancellationToken cancel = default)
    {
        long blobs = 0, bytes = 0;
        foreach (var blob in which)
        {
            if (await to.ExistsAsync(blob, cancel)) continue;
            await using var content = await from.OpenAsync(blob, cancel);
            await to.PutAsync(content, blob.Size, cancel);
            blobs++;
            bytes += blob.Size;
        }

        return (blobs, bytes);
    }

    /// <summary>Blobs that a record refers to.</summary>
    /// <param name="damaged">Told of one that is not what was written.</param>
    internal static IEnumerable<BlobRef> References(JournalRow record, Action<JournalRow> damaged)
    {
        if (RecordSeal.IsSound(record)) return MayRefer(record) ? EntryReader.References(JsonText.Parse(record.Entries)) : [];
        damaged(record);
        return [];
    }

    /// <summary>Spares parsing the records that hold no reference.</summary>
    private static bool MayRefer(JournalRow record) => record.Entries.AsSpan().IndexOf("@\":{\"sha256\""u8) >= 0;
}
