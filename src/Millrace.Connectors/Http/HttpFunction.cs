using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>
/// <c>call: http</c> (dsl-reference.md, HTTP Call). Arguments are the evaluated <c>with</c>, plus <c>input</c>: the task's input, read only for
/// URI templates. Every request but GET, HEAD, OPTIONS and TRACE carries the step's Idempotency-Key unless the author sets one.
/// Errors: <c>communication</c> with the answer's status (or 502, 503, 504, see <see cref="HttpFailure"/>), <c>authentication</c> 401 when no
/// token is given out, <c>authorization</c> 403 when a secret is absent, <c>configuration</c> 400, <c>expression</c> 400 for a template's variable.
/// </summary>
internal sealed class HttpFunction(HttpSender sender) : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("http", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Sends an HTTP request.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["method", "endpoint"],
              "additionalProperties": false,
              "properties": {
                "method": {"type": "string"},
                "endpoint": {
                  "oneOf": [
                    {"type": "string"},
                    {"type": "object", "required": ["uri"], "additionalProperties": false,
                     "properties": {"uri": {"type": "string"}, "authentication": {"type": "object"}}}
                  ]
                },
                "headers": {"type": "object"},
                "body": {},
                "query": {"type": "object"},
                "output": {"enum": ["raw", "content", "response"]},
                "redirect": {"type": "boolean"},
                "input": {}
              }
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var redaction = new Redaction();
        var (address, pointer, policy) = EndpointOf(arguments, context, redaction);
        var call = HttpRequestReader.Read(arguments, HttpAddress.Parse(address, pointer), context.IdempotencyKey);
        var answer = await sender.SendAsync(call, policy, context, redaction, cancel);
        return HttpSender.OutputOf(answer, HttpRequestReader.OutputFormat(arguments), redaction);
    }

    private static (string Address, string Pointer, AuthenticationPolicy? Policy) EndpointOf(Arguments arguments, FunctionContext context, Redaction redaction)
    {
        var input = arguments.Input;
        if (arguments["endpoint"].StringOrNull is { } text)
            return (UriTemplate.Expand(text, input, "/endpoint"), "/endpoint", null);
        var endpoint = arguments.Member("endpoint");
        var policy = endpoint.MemberOrNull("authentication") is { } authentication
            ? AuthenticationPolicy.Read(authentication, input, context, redaction)
            : null;
        return (UriTemplate.Expand(endpoint.Text("uri"), input, "/endpoint/uri"), "/endpoint/uri", policy);
    }
}
