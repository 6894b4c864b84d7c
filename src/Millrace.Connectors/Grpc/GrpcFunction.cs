using System.Globalization;
using Grpc.Core;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Grpc;

/// <summary>
/// <c>call: grpc</c> (dsl-reference.md, gRPC Call): a method of a service that a proto file describes, of any of the four kinds. Arguments and output follow the
/// JSON form of protocol buffers (<see cref="ProtoWriter"/>, <see cref="ProtoReader"/>). A method that takes a stream may be given <c>{messages: [...]}</c>; one that gives a
/// stream has a list as its output, and each message is shown as it comes. <c>tls</c>: true on port 443, on one that ends in 443 and where none is given,
/// unless the task's <c>metadata.tls</c> says otherwise. The step's key goes along as <c>idempotency-key</c>. Errors: see <see cref="GrpcFailure"/>.
/// </summary>
internal sealed class GrpcFunction(HttpSender sender, GrpcChannels channels, GrpcSettings settings) : ConnectorFunction
{
    private readonly ProtoFiles _protos = new(sender, settings);

    public override FunctionDescriptor Descriptor { get; } = new("grpc", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Calls a method of a gRPC service.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["proto", "service", "method"],
              "additionalProperties": false,
              "properties": {
                "proto": {"type": "object", "required": ["endpoint"]},
                "service": {
                  "type": "object", "required": ["name", "host"], "additionalProperties": false,
                  "properties": {"name": {"type": "string"}, "host": {"type": "string"}, "port": {"type": "integer"}, "authentication": {"type": "object"}}
                },
                "method": {"type": "string"},
                "arguments": {"type": ["object", "array", "null"]},
                "tls": {"type": "boolean"},
                "input": {}
              }
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var redaction = new Redaction();
        using var deadline = new Deadline(settings.TimeLimit, context.Time, cancel);
        var service = arguments.Member("service");
        var address = AddressOf(service, arguments);
        var policy = service.MemberOrNull("authentication") is { } authentication ? AuthenticationPolicy.Read(authentication, arguments.Input, context, redaction) : null;
        var what = $"{service.Text("name")}/{arguments.Text("method")} at {address.Authority}";
        try
        {
            var schema = await _protos.FindAsync(arguments.Member("proto"), arguments.Input, context, redaction, deadline.Token);
            var method = schema.Method(service.Text("name"), arguments.Text("method"));
            var requests = RequestsOf(schema, method, arguments);
            var headers = await HeadersAsync(policy, context, redaction, deadline);
            var exchange = new GrpcExchange(channels.To(address, AuthenticationPolicy.CertificateOf(policy)), schema, method, new CallOptions(headers, cancellationToken: deadline.Token), settings);
            return await exchange.RunAsync(requests, message => context.Live("message", message));
        }
        catch (RpcException e)
        {
            if (!deadline.Expired || deadline.Cancelled) throw GrpcFailure.Of(e, what, redaction);
            throw TimedOut(what, deadline);
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw TimedOut(what, deadline);
        }
    }

    private static Refusal TimedOut(string what, Deadline deadline) => new(new WorkflowError(ErrorTypes.Timeout, 408, "gRPC call timed out",
        string.Create(CultureInfo.InvariantCulture, $"{what} was not finished within {deadline.Limit.TotalSeconds:0.###} s.")));

    private static Uri AddressOf(Arguments service, Arguments arguments)
    {
        var (host, given) = (service.Text("host"), service["port"]);
        if (!given.IsNull && !(given.IsNumber && given.AsNumber() is >= 1 and <= 65535)) throw service.Invalid("port", "has to be a number from 1 to 65535.");
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) throw service.Invalid("host", "has to be the name or the address of a host.");
        var port = given.IsNull ? default(int?) : (int)given.AsNumber();
        var tls = arguments.Flag("tls", otherwise: (port ?? 443) % 1000 == 443);
        return new UriBuilder(tls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, host, port ?? (tls ? 443 : 80)).Uri;
    }

    private List<byte[]> RequestsOf(ProtoSchema schema, ProtoMethod method, Arguments arguments)
    {
        var given = arguments["arguments"];
        // The language has one object here; several messages stand under a name that the message itself does not have.
        if (method.ClientStreams && given["messages"].IsArray && method.Input.Find("messages") is null) given = given["messages"];
        if (given.IsArray && !method.ClientStreams)
            throw arguments.Invalid("arguments", $"has to be an object: {method.Name} takes one message, not a stream of them.");
        var requests = given.ArrayOrNull is { } list
            ? list.Select((m, i) => ProtoWriter.Write(schema, method.Input, m, $"/arguments/{i}")).ToList()
            : [ProtoWriter.Write(schema, method.Input, given.IsNull ? Json.EmptyObject : given, "/arguments")];
        if (requests.Find(r => r.Length > settings.MessageBytesMax) is { } large)
            throw Refusal.Configuration("Request too large", $"A message has {large.Length} bytes, the limit is {settings.MessageBytesMax}.");
        return requests;
    }

    private async Task<Metadata> HeadersAsync(AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, Deadline deadline)
    {
        var headers = new Metadata { { "idempotency-key", context.IdempotencyKey } };
        if (context.TraceParent is { } trace) headers.Add("traceparent", trace);
        if (await sender.AuthorizationAsync(policy, context, redaction, deadline) is { } authorization) headers.Add("authorization", authorization);
        return headers;
    }
}
