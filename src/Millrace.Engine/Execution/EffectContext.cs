using System.Globalization;
using System.Security.Cryptography;
using Millrace.Engine.Functions;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>The durable context of one attempt at one effect.</summary>
/// <param name="traceParent">The attempt's own span, or what the run was started with while nobody listens here.</param>
/// <param name="items">How far the run is done with what the effect gives; null where it does nothing for it.</param>
/// <param name="slot">Of its lane.</param>
internal sealed class EffectContext(RunActor actor, Step step, Idempotency idempotency, string? traceParent, ItemsHandled? items, LaneSlot slot) : FunctionContext
{
    private const int SubStepsMax = 100_000;

    private readonly Dictionary<string, Json>? _recorded = step.SubSteps;
    private int _subSteps;
    private SecretMask? _mask;
    private LiveMask? _live;

    public override Guid Organisation => actor.Tenant.Organisation;
    public override Guid Workspace => actor.Tenant.Workspace;
    public override Guid Run => actor.Id;
    public override int Step => step.Id;
    public override string Reference => step.Node.Reference;
    public override string IdempotencyKey => ItemKey.Of(actor, step) ?? string.Create(CultureInfo.InvariantCulture, $"{actor.Id:N}-{(idempotency == Idempotency.Once ? step.Id : step.Effect)}");
    public override TimeProvider Time => actor.Worker.Time;
    public override string? TraceParent => traceParent;

    /// <summary>Masks the secrets of the definition; null when it lists none.</summary>
    public SecretMask? Mask
    {
        get
        {
            var names = actor.Workflow.Secrets;
            if (names.Count == 0) return null;
            return _mask ??= new SecretMask(names.Select(n => actor.Worker.Secrets.Find(actor.Tenant, n) ?? Json.Null));
        }
    }

    public override async ValueTask<Json> StepAsync(string name, Func<CancellationToken, ValueTask<Json>> work, CancellationToken cancel)
    {
        if (_recorded is not null && _recorded.TryGetValue(name, out var known)) return known;
        if (Interlocked.Increment(ref _subSteps) > SubStepsMax) throw new InvalidOperationException($"A step has at most {SubStepsMax} sub-steps.");
        var output = await work(cancel);
        if (Mask is { IsEmpty: false } mask) output = mask.Apply(output);
        var durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        actor.Post(new RunEvent.SubStepEnded(step.Id, name, output, durable));
        await using var _ = cancel.UnsafeRegister(static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), durable);
        await durable.Task;
        return output;
    }

    public override bool HasIterator => items is not null;

    public override ValueTask<bool> HandledAsync(int item, CancellationToken cancel) =>
        items is null ? base.HandledAsync(item, cancel) : slot.WithoutAsync(() => items.WaitAsync(item, cancel), cancel);

    public override void Live(string channel, Json data)
    {
        if (Mask is { IsEmpty: false } mask)
        {
            if (data.StringOrNull is not { } text) data = mask.Apply(data);
            else if ((_live ??= new LiveMask(mask)).Next(channel, text) is { Length: > 0 } shown) data = shown;
            else return;
        }

        Show(channel, data);
    }

    /// <summary>The function has ended: shows what was held back for the sake of its secrets.</summary>
    public void EndLive()
    {
        foreach (var (channel, text) in _live?.Rest() ?? []) Show(channel, text);
    }

    private void Show(string channel, Json data) => actor.Worker.Announcements.Live(actor.Topic, new LiveOutput(step.Id, channel, data, actor.Worker.Now));

    public override void Heartbeat(Json detail = default) => Live("heartbeat", detail);

    public override Json? Secret(string name) =>
        actor.Workflow.Secrets.Contains(name) ? actor.Worker.Secrets.Find(actor.Tenant, name) : null;

    public override async ValueTask<ArtifactInfo> SaveArtifactAsync(string name, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        var worker = actor.Worker;
        var blob = await worker.Keeping.Loose.PutAsync(content, Convert.ToHexStringLower(SHA256.HashData(content.Span)), cancel);
        var row = new ArtifactRow(name, mediaType, blob.Size, blob.Sha256, worker.Now);
        await worker.Database.WriteAsync(db =>
        {
            ArtifactStore.Save(db, actor.Tenant, actor.Id, row);
            return 0;
        });
        return new ArtifactInfo(name, mediaType, blob.Size, blob.Sha256, (worker.Blobs as FileBlobStore)?.PathOf(blob));
    }
}
