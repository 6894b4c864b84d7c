using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Catalog;

/// <summary>Shows a message live, on the channel <c>log</c> as <c>{level, message}</c>. Arguments: <c>message</c>, any value; <c>level</c>: debug, info (default), warning, error. The output is the arguments.</summary>
internal sealed class LogFunction : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("log", "1.0.0", Capability.Compute, Idempotency.Idempotent, Lane.Cpu)
    {
        Summary = "Shows a message in the run's live output.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["message"],
              "additionalProperties": false,
              "properties": {"message": {}, "level": {"enum": ["debug", "info", "warning", "error"]}}
            }
            """),
    };

    protected override ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        if (!arguments.Value.AsObject().Has("message")) throw arguments.Missing("message");
        var level = arguments.Choice("level", "info", "debug", "info", "warning", "error");
        context.Live("log", Json.Object("level", level, "message", arguments["message"]));
        return ValueTask.FromResult(arguments.Value);
    }
}
