using System.Text;
using Millrace.Engine.Events;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Events;

/// <summary>Takes an event that a run emits; it returns when the event is kept or handed over. The same event may come again with the same id.</summary>
/// <exception cref="OperationCanceledException">Cancelled.</exception>
public delegate ValueTask EventOutlet(EmittedEvent emitted, CancellationToken cancel);

/// <param name="Event">A CloudEvent 1.0 in its JSON format.</param>
public sealed record EmittedEvent(Guid Organisation, Guid Workspace, Guid Run, int Step, Json Event);

public sealed record EventSettings
{
    /// <summary>Bytes of one event in its JSON format.</summary>
    public int EventBytesMax { get; init; } = 1 << 20;
}

/// <summary>
/// <c>emit</c> (dsl-reference.md, Emit, Event Properties). Arguments are the event's properties, <c>type</c> at least; the output is the event as it was
/// published. Without <c>id</c> it gets one derived from the step, the same in every attempt, so that consumers can drop a repetition.
/// Errors: <c>validation</c> is not used; what is no CloudEvent is a <c>configuration</c> error 400 that names the attribute.
/// </summary>
internal sealed class EmitFunction(EventSettings settings, EventOutlet outlet) : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("emit", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Publishes an event.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["type"],
              "properties": {
                "id": {"type": "string"}, "source": {"type": "string"}, "type": {"type": "string"}, "time": {"type": "string"},
                "subject": {"type": "string"}, "datacontenttype": {"type": "string"}, "dataschema": {"type": "string"}, "data": {}
              },
              "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
            }
            """),
        OutputSchema = JsonText.Parse("""{"type": "object", "required": ["id", "source", "type", "specversion", "time"]}"""),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var cloudEvent = CloudEvent.Build(arguments, context);
        var bytes = JsonText.ToUtf8(cloudEvent).Length;
        if (bytes > settings.EventBytesMax)
            throw Refusal.Configuration("Event too large", $"The event has {bytes} bytes, the limit is {settings.EventBytesMax}.");
        Check(cloudEvent, "type", EventLog.TypeBytesMax);
        Check(cloudEvent, "source", EventLog.SourceBytesMax);
        Check(cloudEvent, "id", EventLog.IdBytesMax);
        Check(cloudEvent, "subject", EventLog.SubjectBytesMax);
        await outlet(new EmittedEvent(context.Organisation, context.Workspace, context.Run, context.Step, cloudEvent), cancel);
        return cloudEvent;
    }

    /// <summary>As those from outside are checked when they come in.</summary>
    private static void Check(Json cloudEvent, string attribute, int bytesMax)
    {
        if (cloudEvent[attribute].StringOrNull is not { } text) return;
        if (text.Any(char.IsControl)) throw Refusal.Configuration("Invalid event", $"'{attribute}' holds control characters.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > bytesMax) throw Refusal.Configuration("Invalid event", $"'{attribute}' has {bytes} bytes, the limit is {bytesMax}.");
    }
}
