using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows;

namespace Millrace.Platform.DeadLetters;

/// <summary>What could not be carried on or delivered.</summary>
/// <param name="Subject">The run's id, namespace/name of the schedule, or source, id and definition of an event.</param>
/// <param name="Times">How often it has come.</param>
public sealed record PutAside(Guid Id, DeadLetterKind Kind, string Subject, string Definition, string Reason, WorkflowError? Error, DateTimeOffset FirstAt, DateTimeOffset LastAt, long Times)
{
    internal static PutAside Of(DeadLetter letter) => new(
        letter.Id, letter.Kind, letter.Subject, letter.Definition, letter.Reason, letter.Error, Micros.ToTime(letter.FirstAt), Micros.ToTime(letter.LastAt), letter.Times);
}

/// <summary>Body of a wish about dead letters: by ids, or all that the rest names.</summary>
/// <param name="After">Only those behind this one: the answer before has come to it.</param>
public sealed record DeadLetterBody(IReadOnlyList<string>? Ids, string? Kind, string? Reason, string? Definition, Guid? After);

/// <param name="Detail">Why it stays.</param>
public sealed record DeadLetterRefusal(Guid Id, string Detail);

/// <summary>How a wish about dead letters ended.</summary>
/// <param name="Runs">Runs that go on or begin.</param>
/// <param name="More">There were more than are dealt with at once: ask again.</param>
/// <param name="Next">It has come to this one, and there are others behind it: they are asked for with <c>after</c>.</param>
public sealed record DeadLettersDone(int Done, IReadOnlyList<Guid> Runs, IReadOnlyList<DeadLetterRefusal> Refused, bool More, Guid? Next = null);

/// <summary>Routes under <c>/dead-letters</c>.</summary>
internal static class DeadLetterEndpoints
{
    private const int BodyMax = 64 << 10, AtOnceMax = 500, IdsMax = 500, TextMax = 300;

    private static readonly string[] Kinds = ["run", "event", "schedule"];

    public static void MapDeadLetters(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/dead-letters").WithTags("Dead letters");
        group.MapGet("", ListAsync).WithName("ListDeadLetters").WithSummary("What could not be carried on or delivered.")
            .Query("kind", "Only run, event or schedule.").Query("reason", "Only this reason.").Query("definition", "Only of this definition: namespace/name.").Paged().Refuses(400);
        group.MapGet("/{id}", GetAsync).WithName("GetDeadLetter").WithSummary("One of them.").Produces<PutAside>(200).Refuses(404);
        group.MapPost("/requeue", RequeueAsync).WithName("RequeueDeadLetters").WithSummary("Try again those that are named, or all that fit.")
            .Accepts<DeadLetterBody>("application/json").Produces<DeadLettersDone>(200).Refuses(400, 413, 415, 503);
        group.MapPost("/discard", DiscardAsync).WithName("DiscardDeadLetters").WithSummary("Forget those that are named, or all that fit.")
            .Accepts<DeadLetterBody>("application/json").Produces<DeadLettersDone>(200).Refuses(400, 413, 415, 503);
    }

    private static async Task<Ok<Page<PutAside>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var kinds = query.Many<DeadLetterKind>("kind");
        if (kinds.Count > 1) throw Problem.Parameter("kind", "It is given more than once.");
        var before = Cursor.Parse(query.Cursor, "dead-letters", 1)?[0] is { } id ? Cursor.ParseId(id) : (Guid?)null;
        var filter = new DeadLetterFilter(kinds.Count == 0 ? null : kinds[0], query.Text("reason", TextMax), query.Text("definition", TextMax), before, limit + 1);
        query.NoMore();
        var found = await database.ReadAsync(db => DeadLetterStore.List(db, tenant, filter).ConvertAll(PutAside.Of), cancel);
        return TypedResults.Ok(Page.Of(found, limit, l => Cursor.Of("dead-letters", l.Id.ToString())));
    }

    private static async Task<Ok<PutAside>> GetAsync(string id, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var found = Guid.TryParseExact(id, "D", out var letter) ? await database.ReadAsync(db => DeadLetterStore.Get(db, tenant, letter), cancel) : null;
        return TypedResults.Ok(PutAside.Of(found ?? throw Problem.NotFound("dead_letter.not_found", "There is no such dead letter.", $"There is no dead letter {id}.")));
    }

    private static async Task<Ok<DeadLettersDone>> RequeueAsync(HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel)
    {
        var (letters, more) = await MeantAsync(request, database, tenant, cancel);
        var (runs, refused) = (new List<Guid>(), new List<DeadLetterRefusal>());
        foreach (var letter in letters)
        {
            var done = await engine.DeadLetters.RequeueAsync(letter);
            if (done.Refusal is { } why) refused.Add(new DeadLetterRefusal(letter.Id, why));
            else if (done.Run is { } run) runs.Add(run);
        }
        // Without 'after', what stays would be met again and again.
        return TypedResults.Ok(new DeadLettersDone(letters.Count - refused.Count, runs, refused, more && refused.Count < letters.Count, more ? letters[^1].Id : null));
    }

    private static async Task<Ok<DeadLettersDone>> DiscardAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var (letters, more) = await MeantAsync(request, database, tenant, cancel);
        var done = await database.WriteAsync(db => letters.Count(l => DeadLetterStore.Discard(db, tenant, l.Id)));
        return TypedResults.Ok(new DeadLettersDone(done, [], [], more, more ? letters[^1].Id : null));
    }

    private static async Task<(List<DeadLetter> Letters, bool More)> MeantAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var ids = shape.OptionalTexts("ids", IdsMax, 36);
        var (kind, reason, definition) = (shape.OptionalText("kind", 20), shape.OptionalText("reason", TextMax), shape.OptionalText("definition", TextMax));
        var after = shape.OptionalText("after", 36) is { } text ? Guid.TryParseExact(text, "D", out var id) ? id : Guid.Empty : (Guid?)null;
        if (after == Guid.Empty) shape.Refuse("after", "It is no id.", "the value of \"next\" of the answer before");
        if (kind is not null && !Kinds.Contains(kind)) shape.Refuse("kind", $"'{kind}' is not known.", $"one of {string.Join(", ", Kinds)}");
        if (ids is not null && !ids.All(i => Guid.TryParseExact(i, "D", out _))) shape.Refuse("ids", "One of them is no id.", "UUIDs");
        if (ids is not null && ((kind ?? reason ?? definition) is not null || after is not null)) shape.Refuse("ids", "Ids cannot stand beside a filter.");
        shape.NoMore();
        shape.ThrowIfWrong();
        if (ids is not null)
            return (await database.ReadAsync(db => ids.Select(i => DeadLetterStore.Get(db, tenant, Guid.Parse(i))).OfType<DeadLetter>().ToList(), cancel), false);
        var filter = new DeadLetterFilter(kind is null ? null : (DeadLetterKind)Array.IndexOf(Kinds, kind), reason, definition, after, AtOnceMax + 1);
        var found = await database.ReadAsync(db => DeadLetterStore.List(db, tenant, filter), cancel);
        return found.Count > AtOnceMax ? (found[..AtOnceMax], true) : (found, false);
    }
}
