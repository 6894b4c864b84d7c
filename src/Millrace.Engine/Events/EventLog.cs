using System.Security.Cryptography;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;

namespace Millrace.Engine.Events;

/// <param name="Position">Where the event stands in the workspace's log; of a duplicate, where the first of them does.</param>
/// <param name="IsDuplicate">An event with the same source and id was there already, and this one was not kept.</param>
public readonly record struct Published(long Position, bool IsDuplicate);

/// <summary>The events of workspaces: kept, told to whoever listens, and the beginning of runs that they start, in one transaction.</summary>
public sealed class EventLog
{
    /// <summary>Lengths in bytes of UTF-8 that the log takes: they are keys of its indexes.</summary>
    public const int TypeBytesMax = 512, SourceBytesMax = 1024, IdBytesMax = 512, SubjectBytesMax = 1024;

    /// <summary>The lifecycle events of the specification, by type.</summary>
    public static IEnumerable<string> LifecycleTypes => LifecycleEvents.Types;

    /// <summary>Types of what journals say, told only where somebody names them: lifecycle events, and those of questions to people.</summary>
    public static IEnumerable<string> ToldTypes => [.. LifecycleEvents.Types, .. ApprovalEvents.Types];

    /// <summary>From this transaction on a workspace's journal is told of; whoever wants some of it has said so by a row of its own.</summary>
    public static void BeginLifecycle(DbUnit db, Tenant tenant) => LifecycleStore.Begin(db, tenant);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Worker _worker;

    internal EventLog(Worker worker) => _worker = worker;

    /// <summary>Keeps events and tells the runs that listen. Answered when they are on disk; all of them are, or none.</summary>
    /// <param name="events">CloudEvents in their JSON format, with type, source and id as the format wants them.</param>
    /// <exception cref="StorageUnavailableException">None was kept, as far as anybody knows; sent again, those that were are duplicates.</exception>
    public async Task<IReadOnlyList<Published>> PublishAsync(Tenant tenant, IReadOnlyList<Json> events)
    {
        var rows = new List<EventRow>(events.Count);
        foreach (var one in events) rows.Add(await PrepareAsync(one));
        return (await PublishAsync(tenant, events, rows, _ => true))!;
    }

    /// <summary>As for events from outside, but that some are for sinks alone, and that they are kept in the transaction that takes them.</summary>
    /// <param name="take">Whether they are this process's to tell.</param>
    /// <returns>False when they are not, and none was kept.</returns>
    internal async Task<bool> PublishAsync(Tenant tenant, IReadOnlyList<ToldEvent> events, Func<DbUnit, bool> take)
    {
        var rows = new List<EventRow>(events.Count);
        foreach (var one in events) rows.Add(await PrepareAsync(one.Body) with { IsForSinks = one.IsForSinks });
        return await PublishAsync(tenant, [.. events.Select(e => e.Body)], rows, take) is not null;
    }

    private async Task<Published[]?> PublishAsync(Tenant tenant, IReadOnlyList<Json> events, List<EventRow> rows, Func<DbUnit, bool> take)
    {
        var starts = await new Triggers(_worker).FindAsync(tenant, events, rows);
        var (published, told) = await _worker.Database.WriteAsync(db => take(db) ? Write(db, tenant, rows, starts) : default);
        if (published is null) return null;
        foreach (var run in told) _worker.Nudge(tenant, run);
        if (Started(published, starts) is > 0 and var started)
        {
            for (var i = 0; i < started; i++) EngineMetrics.RunStarted();
            await _worker.Wakes.CallAsync();
        }
        if (Array.Exists(starts, s => s.Letters.Count > 0)) _ = _worker.Keeper.GatherAsync();
        return published;
    }

    /// <summary>As <see cref="PublishAsync"/>, for one event, again and again while the store does not take it: nothing went wrong with the event.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; it may have been kept.</exception>
    public async Task<Published> PublishUntilKeptAsync(Tenant tenant, Json one, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return (await PublishAsync(tenant, [one]))[0];
            }
            catch (StorageUnavailableException e)
            {
                _worker.Log.StoreUnavailable("An event", e.Message);
            }
            await new Alarm(_worker.Time).SleepAsync(RetryDelay, () => false, cancel);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>An event in its JSON format; null when it is not there any more.</summary>
    public async Task<Json?> ReadAsync(Tenant tenant, long position, CancellationToken cancel = default)
    {
        var row = await _worker.Database.ReadAsync(db => EventStore.Get(db, tenant, position), cancel);
        return row is null ? (Json?)null : await BodyAsync(row, cancel);
    }

    public async ValueTask<Json> BodyAsync(EventRow row, CancellationToken cancel = default) =>
        JsonText.Parse(row.Large is { } large ? (await _worker.Blobs.ReadAsync(large, cancel)).AsSpan() : row.Body!);

    internal async ValueTask<EventRow> PrepareAsync(Json e)
    {
        var bytes = JsonText.ToUtf8(e);
        var large = bytes.Length > EntryWriter.InlineBytesMax ? await _worker.Keeping.Loose.PutAsync(bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))) : (BlobRef?)null;
        return new EventRow(0, e["type"].AsString(), e["source"].AsString(), e["id"].AsString(), e["subject"].StringOrNull, e["time"].StringOrNull,
            _worker.Now, bytes.Length, large is null ? bytes : null, large?.Sha256);
    }

    private static int Started(Published[] published, EventStarts[] starts) => published.Zip(starts, (p, s) => p.IsDuplicate ? 0 : s.Runs.Count).Sum();

    private static (Published[] Published, HashSet<Guid> Told) Write(DbUnit db, Tenant tenant, List<EventRow> rows, EventStarts[] starts)
    {
        var published = new Published[rows.Count];
        var told = new HashSet<Guid>();
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            published[i] = Keep(db, tenant, row);
            if (published[i].IsDuplicate) continue;
            var position = published[i].Position;
            foreach (var run in row.IsForSinks ? [] : SubscriptionStore.Listeners(db, tenant, row.Type, row.Source))
            {
                Subscriptions.Tell(db, tenant, run, [position], row.ReceivedAt);
                told.Add(run);
            }
            foreach (var run in starts[i].Runs) run.Insert(db, new StartingEvents(1, [new(position, row.Id, row.Type, row.Source)]));
            foreach (var failed in starts[i].Failed) DeadLetterStore.Put(db, failed, row.ReceivedAt);
            foreach (var definition in starts[i].Letters) GatheringStore.Post(db, tenant, definition, position);
        }
        return (published, told);
    }

    internal static Published Keep(DbUnit db, Tenant tenant, EventRow row)
    {
        if (EventStore.Find(db, tenant, row.Source, row.Id) is { } known) return new Published(known, true);
        var position = EventStore.Append(db, tenant, row);
        // Another process may have written the same event since it was looked for.
        return EventStore.Find(db, tenant, row.Source, row.Id) is { } first && first != position ? new Published(first, true) : new Published(position, false);
    }
}
