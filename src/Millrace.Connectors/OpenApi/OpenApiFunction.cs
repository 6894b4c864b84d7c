using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.OpenApi;

/// <summary>
/// <c>call: openapi</c> (dsl-reference.md, OpenAPI Call) for OpenAPI 3 and 2 documents, JSON or YAML, read by http or https. <c>parameters</c> are matched to
/// the operation's by name, wherever they go (path, query, header, cookie, form); <c>body</c> is the request's body. Output and errors are those of
/// http; a document, operation or parameter that does not fit is a <c>configuration</c> error 400 that names it. <c>input</c> as for http.
/// </summary>
internal sealed class OpenApiFunction(HttpSender sender, OpenApiSettings settings) : ConnectorFunction
{
    private readonly OpenApiDocuments _documents = new(sender, settings);

    public override FunctionDescriptor Descriptor { get; } = new("openapi", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Calls an operation that an OpenAPI document describes.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["document", "operationId"],
              "additionalProperties": false,
              "properties": {
                "document": {"type": "object", "required": ["endpoint"]},
                "operationId": {"type": "string"},
                "parameters": {"type": "object"},
                "authentication": {"type": "object"},
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
        var output = HttpRequestReader.OutputFormat(arguments);
        var operationId = arguments.Text("operationId");
        var policy = arguments.MemberOrNull("authentication") is { } authentication
            ? AuthenticationPolicy.Read(authentication, arguments.Input, context, redaction)
            : null;
        var document = await _documents.FindAsync(arguments.Member("document"), arguments.Input, context, redaction, cancel);
        var call = OpenApiRequest.Build(document.Operation(operationId), arguments.MapOrEmpty("parameters")) with { Redirect = arguments.Flag("redirect") };
        var answer = await sender.SendAsync(HttpRequestReader.Complete(call, context.IdempotencyKey), policy, context, redaction, cancel);
        return HttpSender.OutputOf(answer, output, redaction);
    }
}
