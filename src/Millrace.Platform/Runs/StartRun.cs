using System.Security.Cryptography;
using System.Text;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Platform.Definitions;
using Millrace.Platform.Http;
using Millrace.Platform.Uploads;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Runs;

/// <summary>Starts a run: finds the version, checks that it can run on this input, and lets the engine commit it.</summary>
public sealed class StartRun(Database database, CompiledDefinitions compiled, DurableEngine engine, ClientUploads uploads)
{
    private const int NameMax = 200;
    private const int SchemaErrorsMax = 20;

    /// <param name="traceParent">The caller's W3C traceparent as it came; one that is none is as good as absent.</param>
    /// <returns>The run's id, and whether this request started it.</returns>
    /// <exception cref="Problem">400 for a wrong body, 404 <c>definition.not_found</c>, <c>upload.not_found</c>, 409 <c>run.idempotency_conflict</c>, 422 <c>run.input_invalid</c>.</exception>
    public async Task<(Guid Run, bool Started)> StartAsync(Tenant tenant, Json body, string? idempotencyKey, string? traceParent, CancellationToken cancel)
    {
        var (name, input, upload) = Read(body);
        var request = idempotencyKey is null ? null : HashOf(name, input, upload);
        if (request is not null && await KnownAsync(tenant, idempotencyKey!, request, cancel) is { } known) return (known, false);
        var workflow = await ResolveAsync(tenant, name, cancel);
        if (upload is not null) input = RequestBody.ParseJson(await uploads.ReadAsync(tenant, upload, cancel));
        CheckInput(workflow, input);
        var outcome = await engine.StartAsync(new StartRequest(tenant, workflow, input, idempotencyKey, request, EngineTrace.Normalised(traceParent)));
        if (upload is not null && outcome is StartOutcome.Started) await uploads.RemoveAsync(tenant, upload);
        return outcome switch
        {
            StartOutcome.Started started => (started.Run, true),
            StartOutcome.Existing existing => (existing.Run, false),
            _ => throw KeyConflict(),
        };
    }

    private static (DefinitionName Name, Json Input, BlobRef? Upload) Read(Json body)
    {
        var shape = new BodyShape(body);
        var definition = shape.Object("definition");
        var name = new DefinitionName(definition.RequiredText("namespace", NameMax), definition.RequiredText("name", NameMax), definition.OptionalText("version", SemanticVersion.LengthMax));
        definition.NoMore();
        var (input, upload) = (shape.Any("input"), shape.OptionalObject("upload") is { } content ? UploadRules.Read(content) : null);
        if (input is not null && upload is not null) shape.Refuse("upload", "The input is in the request already.", "either input or upload");
        shape.NoMore();
        shape.ThrowIfWrong();
        return (name, input ?? Json.EmptyObject, upload);
    }

    /// <summary>The same key must come with the same request; what the latest version is may have changed meanwhile, so the request is hashed as it was made.</summary>
    private static string HashOf(DefinitionName name, Json input, BlobRef? upload)
    {
        var request = upload is null ? Json.Array(name.Namespace, name.Name, name.Version, input) : Json.Array(name.Namespace, name.Name, name.Version, upload.Sha256, upload.Size);
        return Convert.ToHexStringLower(SHA256.HashData(JsonText.ToUtf8(request)));
    }

    /// <summary>A repeated request is answered with the run it started even if it could not be started again now.</summary>
    private async Task<Guid?> KnownAsync(Tenant tenant, string key, string request, CancellationToken cancel)
    {
        if (await database.ReadAsync(db => RunStore.FindKey(db, tenant, key), cancel) is not { } known) return null;
        return known.Request == request ? known.Run : throw KeyConflict();
    }

    private async Task<Workflow> ResolveAsync(Tenant tenant, DefinitionName name, CancellationToken cancel)
    {
        var definition = await database.ReadAsync(db => DefinitionStore.Find(db, tenant, name), cancel) ?? throw DefinitionEndpoints.NotFound(name);
        return (await compiled.FindAsync(database, tenant, definition.Hash, cancel))!;
    }

    private static void CheckInput(Workflow workflow, Json input)
    {
        if (workflow.InputSchema is not { } schema) return;
        var errors = schema.Validate(input, SchemaErrorsMax).Select(e => new ProblemError
        {
            Code = "input." + e.Keyword,
            Message = e.Message,
            Pointer = e.Instance,
            Schema = e.Schema,
        }).ToList();
        if (errors.Count > 0) throw new Problem(422, "run.input_invalid", "The input does not fit the definition's schema.", Problem.Summarise(errors), errors);
    }

    private static Problem KeyConflict() => Problem.Conflict("run.idempotency_conflict", "The key was used for another request.",
        "This Idempotency-Key has started a run with another definition or another input.");
}
