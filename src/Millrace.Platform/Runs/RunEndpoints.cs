using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Retention;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Runs;

/// <summary>Routes under <c>/runs</c>: start, list, look into, act on.</summary>
internal static class RunEndpoints
{
    internal const int KeyMax = 255;
    internal const int ReasonMax = 1000;
    private const int ControlBytesMax = 64 << 10;

    public static void MapRuns(this RouteGroupBuilder group)
    {
        group.MapPost("", StartAsync).WithName("StartRun").WithSummary("Start a run; answered when it is on disk.")
            .Header("Idempotency-Key", $"At most {KeyMax} characters; the same key with the same request starts one run.")
            .Accepts<StartRunBody>("application/json").Produces<Run>(200).Produces<Run>(201).Refuses(400, 404, 409, 413, 415, 422, 503);
        group.MapGet("", ListAsync).WithName("ListRuns").WithSummary("Runs, newest first.")
            .Query("state", "Only runs in this state; may be repeated.", repeated: true).Query("definition", "Only runs of this definition: namespace/name.")
            .Query("parent", "Only children of this run.").Query("children", "false: only runs that no other run has started.").Query("forkOf", "Only forks of this run.").Paged().Refuses(400);
        group.MapGet("/{id}", GetAsync).WithName("GetRun").WithSummary("One run.").Refuses(404);
        group.MapGet("/{id}/input", InputAsync).WithName("GetRunInput").WithSummary("The run's input, the bare value.").Produces<Json>(200).Refuses(404);
        group.MapGet("/{id}/output", OutputAsync).WithName("GetRunOutput").WithSummary("The output of a completed run, the bare value.").Produces<Json>(200).Refuses(404, 409);
        group.MapPost("/{id}/cancellation", CancelAsync).WithName("CancelRun").WithSummary("Cancel the run and its children. What it did is undone first where its tasks say how, unless cleanUp is false.")
            .Accepts<CancelBody>(isOptional: true, "application/json").Produces<Run>(202).Refuses(400, 404, 409, 415, 503);
        group.MapPost("/{id}/suspension", SuspendAsync).WithName("SuspendRun").WithSummary("Suspend the run: effects under way end and are recorded, nothing new begins.").TakesReason();
        group.MapPost("/{id}/resumption", ResumeAsync).WithName("ResumeRun").WithSummary("Resume a suspended run.").TakesReason();
    }

    private static RouteHandlerBuilder TakesReason(this RouteHandlerBuilder route) =>
        route.Accepts<ReasonBody>(isOptional: true, "application/json").Produces<Run>(202).Refuses(400, 404, 409, 415, 503);

    private static async Task<IResult> StartAsync(HttpRequest request, StartRun start, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var key = IdempotencyKey(request);
        var body = await RequestBody.JsonAsync(request, RequestBody.JsonBytesMax, cancel);
        var (id, started) = await start.StartAsync(tenant, body, key, request.Headers.TraceParent, cancel);
        // A key stands for what its run has gone on as.
        if (!started) id = await database.ReadAsync(db => ContinuationStore.LastOf(db, tenant, id), cancel);
        var run = await FindAsync(database, tenant, id, cancel);
        return started ? TypedResults.Created($"/api/v1/runs/{id}", run) : TypedResults.Ok(run);
    }

    private static async Task<Ok<Page<Run>>> ListAsync(HttpRequest request, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var (states, parent, forkOf, limit) = (query.Many<RunPhase>("state"), query.Id("parent"), query.Id("forkOf"), query.Limit);
        var definition = query.Text("definition", 400)?.Split('/');
        var children = query.Flag("children") ?? true;
        if (!children && parent is not null) throw Problem.Parameter("children", "The children of a run are asked for, and none.", "parent, or children=false");
        if (definition is not (null or [{ Length: > 0 }, { Length: > 0 }])) throw Problem.Parameter("definition", "This names no definition.", "namespace/name");
        var before = Cursor.Parse(query.Cursor, "runs", 1)?[0] is { } id ? Cursor.ParseId(id) : (Guid?)null;
        query.NoMore();
        var found = await database.ReadAsync(db => RunStore.List(db, tenant, new RunFilter(states, definition?[0], definition?[1], parent, before, limit + 1) { ForkOf = forkOf, TopOnly = !children })
            .ConvertAll(row => Run.Of(row, JournalStore.LastSeq(db, tenant, row.Id))), cancel);
        return TypedResults.Ok(Page.Of(found, limit, r => Cursor.Of("runs", r.Id.ToString())));
    }

    private static async Task<Ok<Run>> GetAsync(string id, HttpRequest request, RunHistories histories, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = ParseId(id);
        var found = await FindAsync(database, tenant, run, cancel);
        // The row of a run that is not finished lags behind its journal in counts; the journal is what holds.
        if (found.State < RunPhase.Cancelled) found = await histories.ReadAsync(tenant, run, Run.Of, cancel) ?? throw NotFound(id);
        return TypedResults.Ok(await database.ReadAsync(db => InFull(db, tenant, found), cancel));
    }

    /// <summary>With what lists leave out.</summary>
    private static Run InFull(DbUnit db, Tenant tenant, Run run)
    {
        var (before, after) = ContinuationStore.Beside(db, tenant, run.Id);
        run = run with { Continues = before, ContinuedBy = after, Flow = RunFlow.Of(RunStore.Get(db, tenant, run.Id)) };
        if (run.State < RunPhase.Cancelled) return run;
        return run with
        {
            KeptUntil = RetentionStore.KeptUntil(db, tenant, run.Id) is { } at ? Micros.ToTime(at) : null,
            DeadLetter = DeadLetterStore.Holds(db, tenant, run.Id) ? true : null,
        };
    }

    private static async Task<IResult> InputAsync(string id, HttpRequest request, JournalReader journal, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var first = await journal.AfterAsync(tenant, ParseId(id), after: -1, limit: 1);
        cancel.ThrowIfCancellationRequested();
        return first is [{ Entries: [Entry.RunCreated created, ..] }] ? TypedResults.Ok(created.Input) : throw NotFound(id);
    }

    private static async Task<IResult> OutputAsync(string id, HttpRequest request, JournalReader journal, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = await FindAsync(database, tenant, ParseId(id), cancel);
        if (run.State != RunPhase.Completed)
            throw Problem.Conflict("run.not_completed", "The run has no output.", $"The run is {run.State.ToString().ToLowerInvariant()}; only a completed run has an output.");
        return TypedResults.Ok((await journal.OutcomeAsync(tenant, run.Id)).Output);
    }

    private static Task<IResult> CancelAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
        ControlAsync(id, request, engine.CancelAsync, database, tenant, cancel, engine.StopAsync);

    private static Task<IResult> SuspendAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
        ControlAsync(id, request, engine.SuspendAsync, database, tenant, cancel);

    private static Task<IResult> ResumeAsync(string id, HttpRequest request, DurableEngine engine, Database database, Tenant tenant, CancellationToken cancel) =>
        ControlAsync(id, request, engine.ResumeAsync, database, tenant, cancel);

    private static async Task<IResult> ControlAsync(
        string id, HttpRequest request, Func<Tenant, Guid, string?, Task<ControlOutcome>> control, Database database, Tenant tenant, CancellationToken cancel,
        Func<Tenant, Guid, string?, Task<ControlOutcome>>? withoutCleanUp = null)
    {
        new QueryReader(request).NoMore();
        var run = ParseId(id);
        var shape = new BodyShape(await RequestBody.OptionalJsonAsync(request, ControlBytesMax, cancel));
        var reason = shape.OptionalText("reason", ReasonMax);
        var cleanUp = withoutCleanUp is null ? null : shape.OptionalFlag("cleanUp");
        shape.NoMore();
        shape.ThrowIfWrong();
        if (cleanUp == false) control = withoutCleanUp!;
        return await control(tenant, run, reason) switch
        {
            ControlOutcome.Accepted => TypedResults.Accepted($"/api/v1/runs/{run}", await FindAsync(database, tenant, run, cancel)),
            ControlOutcome.NotFound => throw NotFound(id),
            ControlOutcome.AlreadyFinished => throw Problem.Conflict("run.already_finished", "The run has ended.", "A run that has ended cannot be changed."),
            ControlOutcome.AlreadySuspended => throw Problem.Conflict("run.already_suspended", "The run is suspended already."),
            _ => throw Problem.Conflict("run.not_suspended", "The run is not suspended."),
        };
    }

    internal static string? IdempotencyKey(HttpRequest request)
    {
        var values = request.Headers["Idempotency-Key"];
        if (values.Count == 0) return null;
        var expected = $"one key of 1 to {KeyMax} printable ASCII characters";
        if (values.Count > 1) throw Problem.Parameter("Idempotency-Key", "It is given more than once.", expected);
        var key = values.ToString();
        if (key.Length is 0 or > KeyMax) throw Problem.Parameter("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"It has {key.Length} characters."), expected);
        return key.All(c => c is >= ' ' and <= '~') ? key : throw Problem.Parameter("Idempotency-Key", "It holds characters that are not printable ASCII.", expected);
    }

    internal static async Task<Run> FindAsync(Database database, Tenant tenant, Guid id, CancellationToken cancel) =>
        await database.ReadAsync(db => RunStore.Get(db, tenant, id) is { } row ? Run.Of(row, JournalStore.LastSeq(db, tenant, id)) : null, cancel) ?? throw NotFound(id.ToString());

    /// <summary>What is no id is the id of nothing.</summary>
    internal static Guid ParseId(string id) => Guid.TryParseExact(id, "D", out var run) ? run : throw NotFound(id);

    internal static Problem NotFound(string id) => Problem.NotFound("run.not_found", "There is no such run.", $"There is no run {id}.");
}
