using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Events;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Storage;

namespace Millrace.Platform.Schedules;

/// <summary>Routes under <c>/triggers</c>: definitions whose runs events start (<c>schedule.on</c>), named as definitions are.</summary>
internal static class TriggerEndpoints
{
    private const int BodyMax = 64 << 10;
    private const int RunsShown = 20;

    public static void MapTriggers(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/triggers").WithTags("Schedules");
        group.MapGet("", ListAsync).WithName("ListTriggers").WithSummary("Definitions whose runs events start, by name.").Paged().Refuses(400);
        group.MapGet("/{namespace}/{name}", GetAsync).WithName("GetTrigger").WithSummary("One of them, with the runs that events started last.").Refuses(404);
        group.MapPatch("/{namespace}/{name}", ChangeAsync).WithName("ChangeTrigger").WithSummary("Let events start no runs of the definition, or let them again from now on.")
            .Accepts<TriggerChange>("application/json").Produces<Trigger>(200).Refuses(400, 404, 413, 415, 503);
    }

    private static async Task<Ok<Page<Trigger>>> ListAsync(HttpRequest request, CompiledDefinitions definitions, Database database, Tenant tenant, CancellationToken cancel)
    {
        var query = new QueryReader(request);
        var limit = query.Limit;
        var after = Cursor.Parse(query.Cursor, "triggers", 2);
        query.NoMore();
        var found = await database.ReadAsync(
            db => TriggerStore.List(db, tenant, after is null ? null : (after[0], after[1]), limit + 1).ConvertAll(one => Trigger.Of(db, tenant, definitions, one)), cancel);
        return TypedResults.Ok(Page.Of(found, limit, t => Cursor.Of("triggers", t.Namespace, t.Name)));
    }

    private static async Task<Ok<TriggerDetail>> GetAsync(
        string @namespace, string name, HttpRequest request, CompiledDefinitions definitions, Database database, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var found = await database.ReadAsync(
            db => TriggerStore.Find(db, tenant, @namespace, name) is { } one
                ? new TriggerDetail(Trigger.Of(db, tenant, definitions, one), RunStore.StartedByEvents(db, tenant, @namespace, name, RunsShown).ConvertAll(TriggeredRun.Of))
                : null,
            cancel);
        return TypedResults.Ok(found ?? throw NotFound(@namespace, name));
    }

    private static async Task<Ok<Trigger>> ChangeAsync(
        string @namespace, string name, HttpRequest request, CompiledDefinitions definitions, Database database, Tenant tenant, TimeProvider time, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var shape = new BodyShape(await RequestBody.JsonAsync(request, BodyMax, cancel));
        var paused = shape.Any("paused");
        shape.NoMore();
        shape.ThrowIfWrong();
        if (paused is not { Kind: JsonKind.True or JsonKind.False } wish)
            throw Problem.Body400([new ProblemError { Code = "request.body", Message = paused is null ? "'paused' is missing." : "Expected true or false.", Pointer = "/paused", Expected = "true or false" }]);
        var found = await database.WriteAsync(db =>
        {
            if (TriggerStore.Find(db, tenant, @namespace, name) is not { } one) return null;
            if (one.Paused != wish.IsTruthy) TriggerStore.Pause(db, tenant, one, wish.IsTruthy, Micros.Of(time.GetUtcNow()));
            return Trigger.Of(db, tenant, definitions, one with { Paused = wish.IsTruthy });
        });
        return TypedResults.Ok(found ?? throw NotFound(@namespace, name));
    }

    private static Problem NotFound(string space, string name) =>
        Problem.NotFound("trigger.not_found", "No event starts it.", $"The latest version of {space}/{name} has no schedule.on, or there is no such definition.");
}
