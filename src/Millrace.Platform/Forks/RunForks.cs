using System.Security.Cryptography;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Runs;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Forks;

/// <summary>What somebody wants a fork to be like.</summary>
/// <param name="Version">The version of the source's definition to go on with; null: its own.</param>
public sealed record ForkWish(ForkPoint Point, Json? Input = null, Json? Context = null, string? Version = null, string? Reason = null);

/// <summary>Forks a run: finds the version to go on with, and lets the engine commit the new run.</summary>
public sealed class RunForks(Database database, CompiledDefinitions compiled, DurableEngine engine)
{
    /// <returns>The new run's id, and whether this request started it.</returns>
    /// <exception cref="Problem">404 <c>run.not_found</c> and <c>definition.not_found</c>, 409 <c>run.idempotency_conflict</c>, 409 or 422 with the engine's reason.</exception>
    public async Task<(Guid Run, bool Started)> ForkAsync(Tenant tenant, Guid source, ForkWish wish, string? idempotencyKey, CancellationToken cancel)
    {
        var outcome = await engine.ForkAsync(new ForkRequest(tenant, source, wish.Point)
        {
            Workflow = wish.Version is { } version ? await VersionAsync(tenant, source, version, cancel) : null,
            Input = wish.Input,
            Context = wish.Context,
            Reason = wish.Reason,
            IdempotencyKey = idempotencyKey,
            RequestHash = idempotencyKey is null ? null : HashOf(source, wish),
        });
        return outcome switch
        {
            ForkOutcome.Started started => (started.Run, true),
            ForkOutcome.Existing existing => (existing.Run, false),
            ForkOutcome.NotFound => throw RunEndpoints.NotFound(source.ToString()),
            ForkOutcome.Refused refused => throw Refusal(refused.Why),
            _ => throw Problem.Conflict("run.idempotency_conflict", "The key was used for another request.", "This Idempotency-Key has started a run by another request."),
        };
    }

    private async Task<Workflow> VersionAsync(Tenant tenant, Guid source, string version, CancellationToken cancel)
    {
        var row = await database.ReadAsync(db => RunStore.Get(db, tenant, source), cancel) ?? throw RunEndpoints.NotFound(source.ToString());
        var name = new DefinitionName(row.Definition.Namespace, row.Definition.Name, version);
        var definition = await database.ReadAsync(db => DefinitionStore.Find(db, tenant, name), cancel) ?? throw DefinitionEndpoints.NotFound(name);
        return (await compiled.FindAsync(database, tenant, definition.Hash, cancel))!;
    }

    private static string HashOf(Guid source, ForkWish wish) => Convert.ToHexStringLower(SHA256.HashData(JsonText.ToUtf8(Json.Array(
        "fork", source.ToString(), wish.Point.ToString(), wish.Input is not null, wish.Input ?? Json.Null, wish.Context is not null, wish.Context ?? Json.Null, wish.Version, wish.Reason))));

    /// <summary>What is wrong with the run is a conflict with its state; what is wrong with the wish is located in it.</summary>
    private static Problem Refusal(ForkRefusal why)
    {
        const string Title = "The run cannot be forked like that.";
        if (why.Pointer is null) return Problem.Conflict(why.Code, Title, why.Detail);
        return new Problem(422, why.Code, Title, why.Detail,
            [new ProblemError { Code = why.Code, Message = why.Detail, Pointer = why.Pointer, Schema = null, Parameter = null, Expected = why.Reference }]);
    }
}
