using System.Globalization;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Connectors.Rpc;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.A2a;

/// <summary>
/// <c>call: a2a</c> (dsl-reference.md, A2A Call): one method of an agent by JSON-RPC over HTTP (A2A 0.3.0). The output is the method's result, of <c>message/stream</c>
/// and <c>tasks/resubscribe</c> the list of all results; each is shown as it comes. A message without an id gets one derived from the step, the same in every
/// attempt. A stream that breaks off is gone on with by <c>tasks/resubscribe</c>, once. Errors: <c>runtime</c> 500 for an error of the agent, <c>timeout</c> 408,
/// <c>communication</c>, <c>configuration</c> 400 for an agent that cannot be called, such as one that wants another authentication than the task has.
/// </summary>
internal sealed class A2aFunction(HttpSender sender, RpcSettings settings) : ConnectorFunction
{
    private const int EventsMax = 100_000;

    private readonly AgentCards _cards = new(sender, settings);

    public override FunctionDescriptor Descriptor { get; } = new("a2a", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Asks an agent that speaks A2A.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["method"],
              "additionalProperties": false,
              "properties": {
                "method": {"type": "string"},
                "agentCard": {"type": "object", "required": ["endpoint"]},
                "server": {"type": ["string", "object"]},
                "parameters": {"type": ["object", "null"]},
                "input": {}
              },
              "anyOf": [{"required": ["agentCard"]}, {"required": ["server"]}]
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var redaction = new Redaction();
        using var deadline = new Deadline(settings.TimeLimit, context.Time, cancel);
        var method = arguments.Text("method");
        try
        {
            var agent = await AgentAsync(arguments, context, redaction, deadline.Token);
            var call = new A2aCall(sender, settings, agent, context, redaction, deadline);
            var parameters = ParametersOf(method, arguments, context);
            return method is "message/stream" or "tasks/resubscribe" ? await StreamAsync(call, method, parameters, context, deadline.Token)
                : JsonRpc.ResultOf(await call.AskAsync(JsonRpc.Request(context.IdempotencyKey, method, parameters), deadline.Token), method);
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw new Refusal(new WorkflowError(ErrorTypes.Timeout, 408, "A2A call timed out",
                string.Create(CultureInfo.InvariantCulture, $"{method} was not finished within {deadline.Limit.TotalSeconds:0.###} s.")));
        }
    }

    private async Task<Agent> AgentAsync(Arguments arguments, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        if (arguments.MemberOrNull("agentCard") is { } card) return await _cards.FindAsync(card, arguments.Input, context, redaction, cancel);
        var (address, policy) = arguments["server"].IsString
            ? (HttpAddress.Parse(UriTemplate.Expand(arguments.Text("server"), arguments.Input, "/server"), "/server"), null)
            : ExternalResource.Locate(new Arguments(Json.Object("endpoint", arguments.Member("server").Value)), arguments.Input, context, redaction);
        return new Agent(address, policy);
    }

    private static JsonObject ParametersOf(string method, Arguments arguments, FunctionContext context)
    {
        var parameters = arguments.MapOrEmpty("parameters");
        if (method is not ("message/send" or "message/stream")) return parameters;
        var message = arguments.MemberOrNull("parameters")?.MapOrEmpty("message") ?? JsonObject.Empty;
        if (!message.Has("messageId")) message = message.With("messageId", StepId.Of(context));
        if (!message.Has("role")) message = message.With("role", "user");
        if (!message.Has("kind")) message = message.With("kind", "message");
        return parameters.With("message", message);
    }

    private static async Task<Json> StreamAsync(A2aCall call, string method, JsonObject parameters, FunctionContext context, CancellationToken cancel)
    {
        var results = new List<Json>();
        void Take(Json response)
        {
            var result = JsonRpc.ResultOf(response, method);
            if (results.Count >= EventsMax) throw Refusal.Communication(502, "Response too large", $"{method} gave more than {EventsMax} results.");
            results.Add(result);
            context.Live("message", result);
        }

        if (!await call.StreamAsync(JsonRpc.Request(context.IdempotencyKey, method, parameters), Take, cancel))
        {
            var task = results.Select(r => r["kind"].StringOrNull == "task" ? r["id"].StringOrNull : r["taskId"].StringOrNull).LastOrDefault(id => id is not null) ?? Json.Of(parameters)["id"].StringOrNull
                ?? throw call.Broken(method);
            if (!await call.StreamAsync(JsonRpc.Request(context.IdempotencyKey, "tasks/resubscribe", Json.Object("id", task)), Take, cancel)) throw call.Broken(method);
        }
        return JsonArray.Of(results);
    }
}
