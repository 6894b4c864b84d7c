using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Events;

/// <summary>An event of the workspace's log.</summary>
/// <param name="Time">As its sender wrote it.</param>
/// <param name="Size">Bytes of the event in its JSON format.</param>
public sealed record WorkspaceEvent(long Position, string Type, string Source, string Id, string? Subject, string? Time, DateTimeOffset ReceivedAt, long Size)
{
    /// <summary>The run that alone is told of it: the event is a signal. Absent: whoever listens is told.</summary>
    public Guid? Run { get; init; }

    /// <summary>The whole event; in lists it is left out.</summary>
    public Json? Event { get; init; }

    internal static WorkspaceEvent Of(EventRow row) => new(row.Position, row.Type, row.Source, row.Id, row.Subject, row.Time, Micros.ToTime(row.ReceivedAt), row.Size) { Run = row.Run };
}

/// <param name="Duplicate">An event with this source and id was there already; this one was not kept.</param>
public sealed record KeptEvent(long Position, string Source, string Id, bool Duplicate);

/// <param name="Kept">Events that are new.</param>
/// <param name="Duplicates">Events that were there already.</param>
public sealed record KeptEvents(int Kept, int Duplicates, IReadOnlyList<KeptEvent> Items);

/// <summary>A run that heard an event.</summary>
/// <param name="Started">The event started it; otherwise a step of it listened and took it.</param>
public sealed record EventRun(Run Run, bool Started);

/// <summary>Routes under <c>/events</c>: events come in, and can be looked at.</summary>
internal static class EventEndpoints
{
    public static void MapEvents(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/events").WithTags("Events");
        group.MapPost("", SendAsync).WithName("SendEvents").WithSummary("Send CloudEvents; answered when they are on disk.")
            .WithDescription($"CloudEvents 1.0 over HTTP: {EventRequest.One}, {EventRequest.Batch}, or ce- headers with the data as the body.")
            .Produces<KeptEvents>(202).Refuses(400, 413, 415, 503);
        group.MapGet("", ListAsync).WithName("ListEvents").WithSummary("Events of the workspace, newest first.")
            .Query("type", "Only events of this type.").Query("source", "Only events from this source.").Query("subject", "Only events about this subject.").Paged().Refuses(400);
        group.MapGet("/{position}", GetAsync).WithName("GetEvent").WithSummary("One event as a whole.").Refuses(404);
        group.MapGet("/{position}/runs", RunsAsync).WithName("ListEventRuns").WithSummary("Runs that the event started, or that listened for it and took it; oldest first.").Paged().Refuses(400, 404);
    }

    private static async Task<Accepted<KeptEvents>> SendAsync(HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var events = await EventRequest.ReadAsync(request, cancel);
        var published = await engine.Events.PublishAsync(tenant, events);
        var items = events.Zip(published, (e, p) => new KeptEvent(p.Position, e["source"].AsString(), e["id"].AsString(), p.IsDuplicate)).ToList();
        var duplicates = items.Count(i => i.Duplicate);
        return TypedResults.Accepted((string?)null, new KeptEvents(items.Count - duplicates, duplicates, items));
    }

    private static async Task<Ok<Page<WorkspaceEvent>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var (type, source, subject, limit) = (query.Text("type", EventLog.TypeBytesMax), query.Text("source", EventLog.SourceBytesMax), query.Text("subject", EventLog.SubjectBytesMax), query.Limit);
        var before = Cursor.Parse(query.Cursor, "events", 1)?[0] is { } position ? Cursor.ParseNumber(position) : (long?)null;
        query.NoMore();
        var found = await database.ReadAsync(db => EventStore.List(db, tenant, new EventQuery(type, source, subject, before, limit + 1)), cancel);
        return TypedResults.Ok(Page.Of(found.ConvertAll(WorkspaceEvent.Of), limit, e => Cursor.Of("events", e.Position.ToString(CultureInfo.InvariantCulture))));
    }

    private static async Task<Ok<WorkspaceEvent>> GetAsync(string position, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var row = await database.ReadAsync(db => EventStore.Get(db, tenant, Number(position)), cancel) ?? throw NotFound(position);
        return TypedResults.Ok(WorkspaceEvent.Of(row) with { Event = await engine.Events.BodyAsync(row, cancel) });
    }

    private static async Task<Ok<Page<EventRun>>> RunsAsync(string position, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "event-runs", 1)?[0] is { } id ? Cursor.ParseId(id) : (Guid?)null;
        query.NoMore();
        var number = Number(position);
        var found = await database.ReadAsync(
            db => EventStore.Get(db, tenant, number) is null
                ? null
                : HearingStore.Of(db, tenant, number, after, limit + 1).ConvertAll(heard => new EventRun(Run.Of(RunStore.Get(db, tenant, heard.Run)!, JournalStore.LastSeq(db, tenant, heard.Run)), heard.Started)),
            cancel) ?? throw NotFound(position);
        return TypedResults.Ok(Page.Of(found, limit, r => Cursor.Of("event-runs", r.Run.Id.ToString())));
    }

    private static long Number(string position) => long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;

    private static Problem NotFound(string position) => Problem.NotFound("event.not_found", "There is no such event.", $"There is no event {position}, or it is kept no longer.");
}
