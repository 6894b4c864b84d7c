using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Forks;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;

namespace Millrace.Platform.Forks;

/// <summary>Body of a request to fork a run. Described here, read by hand.</summary>
/// <param name="Step">The step to begin anew: all that was done before it began is taken over. Either this, <paramref name="Task"/> or <paramref name="Seq"/>.</param>
/// <param name="Task">JSON pointer of a task: its last step.</param>
/// <param name="Seq">A record of the journal: everything goes on as it stood behind it.</param>
/// <param name="Input">What the step begins with instead; with <c>seq: 0</c>, what the run begins with.</param>
/// <param name="Context">The workflow context instead of the one it had.</param>
/// <param name="Definition">The version to go on with; the run's own when absent.</param>
public sealed record ForkBody(int? Step, string? Task, long? Seq, Json? Input, Json? Context, ForkVersion? Definition, string? Reason);

/// <summary>Body of a request to retry a run; it may be left out.</summary>
public sealed record RetryBody(Json? Input, Json? Context, ForkVersion? Definition, string? Reason);

/// <param name="Version">A version of the run's definition, or <c>latest</c>.</param>
public sealed record ForkVersion(string Version);

/// <summary>Routes under <c>/runs/{id}</c> that start a run from what another one has done.</summary>
internal static class ForkEndpoints
{
    public const int ReferenceMax = 2000;

    public static void MapForks(this RouteGroupBuilder group)
    {
        group.MapPost("/{id}/forks", ForkAsync).WithName("ForkRun").WithSummary("Start a run that goes on from a place in this one, which is left as it is.")
            .Accepts<ForkBody>("application/json").Forks();
        group.MapPost("/{id}/retry", RetryAsync).WithName("RetryRun").WithSummary("Start a run that goes on from where this one faulted or was cancelled.")
            .Accepts<RetryBody>(isOptional: true, "application/json").Forks();
    }

    private static void Forks(this RouteHandlerBuilder route) => route
        .Header("Idempotency-Key", $"At most {RunEndpoints.KeyMax} characters; the same key with the same request starts one run.")
        .Produces<Run>(200).Produces<Run>(201).Refuses(400, 404, 409, 413, 415, 422, 503);

    private static async Task<IResult> ForkAsync(string id, HttpRequest request, RunForks forks, Database database, Tenant tenant, CancellationToken cancel)
    {
        var body = new BodyShape(await RequestBody.JsonAsync(request, RequestBody.JsonBytesMax, cancel));
        var point = ReadPoint(body);
        return await AnswerAsync(id, request, body, point, forks, database, tenant, cancel);
    }

    private static async Task<IResult> RetryAsync(string id, HttpRequest request, RunForks forks, Database database, Tenant tenant, CancellationToken cancel)
    {
        var body = new BodyShape(await RequestBody.OptionalJsonAsync(request, RequestBody.JsonBytesMax, cancel));
        return await AnswerAsync(id, request, body, new ForkPoint.Failure(), forks, database, tenant, cancel);
    }

    private static async Task<IResult> AnswerAsync(
        string id, HttpRequest request, BodyShape body, ForkPoint? point, RunForks forks, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var key = RunEndpoints.IdempotencyKey(request);
        var wish = new ForkWish(point!, body.Any("input"), body.Any("context"), ReadVersion(body), body.OptionalText("reason", RunEndpoints.ReasonMax));
        body.NoMore();
        body.ThrowIfWrong();
        var (run, started) = await forks.ForkAsync(tenant, RunEndpoints.ParseId(id), wish, key, cancel);
        var answer = await RunEndpoints.FindAsync(database, tenant, run, cancel);
        return started ? TypedResults.Created($"/api/v1/runs/{run}", answer) : TypedResults.Ok(answer);
    }

    internal static string? ReadVersion(BodyShape body)
    {
        var definition = body.OptionalObject("definition");
        var version = definition?.RequiredText("version", SemanticVersion.LengthMax);
        definition?.NoMore();
        return version;
    }

    /// <returns>Null when it is wrong, which the body then tells.</returns>
    internal static ForkPoint? ReadPoint(BodyShape body)
    {
        var step = body.OptionalWhole("step", 1, int.MaxValue);
        var task = body.OptionalText("task", ReferenceMax);
        var seq = body.OptionalWhole("seq", 0, long.MaxValue >> 11);
        switch (step, task, seq)
        {
            case ({ } s, null, null): return new ForkPoint.Before((int)s);
            case (null, { } t, null): return new ForkPoint.BeforeTask(t);
            case (null, null, { } n): return new ForkPoint.Behind(n);
            default:
                body.Refuse("", "A fork needs one place to begin from.", "one of step, task, seq");
                return null;
        }
    }
}
