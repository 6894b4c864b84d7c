using System.Globalization;
using System.Reflection;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Connectors.Processes;
using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Graph;

namespace Millrace.Connectors.Mcp;

/// <summary>
/// <c>call: mcp</c> (dsl-reference.md, MCP Call): a session of the Model Context Protocol with one request, by stdio or streamable HTTP. The output is the
/// request's result; a tool that says <c>isError</c> has given a result. The step's key goes along as <c>_meta."millrace/idempotency-key"</c>. Errors:
/// <c>runtime</c> 500 for an error of the server, <c>timeout</c> 408, <c>communication</c> for what is no answer, <c>configuration</c> 400.
/// </summary>
internal sealed class McpFunction(ProcessTask process, HttpSender sender, RpcSettings settings) : ConnectorFunction
{
    private const string KeyName = "millrace/idempotency-key";

    private static readonly string OwnVersion = typeof(McpFunction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public override FunctionDescriptor Descriptor { get; } = new("mcp", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Asks a server of the Model Context Protocol.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["method", "transport"],
              "additionalProperties": false,
              "properties": {
                "protocolVersion": {"type": "string"},
                "method": {"enum": ["tools/list", "tools/call", "prompts/list", "prompts/get", "resources/list", "resources/read", "resources/templates/list"]},
                "parameters": {"type": ["object", "null"]},
                "timeout": {"type": ["string", "object"]},
                "transport": {
                  "type": "object",
                  "properties": {
                    "http": {"type": "object", "required": ["endpoint"]},
                    "stdio": {"type": "object", "required": ["command"]},
                    "options": {"type": "object"}
                  },
                  "oneOf": [{"required": ["http"]}, {"required": ["stdio"]}]
                },
                "client": {"type": "object", "required": ["name", "version"]},
                "input": {}
              }
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var ask = Ask(arguments, context);
        var transport = arguments.Member("transport");
        using var deadline = new Deadline(LimitOf(arguments), context.Time, cancel);
        try
        {
            return transport.MemberOrNull("stdio") is { } stdio
                ? await ByProcessAsync(stdio, ask, context, deadline)
                : await ByHttpAsync(transport.Member("http"), arguments.Input, ask, context, deadline);
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw new Refusal(new WorkflowError(ErrorTypes.Timeout, 408, "MCP call timed out",
                string.Create(CultureInfo.InvariantCulture, $"{ask.Method} was not answered within {deadline.Limit.TotalSeconds:0.###} s.")));
        }
    }

    private static McpAsk Ask(Arguments arguments, FunctionContext context)
    {
        var meta = arguments["parameters"]["_meta"].ObjectOrNull ?? JsonObject.Empty;
        var parameters = arguments.MapOrEmpty("parameters").With("_meta", meta.Has(KeyName) ? meta : meta.With(KeyName, context.IdempotencyKey));
        var client = arguments.MemberOrNull("client");
        return new McpAsk(arguments.Text("method"), parameters, arguments.TextOrNull("protocolVersion") ?? McpSession.VersionByDefault,
            Json.Object("name", client?.Text("name") ?? "millrace", "version", client?.Text("version") ?? OwnVersion));
    }

    private TimeSpan LimitOf(Arguments arguments)
    {
        if (!arguments.Has("timeout")) return settings.TimeLimit;
        if (!Duration.TryParse(arguments["timeout"], out var limit, out var reason)) throw arguments.Invalid("timeout", reason!);
        return limit > TimeSpan.Zero && limit <= TimeSpan.FromDays(1) ? limit : throw arguments.Invalid("timeout", "has to be more than nothing and a day at most.");
    }

    private async Task<Json> ByProcessAsync(Arguments stdio, McpAsk ask, FunctionContext context, Deadline deadline)
    {
        process.Permit();
        var start = process.Start(context, stdio, stdio.Text("command"), stdio.TextsOrEmpty("arguments"));
        return await process.TalkAsync(start, async (talk, stop) =>
        {
            var result = await new McpSession(new McpStdio(talk, settings, start.Program), context).RunAsync(ask, stop);
            // Standard input that is closed is how a client says goodbye (MCP, Transports, stdio).
            talk.Input.Close();
            return result;
        }, context, deadline.Token);
    }

    private async Task<Json> ByHttpAsync(Arguments http, Json? input, McpAsk ask, FunctionContext context, Deadline deadline)
    {
        var redaction = new Redaction();
        var (address, policy) = ExternalResource.Locate(http, input, context, redaction);
        var wire = new McpHttp(sender, settings, new McpPlace(address, policy, HttpRequestReader.HeadersOf(http.MapOrEmpty("headers"), "/transport/http/headers")), context, redaction, deadline);
        try
        {
            return await new McpSession(wire, context).RunAsync(ask, deadline.Token);
        }
        finally
        {
            await wire.LeaveAsync();
        }
    }
}

/// <param name="Client">Name and version.</param>
internal sealed record McpAsk(string Method, Json Parameters, string ProtocolVersion, Json Client);
