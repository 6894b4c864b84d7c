using Millrace.Engine.Admin;
using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Retention;

/// <summary>
/// Large values and files are kept by their content, so several runs may refer to one, and nothing counts who does. What a run that goes referred to is noted; after a day or two
/// it is removed when all that is there was read once and refers to it no more. Whoever keeps content asks first whether it is about to go (decision 32).
/// </summary>
internal sealed class LooseBlobs(Worker worker)
{
    private const int PageMax = 10_000, UsedMax = 1000;

    /// <summary>For how long content stays that nothing refers to: far longer than between keeping it and writing the record that refers to it.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>Between two looks at everything there is, which are costly: so much longer the first of what goes stays.</summary>
    public static readonly TimeSpan Between = TimeSpan.FromHours(24);

    /// <summary>Whoever has marked one removes it in a moment or not at all; another does so when he has not after so long.</summary>
    private static readonly TimeSpan MarkHolds = TimeSpan.FromMinutes(10), RemovedWithin = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Keeps content that a record is about to refer to.</summary>
    public async Task<BlobRef> PutAsync(ReadOnlyMemory<byte> content, string sha256, CancellationToken cancel = default)
    {
        if (await worker.Database.ReadAsync(db => LooseBlobStore.IsThere(db, sha256), cancel))
        {
            // It is being removed at this moment, and will be there no more.
            while (!await worker.Database.WriteAsync(db => LooseBlobStore.Keep(db, sha256))) await Task.Delay(Pause, worker.Time, cancel);
        }
        return await worker.Blobs.PutAsync(content, cancel);
    }

    /// <summary>Removes what nothing refers to.</summary>
    /// <param name="isStopping">Asked while everything there is is read, which may take minutes.</param>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync(Func<bool> isStopping)
    {
        var (now, kept, look) = (worker.Now, (long)Kept.TotalMicroseconds, (long)(Kept + Between).TotalMicroseconds);
        if (await worker.Database.ReadAsync(LooseBlobStore.First) is not { } first) return long.MaxValue;
        if (first > now - look) return first + look;
        var (before, begun) = (now - kept, now - (long)MarkHolds.TotalMicroseconds);
        var due = (await worker.Database.ReadAsync(db => LooseBlobStore.Due(db, before, begun, PageMax))).ToDictionary(b => b.Sha256, StringComparer.Ordinal);
        var used = new List<string>();
        if (due.Count > 0)
        {
            await foreach (var blob in WholeDatabase.BlobsAsync(worker.Database))
            {
                if (isStopping()) return worker.Now;
                if (due.Remove(blob.Sha256)) used.Add(blob.Sha256);
            }
        }
        foreach (var page in used.Chunk(UsedMax)) await worker.Database.WriteAsync(db => Used(db, page, begun));
        try
        {
            foreach (var blob in due.Values) await RemoveAsync(blob, before, begun);
        }
        catch (Exception e)
        {
            // A store that lets nobody remove anything is not to have everything read again at once: what is marked by now is the next round's.
            worker.LoopFailed("removing content that nothing refers to", e);
        }
        return worker.Now + (long)MarkHolds.TotalMicroseconds;
    }

    private static int Used(DbUnit db, string[] page, long begun)
    {
        foreach (var sha256 in page) LooseBlobStore.Used(db, sha256, begun);
        return page.Length;
    }

    private async Task RemoveAsync(BlobRef blob, long before, long begun)
    {
        var (since, marked) = (worker.Now, worker.Time.GetTimestamp());
        if (!await worker.Database.WriteAsync(db => LooseBlobStore.Go(db, blob.Sha256, before, begun, since))) return;
        // A process that stood still meanwhile leaves it to whoever has taken it over.
        if (worker.Time.GetElapsedTime(marked) > RemovedWithin) return;
        await worker.Blobs.RemoveAsync(blob);
        await worker.Database.WriteAsync(db =>
        {
            LooseBlobStore.Gone(db, blob.Sha256, since);
            return 0;
        });
    }
}
