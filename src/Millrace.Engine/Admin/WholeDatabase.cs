using System.Runtime.CompilerServices;
using Millrace.Engine.Events;
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
    private const int PageRecords = 500;

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

    /// <summary>Every blob that records and artifacts refer to, each once.</summary>
    public static IAsyncEnumerable<BlobRef> BlobsAsync(Database database, CancellationToken cancel = default) => BlobsAsync(database, _ => { }, cancel);

    private static async IAsyncEnumerable<BlobRef> BlobsAsync(Database database, Action<JournalRow> damaged, [EnumeratorCancellation] CancellationToken cancel)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var after = ""; await database.ReadAsync(db => ArtifactStore.Blobs(db, after, PageRecords), cancel) is { Count: > 0 } page; after = page[^1].Sha256)
            foreach (var (sha256, size) in page)
                if (seen.Add(sha256)) yield return new BlobRef(sha256, size);
        for (var after = ""; await database.ReadAsync(db => EventStore.Blobs(db, after, PageRecords), cancel) is { Count: > 0 } page; after = page[^1].Sha256)
            foreach (var (sha256, size) in page)
                if (seen.Add(sha256)) yield return new BlobRef(sha256, size);
        for (var after = long.MinValue; await database.ReadAsync(db => JournalStore.Page(db, after, PageRecords), cancel) is { Count: > 0 } page; after = page[^1].Position)
            foreach (var blob in page.SelectMany(record => References(record, damaged)))
                if (seen.Add(blob.Sha256)) yield return blob;
    }

    /// <summary>Copies what is not there yet. Content never changes under its name, so copies made before hold.</summary>
    /// <returns>Blobs and bytes copied.</returns>
    public static async Task<(long Blobs, long Bytes)> CopyBlobsAsync(Database database, BlobStore from, BlobStore to, CancellationToken cancel = default)
    {
        long blobs = 0, bytes = 0;
        await foreach (var blob in BlobsAsync(database, cancel))
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
