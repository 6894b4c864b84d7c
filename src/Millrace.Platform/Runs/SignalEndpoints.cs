using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Events;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Runs;

/// <summary>Body of a signal to a run. Described here, read by hand.</summary>
/// <param name="Name">The type of the event that the run hears.</param>
/// <param name="Data">The event's data, any JSON; it has none when absent.</param>
public sealed record SignalBody(string Name, Json? Data);

/// <param name="Run">The run that is told: the one asked for, or the one that it has gone on as.</param>
/// <param name="Position">Where the event stands in the workspace's log.</param>
/// <param name="Duplicate">The key has sent this signal before; this time nothing was sent.</param>
public sealed record SentSignal(Guid Run, long Position, string Source, string Id, bool Duplicate);

/// <summary>The route by which people and programs tell one run something.</summary>
internal static class SignalEndpoints
{
    public static void MapSignals(this RouteGroupBuilder group) =>
        group.MapPost("/{id}/signals", SendAsync).WithName("SignalRun")
            .WithSummary("Send the run an event that no other run hears; answered when it is on disk.")
            .WithDescription("The run hears it where it listens for the type that the name is, also when it begins to listen later. A run that has gone on as another passes it on.")
            .Header("Idempotency-Key", $"At most {RunEndpoints.KeyMax} characters; the same key with the same signal sends one.")
            .Accepts<SignalBody>("application/json").Produces<SentSignal>(202).Refuses(400, 404, 409, 413, 415, 503);

    private static async Task<Accepted<SentSignal>> SendAsync(string id, HttpRequest request, DurableEngine engine, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var run = RunEndpoints.ParseId(id);
        var key = RunEndpoints.IdempotencyKey(request);
        var shape = new BodyShape(await RequestBody.JsonAsync(request, IncomingEvent.BytesMax, cancel));
        var name = ReadName(shape);
        var data = shape.Any("data");
        shape.NoMore();
        shape.ThrowIfWrong();
        return await engine.Signals.SendAsync(tenant, run, name, data, key) switch
        {
            SignalOutcome.Sent(var told, var e, var isDuplicate) => TypedResults.Accepted((string?)null, new SentSignal(told, e.Position, e.Source, e.Id, isDuplicate)),
            SignalOutcome.Conflict => throw Problem.Conflict("run.idempotency_conflict", "The key was used for another request.", "This Idempotency-Key has sent the run another signal."),
            SignalOutcome.Refused(ControlOutcome.NotFound) => throw RunEndpoints.NotFound(id),
            _ => throw Problem.Conflict("run.already_finished", "The run has ended.", "A run that has ended hears nothing."),
        };
    }

    private static string ReadName(BodyShape shape)
    {
        var name = shape.RequiredText("name", EventLog.TypeBytesMax);
        if (shape.Any("name")?.StringOrNull is not { } given) return name;
        if (given.Length == 0) shape.Refuse("name", "'name' is empty.", "the type of an event, such as approved");
        else if (!IncomingEvent.IsClean(given)) shape.Refuse("name", "'name' holds control characters.", "a string without control characters");
        else if (name.Length > 0 && Encoding.UTF8.GetByteCount(name) > EventLog.TypeBytesMax) shape.Refuse("name", "'name' is too long.", $"at most {EventLog.TypeBytesMax} bytes of UTF-8");
        return name;
    }
}
