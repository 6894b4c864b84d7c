using System.Globalization;
using System.Text;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Schema;
using MQTTnet.Formatter;

namespace Millrace.Connectors.AsyncApi;

/// <summary>
/// <c>call: asyncapi</c> (dsl-reference.md, AsyncAPI Call) for AsyncAPI 2 and 3: publishes one message (no output), or subscribes (the list of messages, each
/// with <c>payload</c>, <c>headers</c> and <c>correlationId</c>). Payloads are checked against the document's schema: one that is sent is refused with a <c>validation</c>
/// error, one that comes is left out and shown. Each message consumed is a durable sub-step, acknowledged when it is on disk.
/// </summary>
internal sealed class AsyncApiFunction(HttpSender sender, HttpPool pool, AsyncApiSettings settings) : ConnectorFunction
{
    private readonly KeptResources<AsyncApiDocument> _documents = new(settings.DocumentsMax, settings.DocumentLifetime);

    private readonly Dictionary<string, Broker> _brokers = new(StringComparer.Ordinal)
    {
        ["http"] = new HttpBroker(pool),
        ["https"] = new HttpBroker(pool),
        ["ws"] = new WebSocketBroker(settings, pool.Trust),
        ["wss"] = new WebSocketBroker(settings, pool.Trust),
        ["mqtt"] = new MqttBroker(settings, pool.Trust, MqttProtocolVersion.V311),
        ["mqtts"] = new MqttBroker(settings, pool.Trust, MqttProtocolVersion.V311),
        ["secure-mqtt"] = new MqttBroker(settings, pool.Trust, MqttProtocolVersion.V311),
        ["mqtt5"] = new MqttBroker(settings, pool.Trust, MqttProtocolVersion.V500),
        ["redis"] = new RedisBroker(settings, pool.Trust),
        ["rediss"] = new RedisBroker(settings, pool.Trust),
        ["amqp"] = new AmqpBroker(settings, pool.Trust),
        ["amqps"] = new AmqpBroker(settings, pool.Trust),
        ["amqp1"] = new Amqp1Broker(settings, pool.Trust),
        ["amqp1s"] = new Amqp1Broker(settings, pool.Trust),
        ["nats"] = new NatsBroker(settings, pool.Trust),
        ["kafka"] = new KafkaBroker(settings, pool.Trust),
        ["kafka-secure"] = new KafkaBroker(settings, pool.Trust),
        ["sqs"] = new SqsBroker(settings, pool.Trust),
    };

    public override FunctionDescriptor Descriptor { get; } = new("asyncapi", "", Capability.Write, Idempotency.Keyed, Lane.Io)
    {
        Summary = "Publishes a message, or subscribes to messages, that an AsyncAPI document describes.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["document"],
              "additionalProperties": false,
              "properties": {
                "document": {"type": "object", "required": ["endpoint"]},
                "channel": {"type": "string"},
                "operation": {"type": "string"},
                "server": {"type": "object", "required": ["name"]},
                "protocol": {"type": "string"},
                "message": {"type": "object"},
                "subscription": {"type": "object", "required": ["consume"]},
                "authentication": {"type": "object"},
                "input": {}
              },
              "oneOf": [{"required": ["message"]}, {"required": ["subscription"]}]
            }
            """),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var redaction = new Redaction();
        using var deadline = new Deadline(settings.TimeLimit, context.Time, cancel);
        var document = await DocumentAsync(arguments, context, redaction, deadline.Token);
        var publishes = arguments.Has("message");
        var operation = document.Find(arguments.TextOrNull("channel"), arguments.TextOrNull("operation"), publishes);
        var server = arguments.MemberOrNull("server");
        var (protocol, address) = operation.Server(server?.Text("name"), server is null ? arguments.TextOrNull("protocol") : null, server?.MapOrEmpty("variables") ?? JsonObject.Empty, _brokers.Keys);
        var policy = arguments.MemberOrNull("authentication") is { } authentication ? AuthenticationPolicy.Read(authentication, arguments.Input, context, redaction) : null;
        var credentials = await sender.AuthorizationAsync(policy, context, redaction, deadline) is { } authorization ? new Credentials(authorization) : null;
        var place = new BrokerPlace(protocol, address, operation.Address, credentials, context.IdempotencyKey)
        {
            Channel = operation.ChannelBindings,
            Operation = operation.Bindings,
            Certificate = AuthenticationPolicy.CertificateOf(policy),
            CutOff = cancel,
        };
        var schemas = operation.Messages.Select(document.PayloadSchema).ToList();
        if (!publishes) return await SubscribeAsync(place, new(document, operation, schemas), Consumption.Read(arguments.Member("subscription")), context, redaction, cancel);
        try
        {
            await _brokers[protocol].PublishAsync(place, Outbound(arguments.Member("message"), document, operation, schemas, _brokers[protocol]), redaction, deadline);
            return Json.Null;
        }
        catch (OperationCanceledException) when (!deadline.Cancelled)
        {
            throw Refusal.Communication(504, "Publishing timed out", string.Create(CultureInfo.InvariantCulture, $"{place} did not take the message within {settings.TimeLimit.TotalSeconds:0.###} s."));
        }
    }

    private Task<AsyncApiDocument> DocumentAsync(Arguments arguments, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var (address, policy) = ExternalResource.Locate(arguments.Member("document"), arguments.Input, context, redaction, sender.ReadsFiles);
        return _documents.FindAsync(address, policy, context, async () =>
        {
            var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
            var name = redaction.Clean(address);
            if (answer.Content.Length > settings.DocumentBytesMax) throw AsyncApiDocument.Invalid(name, $"it has {answer.Content.Length} bytes, the limit is {settings.DocumentBytesMax}");
            return AsyncApiDocument.Parse(Encoding.UTF8.GetString(answer.Content.Span), name);
        });
    }

    private BrokerMessage Outbound(Arguments message, AsyncApiDocument document, AsyncApiOperation operation, List<JsonSchema?> schemas, Broker broker)
    {
        var payload = message["payload"];
        var fits = schemas.FindIndex(s => s is null || s.Validate(payload).Count == 0);
        if (fits < 0 && schemas.Count > 0)
            throw new Refusal(new WorkflowError(ErrorTypes.Validation, 400, "Message invalid", $"The payload is none of what the operation takes: {schemas[0]!.Validate(payload, 1)[0]}"));
        var headers = HttpRequestReader.HeadersOf(message.MapOrEmpty("headers"), "/message/headers");
        if (headers.Count > 0 && !broker.HasHeaders) throw message.Invalid("headers", "cannot be sent: messages of this protocol have none.");
        var contentType = fits >= 0 && operation.Messages.Count > fits ? document.ContentTypeOf(operation.Messages[fits]) : HttpBody.Json;
        var bytes = HttpBody.Encode(payload, contentType, "/message/payload").Bytes;
        return bytes.Length <= settings.MessageBytesMax ? new BrokerMessage(bytes, contentType, headers)
            : throw Refusal.Configuration("Message too large", $"The payload has {bytes.Length} bytes, the limit is {settings.MessageBytesMax}.");
    }

    private async Task<Json> SubscribeAsync(BrokerPlace place, Inbound inbound, Consumption wanted, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var began = await context.StepAsync("began", _ => ValueTask.FromResult<Json>(context.Time.GetUtcNow().ToUnixTimeMilliseconds()), cancel);
        var left = wanted.For is { } length ? DateTimeOffset.FromUnixTimeMilliseconds((long)began.AsNumber()) + length - context.Time.GetUtcNow() : default(TimeSpan?);
        using var over = new Deadline(left is not { } some ? TimeSpan.FromMilliseconds(-1) : some > TimeSpan.Zero ? some : TimeSpan.Zero, context.Time, cancel);
        var consumed = new List<Json>();
        await using var messages = _brokers[place.Protocol].ConsumeAsync(place, redaction, over.Token).GetAsyncEnumerator(over.Token);
        try
        {
            while (!wanted.IsOver(consumed))
            {
                if (consumed.Count >= settings.MessagesMax) throw Refusal.Runtime("Too many messages", $"A subscription consumes at most {settings.MessagesMax} messages.");
                Func<CancellationToken, Task>? acknowledge = null;
                var message = await context.StepAsync(Intake.NameOf(consumed.Count), async _ =>
                {
                    while (await messages.MoveNextAsync())
                    {
                        acknowledge = messages.Current.Acknowledge;
                        if (inbound.Read(messages.Current, why => context.Live("dropped", why)) is { } read && (wanted.Filter is null || wanted.Filter.Evaluate(read).IsTruthy)) return read;
                        if (acknowledge is not null) await acknowledge(over.Token);
                    }
                    throw Refusal.Communication(502, "Connection ended", $"{place}: the connection was closed.");
                }, over.Token);
                if (acknowledge is not null) await acknowledge(over.Token);
                consumed.Add(message);
                context.Live("message", message);
                // What was begun for a message is finished though the time of the subscription is over.
                if (await context.HandledAsync(consumed.Count - 1, cancel)) break;
            }
        }
        catch (OperationCanceledException) when (over.Expired && !over.Cancelled)
        {
            // The time it lasts is over; what was consumed is the output.
        }
        return JsonArray.Of(consumed);
    }

    /// <summary>Reads what comes.</summary>
    private sealed record Inbound(AsyncApiDocument Document, AsyncApiOperation Operation, List<JsonSchema?> Schemas)
    {
        private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

        /// <returns>Null for what is none of the operation's messages.</returns>
        public Json? Read(BrokerMessage message, Action<Json> dropped)
        {
            var payload = PayloadOf(message);
            var fits = Schemas.FindIndex(s => s is null || s.Validate(payload, 1).Count == 0);
            if (fits < 0 && Schemas.Count > 0)
            {
                dropped(Json.Object("payload", payload, "why", Schemas[0]!.Validate(payload, 1)[0].ToString()));
                return null;
            }
            var headers = JsonObject.Of(message.Headers.GroupBy(h => h.Key, StringComparer.Ordinal).Select(h => KeyValuePair.Create(h.Key, Json.Of(h.Last().Value))).ToArray());
            var read = new JsonObject.Builder().Set("payload", payload).Set("headers", headers);
            var correlation = fits >= 0 && Operation.Messages.Count > fits ? Document.Resolve(Operation.Messages[fits]["correlationId"])["location"].StringOrNull : null;
            if (Located(correlation, payload, headers) is { } id) read.Set("correlationId", id);
            return read.Build();
        }

        /// <summary>A runtime expression of AsyncAPI: <c>$message.payload#/a/b</c> or <c>$message.header#/a</c>.</summary>
        private static string? Located(string? location, Json payload, Json headers)
        {
            var hash = location?.IndexOf('#', StringComparison.Ordinal) ?? -1;
            if (hash < 0) return null;
            var value = location!.StartsWith("$message.payload", StringComparison.Ordinal) ? payload : headers;
            foreach (var token in location[(hash + 1)..].Split('/').Skip(1)) value = value[Workflows.Graph.Pointer.Unescape(token)];
            return Arguments.TryScalarText(value, out var text) ? text : null;
        }

        private static Json PayloadOf(BrokerMessage message)
        {
            try
            {
                return JsonText.Parse(message.Payload.Span);
            }
            catch (JsonTextException)
            {
                try
                {
                    return Strict.GetString(message.Payload.Span);
                }
                catch (ArgumentException)
                {
                    return Convert.ToBase64String(message.Payload.Span);
                }
            }
        }
    }
}
