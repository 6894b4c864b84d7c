using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>One record as it was decided.</summary>
public sealed record DecodedRecord(long Seq, long At, RunPhase? State, IReadOnlyList<Entry> Entries);

/// <summary>How a finished run ended.</summary>
public readonly record struct RunOutcome(RunPhase Phase, Json Output, WorkflowError? Error);

/// <summary>Reads journals, with the large values that lie in the blob store.</summary>
public sealed class JournalReader(Database database, BlobStore blobs)
{
    private const int PageRecords = 2000;

    /// <summary>All records after <paramref name="after"/>, decoded, in order.</summary>
    public async Task<List<DecodedRecord>> AfterAsync(Tenant tenant, Guid run, long after, int limit = int.MaxValue)
    {
        var records = new List<DecodedRecord>();
        await foreach (var record in EachAsync(tenant, run, after, limit)) records.Add(record);
        return records;
    }

    /// <summary>The same, without holding more than a page at once.</summary>
    public async IAsyncEnumerable<DecodedRecord> EachAsync(Tenant tenant, Guid run, long after, int limit = int.MaxValue)
    {
        while (limit > 0)
        {
            var page = await database.ReadAsync(db => JournalStore.Of(db, tenant, run, after, Math.Min(PageRecords, limit)));
            foreach (var row in page) yield return await DecodeAsync(row);
            if (page.Count < PageRecords) break;
            after = page[^1].Seq;
            limit -= page.Count;
        }
    }

    public async ValueTask<DecodedRecord> DecodeAsync(JournalRow row)
    {
        var json = JsonText.Parse(row.Entries);
        Dictionary<string, Json>? large = null;
        foreach (var blob in EntryReader.References(json))
            (large ??= [])[blob.Sha256] = JsonText.Parse((await blobs.ReadAsync(blob)).AsSpan());
        return new DecodedRecord(row.Seq, row.At, row.State, EntryReader.Read(json, sha256 => large![sha256]));
    }

    /// <summary>How a finished run ended.</summary>
    public async Task<RunOutcome> OutcomeAsync(Tenant tenant, Guid run) =>
        (await OutcomesAsync(tenant, [run])).TryGetValue(run, out var outcome) ? outcome : throw new InvalidOperationException($"The run {run} has not ended.");

    /// <summary>How those of the runs ended that have.</summary>
    public async Task<Dictionary<Guid, RunOutcome>> OutcomesAsync(Tenant tenant, Guid[] runs)
    {
        var last = await database.ReadAsync(db => System.Array.ConvertAll(runs, run => JournalStore.Last(db, tenant, run)));
        var outcomes = new Dictionary<Guid, RunOutcome>(runs.Length);
        foreach (var row in last)
        {
            RunOutcome? outcome = row is null ? null : (await DecodeAsync(row)).Entries[^1] switch
            {
                Entry.RunCompleted e => new(RunPhase.Completed, e.Output, null),
                Entry.RunFaulted e => new(RunPhase.Faulted, Json.Null, e.Error),
                Entry.RunCancelled => new(RunPhase.Cancelled, Json.Null, null),
                _ => null,
            };
            if (outcome is { } ended) outcomes[row!.Run] = ended;
        }
        return outcomes;
    }

    /// <summary>What an actor has not seen yet: records of its journal, one after the other, and signals in its inbox.</summary>
    internal async Task<List<Signal>> NewsAsync(RunActor actor, long signalsSeen, Action<DecodedRecord> hear)
    {
        var (rows, signals) = await database.ReadAsync(db => (
            JournalStore.Of(db, actor.Tenant, actor.Id, actor.State.Position, PageRecords),
            SignalStore.Of(db, actor.Tenant, actor.Id, signalsSeen)));
        foreach (var row in rows) hear(await DecodeAsync(row));
        if (rows.Count == PageRecords)
            await foreach (var record in EachAsync(actor.Tenant, actor.Id, rows[^1].Seq)) hear(record);
        return signals;
    }

    internal Task<List<Signal>> SignalsAsync(RunActor actor, long seen) =>
        database.ReadAsync(db => SignalStore.Of(db, actor.Tenant, actor.Id, seen));

    /// <summary>What is wanted of a run that has much else to hear.</summary>
    /// <param name="from">The first signal that it has not heard.</param>
    internal Task<Signal?> WishAsync(RunActor actor, long from) =>
        database.ReadAsync(db => SignalStore.Wish(db, actor.Tenant, actor.Id, from));
}
