using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Imports;

/// <summary>What requests that are made while a definition is pushed see: a workspace and its secrets, and no run.</summary>
internal sealed class PushContext(Guid organisation, Guid workspace, Func<string, Json?> secret, TimeProvider time) : FunctionContext
{
    public override Guid Organisation => organisation;
    public override Guid Workspace => workspace;
    public override Guid Run => Guid.Empty;
    public override int Step => 0;
    public override string Reference => "/";
    public override string IdempotencyKey => "";
    public override TimeProvider Time => time;

    public override Json? Secret(string name) => secret(name);

    public override ValueTask<Json> StepAsync(string name, Func<CancellationToken, ValueTask<Json>> work, CancellationToken cancel) => work(cancel);

    public override void Live(string channel, Json data)
    {
    }

    public override void Heartbeat(Json detail = default)
    {
    }

    public override ValueTask<ArtifactInfo> SaveArtifactAsync(string name, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancel) =>
        throw new NotSupportedException("There is no run to keep it with.");
}
