using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Processes;

/// <summary>
/// <c>run: shell</c> (dsl-reference.md, Shell Process): the command runs by <c>sh -c</c>, its arguments are <c>$1</c>, <c>$2</c>, … It starts in an
/// empty folder that is deleted afterwards and with a clean environment (see <see cref="ProcessStart"/>); name other places by absolute paths.
/// Its class is <c>once</c>: nobody can say how far an interrupted command came, so it is not repeated.
/// Errors: <c>runtime</c> 500 for a failing command, <c>timeout</c> 408, <c>configuration</c> 400.
/// </summary>
internal sealed class ShellFunction(ProcessTask process) : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("shell", "", Capability.Irreversible, Idempotency.Once, Lane.Sandbox)
    {
        Summary = "Runs a shell command.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["command"],
              "additionalProperties": false,
              "properties": {
                "command": {"type": "string"},
                "stdin": {},
                "arguments": {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
                "environment": {"type": "object"},
                "return": {"enum": ["stdout", "stderr", "code", "all", "none"]}
              }
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        process.Permit();
        var command = arguments.Text("command");
        if (command.Contains('\0', StringComparison.Ordinal)) throw arguments.Invalid("command", "holds a zero character.");
        var start = process.Start(context, arguments, "sh", ["-c", command, "sh", .. arguments.TextsOrEmpty("arguments")]);
        return ProcessTask.OutputOf(await process.RunAsync(start, context, cancel), arguments);
    }
}
