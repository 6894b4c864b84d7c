using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Catalog;

/// <summary>
/// Gives a new UUIDv7 (RFC 9562) as a string; no arguments. It is <c>idempotent</c>, not <c>pure</c>: the value has to be recorded,
/// a replay may not compute another one.
/// </summary>
internal sealed class UuidFunction : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("uuid", "1.0.0", Capability.Compute, Idempotency.Idempotent, Lane.Cpu)
    {
        Summary = "Gives a new UUIDv7.",
        InputSchema = JsonText.Parse("""{"type": "object", "additionalProperties": false}"""),
        OutputSchema = JsonText.Parse("""{"type": "string", "format": "uuid"}"""),
    };

    protected override ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel) =>
        ValueTask.FromResult<Json>(Guid.CreateVersion7(context.Time.GetUtcNow()).ToString());
}
