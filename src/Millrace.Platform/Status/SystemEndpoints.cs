using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Runs;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Platform.Status;

/// <summary>What this process is. Made once, when it starts.</summary>
/// <param name="Shape"><c>embedded</c>: one process, one database file; <c>cluster</c>: any number of processes on one PostgreSQL.</param>
public sealed record SystemIdentity(string Version, string Shape, DateTimeOffset StartedAt);

/// <param name="Definitions">Versions of definitions that are kept.</param>
/// <param name="Runs">Counts by state; states without runs are there too.</param>
/// <param name="Children">How many of those another run has started, alike.</param>
/// <param name="Functions">What documents may call here.</param>
public sealed record SystemStatus(string Version, string Shape, DateTimeOffset StartedAt, long Definitions, IReadOnlyDictionary<string, long> Runs, IReadOnlyDictionary<string, long> Children, IReadOnlyList<FunctionDescription> Functions);

/// <param name="Reference">As documents call it.</param>
/// <param name="Capability">What it may do to the world.</param>
/// <param name="Idempotency">What happens when the outcome of an attempt is lost.</param>
public sealed record FunctionDescription(string Reference, string? Summary, Capability Capability, Idempotency Idempotency);

/// <param name="Status"><c>ready</c> or <c>not ready</c>.</param>
/// <param name="Checks">Each part, with <c>ok</c> or what is wrong with it.</param>
public sealed record Readiness(string Status, IReadOnlyDictionary<string, string> Checks);

/// <summary>Health and status.</summary>
internal static class SystemEndpoints
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    public static void MapSystem(this IEndpointRouteBuilder api) =>
        api.MapGet("/system", StatusAsync).WithTags("System").WithName("GetSystem").WithSummary("Version, shape, and counts.");

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").WithTags("System");
        health.MapGet("/live", () => TypedResults.Ok(new Readiness("live", new Dictionary<string, string>()))).WithName("GetLiveness").WithSummary("The process serves.");
        health.MapGet("/ready", ReadyAsync).WithName("GetReadiness").WithSummary("The store takes writes and the engine works.").Produces<Readiness>(200).Produces<Readiness>(503);
    }

    private static async Task<IResult> ReadyAsync(Database database, DurableEngine engine, TimeProvider time, CancellationToken cancel)
    {
        var checks = new Dictionary<string, string> { ["store"] = "ok", ["engine"] = "ok" };
        await CheckAsync(checks, database, engine, time, cancel);
        var ready = checks.Values.All(c => c == "ok");
        return TypedResults.Json(new Readiness(ready ? "ready" : "not ready", checks), statusCode: ready ? 200 : 503);
    }

    /// <summary>Migrations are applied before the process serves; a read of the engine's tables shows that they hold.</summary>
    private static async Task CheckAsync(Dictionary<string, string> checks, Database database, DurableEngine engine, TimeProvider time, CancellationToken cancel)
    {
        if (database.Fault is { } fault) checks["store"] = $"{fault.Code}: {fault.Detail}";
        try
        {
            if (!await engine.IsAliveAsync(cancel).WaitAsync(ReadTimeout, time, cancel)) checks["engine"] = "The engine's lease is over; it is taking a new one.";
        }
        catch (Exception e) when (e is StorageUnavailableException or TimeoutException)
        {
            checks["store"] = $"It cannot be read: {e.Message}";
        }
    }

    /// <summary>What the engine itself carries out under the names of functions.</summary>
    private static readonly FunctionDescription[] Spawning =
    [
        new(ChildrenBody.Map, "A child run for each chunk of a collection.", Capability.Compute, Idempotency.Pure),
        new(ChildrenBody.Swarm, "Child runs that need each other's results.", Capability.Compute, Idempotency.Pure),
        new(ContinueBody.Function, "The run completes, and another of its definition begins in its place.", Capability.Compute, Idempotency.Pure),
        new(ApproveBody.Function, "A decision that people take.", Capability.Compute, Idempotency.Pure),
    ];

    private static async Task<Ok<SystemStatus>> StatusAsync(HttpRequest request, SystemIdentity identity, Database database, FunctionRegistry functions, Tenant tenant, CancellationToken cancel)
    {
        new QueryReader(request).NoMore();
        var (definitions, counts) = await database.ReadAsync(db => (DefinitionStore.Count(db, tenant), RunStore.CountByState(db, tenant).ToDictionary(c => c.State)), cancel);
        return TypedResults.Ok(new SystemStatus(identity.Version, identity.Shape, identity.StartedAt, definitions, ByState(s => counts.GetValueOrDefault(s).Count), ByState(s => counts.GetValueOrDefault(s).Children),
            [.. functions.All.Select(f => new FunctionDescription(f.Reference, f.Summary, f.Capability, f.Idempotency)), .. Spawning]));
    }

    private static Dictionary<string, long> ByState(Func<RunPhase, long> count) => Enum.GetValues<RunPhase>().ToDictionary(s => s.ToString().ToLowerInvariant(), count);
}
