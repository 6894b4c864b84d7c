using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Scheduling;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Schedules;

/// <summary>Routes under <c>/schedules</c>. A schedule is named as its definition is.</summary>
internal static class ScheduleEndpoints
{
    private const int BodyMax = 64 << 10;
    private const int TicksShown = 10;
    private const int RunsShown = 20;

    public static void MapSchedules(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/schedules").WithTags("Schedules");
        group.MapGet("", ListAsync).WithName("ListSchedules").WithSummary("The schedules of the latest versions, by name.").Paged().Refuses(400);
        group.MapGet("/{namespace}/{name}", GetAsync).WithName("GetSchedule").WithSummary("One schedule with its next ticks and the runs of its latest.").Refuses(404);
        group.MapPatch("/{namespace}/{name}", ChangeAsync).WithName("ChangeSchedule").WithSummary("Pause a schedule, or let it go on from now.")
            .Accepts<ScheduleChange>("application/json").Produces<Schedule>(200).Refuses(400, 404, 413, 415, 503);
        group.MapPost("/{namespace}/{name}/runs", TriggerAsync).WithName("TriggerSchedule").WithSummary("Start a run of the schedule at once, whatever is under way.")
            .Header("Idempotency-Key", "At most 255 characters; the same key starts one run.").Produces<Run>(200).Produces<Run>(201).Refuses(400, 404, 409, 503);
        group.MapPost("/{namespace}/{name}/backfill", BackfillAsync).WithName("BackfillSchedule")
            .WithSummary("Start a run for each tick of a time that has passed, unless it has started one.")
            .Accepts<BackfillBody>("application/json").Produces<Backfilled>(200).Refuses(400, 404, 409, 413, 415, 422, 503);
    }

    private static async Task<Ok<Page<Schedule>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "schedules", 2);
        query.NoMore();
        var found = await database.ReadAsync(
            db => ScheduleStore.List(db, tenant, after is null ? null : (after[0], after[1]), limit + 1).ConvertAll(row => Schedule.Of(db, row)), cancel);
        return TypedResults.Ok(Page.Of(found, limit, s => Cursor.Of("schedules", s.Namespace, s.Name)));
    }

    private static async Task<Ok<ScheduleDetail>> GetAsync(string @namespace, string name, HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var found = await database.ReadAsync(db =>
        {
            if (ScheduleStore.Find(db, tenant, @namespace, name) is not { } row) return null;
            var runs = Schedule.RunsOf(db, row, RunsShown);
            var next = row.Error is null ? ScheduleControl.Coming(row, TicksShown) : [];
            return new ScheduleDetail(Schedule.Of(row, runs.FirstOrDefault()), next.ConvertAll(t => new ScheduleTick(Micros.ToTime(t.Tick), Micros.ToTime(t.At))), runs);
        }, cancel);
        return TypedResults.Ok(found ?? throw NotFound(@namespace, name));
    }

    private static async Task<Ok<Schedule>> ChangeAsync(
        string @namespace, string name, HttpRequest request, ScheduleControl schedules, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var paused = shape.Any("paused");
        shape.NoMore();
        shape.ThrowIfWrong();
        if (paused is not { Kind: JsonKind.True or JsonKind.False } wish)
            throw Problem.Body400([new ProblemError { Code = "request.body", Message = paused is null ? "'paused' is missing." : "Expected true or false.", Pointer = "/paused", Expected = "true or false" }]);
        var row = await schedules.PauseAsync(tenant, @namespace, name, wish.IsTruthy) ?? throw NotFound(@namespace, name);
        return TypedResults.Ok(await database.ReadAsync(db => Schedule.Of(db, row), cancel));
    }

    private static async Task<IResult> TriggerAsync(
        string @namespace, string name, HttpRequest request, ScheduleControl schedules, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.OptionalJsonAsync(request, BodyMax, cancel));
        shape.NoMore();
        shape.ThrowIfWrong();
        var (id, started) = await schedules.TriggerAsync(tenant, @namespace, name, RunEndpoints.IdempotencyKey(request)) ?? throw NotFound(@namespace, name);
        if (id == Guid.Empty) throw Problem.Conflict("run.idempotency_conflict", "The key was used for another request.", "This Idempotency-Key has started a run in another way.");
        var run = await RunEndpoints.FindAsync(database, tenant, id, cancel);
        return started ? TypedResults.Created($"/api/v1/runs/{id}", run) : TypedResults.Ok(run);
    }

    private static async Task<Ok<Backfilled>> BackfillAsync(
        string @namespace, string name, HttpRequest request, ScheduleControl schedules, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var (from, to) = (shape.RequiredText("from", 40), shape.RequiredText("to", 40));
        shape.NoMore();
        shape.ThrowIfWrong();
        var (begin, end) = (Time("from", from), Time("to", to));
        if (begin > end) throw Problem.Body400([new ProblemError { Code = "request.body", Message = "'from' is later than 'to'.", Pointer = "/from" }]);
        var row = await database.ReadAsync(db => ScheduleStore.Find(db, tenant, @namespace, name), cancel) ?? throw NotFound(@namespace, name);
        if (row.Schedule.After is not null)
            throw Problem.Conflict("schedule.no_ticks", "The schedule names no moments.", "Each of its runs follows the end of the one before; there is nothing to fill.");
        try
        {
            var (_, done) = await schedules.BackfillAsync(tenant, @namespace, name, begin, end) ?? throw NotFound(@namespace, name);
            return TypedResults.Ok(done ?? throw new Problem(422, "schedule.too_many", "Too many runs at once.",
                $"The time holds more than {ScheduleControl.BackfillMax} ticks; fill it part by part."));
        }
        catch (Exception e) when (ScheduleControl.IsBeyondUs(e))
        {
            throw Problem.Conflict("schedule.failed", "The schedule cannot be followed here.", e.Message);
        }
    }

    private static long Time(string name, string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.Year is > 1970 and < 2100
            ? Micros.Of(time)
            : throw Problem.Body400([new ProblemError { Code = "request.body", Message = $"'{text}' is no time.", Pointer = $"/{name}", Expected = "a time such as 2026-11-20T15:04:05Z" }]);

    private static Problem NotFound(string space, string name) =>
        Problem.NotFound("schedule.not_found", "There is no such schedule.", $"The latest version of {space}/{name} has no schedule, or there is no such definition.");
}
