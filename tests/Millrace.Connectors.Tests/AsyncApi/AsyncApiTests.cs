using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>Against a broker of MQTT, redis-server, and services that speak HTTP and WebSocket.</summary>
public sealed class AsyncApiTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private readonly List<IAsyncDisposable> _started = [];
    private DocumentDouble _documents = null!;
    private ConnectorFunctions _functions = null!;
    private int _port;

    private IFunction AsyncApi => _functions.Find("asyncapi");

    public async ValueTask InitializeAsync()
    {
        _documents = Add(await DocumentDouble.StartAsync((d, name) => Document(d.Base.Authority, name)));
        _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        foreach (var part in _started) await part.DisposeAsync();
    }

    [Theory]
    [InlineData("v3.yaml", "\"operation\": \"greet\"")]
    [InlineData("v2.json", "\"channel\": \"greetings\"")]
    public async Task A_message_is_published_by_http(string document, string which)
    {
        await AsyncApi.OutputAsync(_context, Call(document, which, """, "protocol": "http", "message": {"payload": {"text": "Hello"}, "headers": {"foo": "bar"}}, "authentication": {"bearer": {"token": "tok-en"}}"""));
        var arrived = _documents.Arrived[^1];
        Assert.Equal(("""{"text":"Hello"}""", "bar", "Bearer tok-en", "application/json"), (arrived.Body, arrived.Headers["foo"], arrived.Headers["Authorization"], arrived.Headers["Content-Type"]));
    }

    [Theory]
    [InlineData("""{"text": 5}""")]
    [InlineData("""{}""")]
    public async Task A_payload_that_is_not_what_the_document_says_is_refused(string payload)
    {
        var error = await AsyncApi.ErrorAsync(_context, Call("v3.yaml", "\"operation\": \"greet\"", $", \"protocol\": \"http\", \"message\": {{\"payload\": {payload}}}"));
        Assert.Equal((ErrorTypes.Validation, 400), (error.Type, error.Status));
    }

    [Fact]
    public async Task Messages_come_by_websocket_until_there_are_enough()
    {
        foreach (var text in (string[])["a", "b", "c"]) _documents.Say($$"""{"text": "{{text}}"}""");
        var output = await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"chat\"", """, "subscription": {"consume": {"amount": 2}}"""));
        Assert.Equal(["a", "b"], output.AsArray().Select(m => m["payload"]["text"].AsString()));
    }

    [Fact]
    public async Task A_message_is_published_by_websocket()
    {
        await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"hear\"", """, "message": {"payload": {"text": "Hello"}}"""));
        Assert.Equal("""{"text":"Hello"}""", await _documents.HeardAsync());
    }

    [Fact]
    public async Task A_filter_and_a_condition_read_messages_and_variables()
    {
        foreach (var text in (string[])["a", "other", "b", "last", "c"]) _documents.Say($$"""{"text": "{{text}}"}""");
        var output = await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"chat\"", """
            , "subscription": {"filter": {"source": ".payload.text != $context.not", "variables": {"context": {"not": "other"}}},
                               "consume": {"until": {"source": "any(.[]; .payload.text == \"last\")", "variables": {}}}}
            """));
        Assert.Equal(["a", "b", "last"], output.AsArray().Select(m => m["payload"]["text"].AsString()));
    }

    [Fact]
    public async Task What_is_none_of_the_messages_is_left_out_and_shown()
    {
        _documents.Say("""{"text": 5}""");
        _documents.Say("""{"text": "a"}""");
        var output = await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"chat\"", """, "subscription": {"consume": {"amount": 1}}"""));
        Assert.Equal("a", output[0]["payload"]["text"].AsString());
        Assert.Single(_context.LiveOutput, l => l.Channel == "dropped");
    }

    [Fact]
    public async Task The_next_message_is_taken_when_the_one_before_is_done_with()
    {
        foreach (var text in (string[])["a", "b", "c"]) _documents.Say($$"""{"text": "{{text}}"}""");
        var handled = new List<int>();
        _context.Handles = item =>
        {
            handled.Add(item);
            Assert.Equal(item + 1, _context.LiveOutput.Count(l => l.Channel == "message"));
            return item == 1;
        };
        var output = await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"chat\"", """, "subscription": {"consume": {}}"""));
        Assert.Equal(["a", "b"], output.AsArray().Select(m => m["payload"]["text"].AsString()));
        Assert.Equal([0, 1], handled);
    }

    [Fact]
    public async Task When_its_time_is_over_a_subscription_gives_what_came()
    {
        _documents.Say("""{"text": "a"}""");
        var output = await AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"chat\"", """, "subscription": {"consume": {"amount": 5, "for": {"milliseconds": 700}}}"""));
        Assert.Equal(["a"], output.AsArray().Select(m => m["payload"]["text"].AsString()));
    }

    [Fact]
    public async Task What_was_consumed_before_a_crash_is_not_waited_for_again()
    {
        _documents.Say("""{"text": "a"}""");
        using var crash = new CancellationTokenSource();
        _context.OnLive = (channel, _) => { if (channel == "message") crash.Cancel(); };
        var call = Call("v3.yaml", "\"operation\": \"chat\"", """, "subscription": {"consume": {"amount": 2}}""");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AsyncApi.OutputAsync(_context, call, crash.Token));
        _context.OnLive = null;
        await _documents.LeftAsync();
        _documents.Say("""{"text": "b"}""");
        Assert.Equal(["a", "b"], (await AsyncApi.OutputAsync(_context, call)).AsArray().Select(m => m["payload"]["text"].AsString()));
    }

    [Theory]
    [InlineData("mqtt", "")]
    [InlineData("mqtt5", """, "headers": {"foo": "bar"}""")]
    public async Task Messages_go_there_and_back_by_mqtt(string protocol, string headers)
    {
        var broker = Add(await MqttDouble.StartAsync());
        _port = broker.Port;
        var subscribed = broker.Subscribed();
        var subscription = AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"topic\"", $", \"protocol\": \"{protocol}\", \"subscription\": {{\"consume\": {{\"amount\": 2}}}}"));
        await subscribed;
        foreach (var text in (string[])["a", "b"])
            await AsyncApi.OutputAsync(new FakeFunctionContext(), Call("v3.yaml", "\"operation\": \"topic\"", $$""", "protocol": "{{protocol}}", "message": {"payload": {"text": "{{text}}", "id": "7"}{{headers}}}"""));
        var output = await subscription;
        Assert.Equal(["a", "b"], output.AsArray().Select(m => m["payload"]["text"].AsString()));
        Assert.Equal("7", output[0]["correlationId"].AsString());
        if (headers.Length > 0) Assert.Equal("bar", output[0]["headers"]["foo"].AsString());
    }

    [Fact]
    public async Task Messages_go_there_and_back_by_redis()
    {
        var redis = Add(await RedisDouble.StartAsync("pass-4711"));
        _port = redis.Port;
        const string Policy = """, "protocol": "redis", "authentication": {"basic": {"username": "default", "password": "pass-4711"}}""";
        var subscription = AsyncApi.OutputAsync(_context, Call("v3.yaml", "\"operation\": \"topic\"", Policy + """, "subscription": {"consume": {"amount": 1}}"""));
        // Who publishes before the other one listens has nobody who hears it.
        while (!subscription.IsCompleted)
            await AsyncApi.OutputAsync(new FakeFunctionContext(), Call("v3.yaml", "\"operation\": \"topic\"", Policy + """, "message": {"payload": {"text": "a"}}"""));
        Assert.Equal("a", (await subscription)[0]["payload"]["text"].AsString());
        Assert.Equal(401, (await AsyncApi.ErrorAsync(_context, Call("v3.yaml", "\"operation\": \"topic\"", Policy.Replace("pass-4711", "wrong-one", StringComparison.Ordinal) + """, "message": {"payload": {"text": "a"}}"""))).Status);
    }

    [Theory]
    [InlineData("\"operation\": \"absent\"", """, "message": {"payload": {"text": "a"}}""", "it has greet")]
    [InlineData("\"channel\": \"chat\"", """, "message": {"payload": {"text": "a"}}""", "named by 'operation'")]
    [InlineData("\"operation\": \"far\"", """, "message": {"payload": {"text": "a"}}""", "pulsar")]
    [InlineData("\"operation\": \"topic\"", """, "protocol": "redis", "message": {"payload": {"text": "a"}, "headers": {"a": "b"}}""", "/message/headers")]
    [InlineData("\"operation\": \"greet\"", """, "protocol": "http", "subscription": {"consume": {"amount": 1}}""", "nothing can be subscribed to by http")]
    public async Task What_cannot_be_called_is_told(string which, string more, string told)
    {
        var error = await AsyncApi.ErrorAsync(_context, Call("v3.yaml", which, more));
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(told, error.Detail!, StringComparison.Ordinal);
    }

    private T Add<T>(T part) where T : IAsyncDisposable
    {
        _started.Add(part);
        return part;
    }

    private string Call(string document, string which, string more) => $"{{\"document\": {{\"endpoint\": \"{_documents.Base}docs/{document}\"}}, {which}{more}}}";

    private string Document(string authority, string name) => name == "v2.json" ? $$"""
        {"asyncapi": "2.6.0", "servers": {"web": {"url": "http://{{authority}}/{path}", "protocol": "http", "variables": {"path": {"default": "base"} } } },
         "channels": {"greetings": {"publish": {"message": {"$ref": "#/components/messages/greeting"} } } },
         "components": {"messages": {"greeting": {"payload": {"$ref": "#/components/schemas/text"} } }, "schemas": {"text": {"type": "object", "required": ["text"]} } } }
        """ : $$"""
        asyncapi: 3.0.0
        servers:
          web: {host: "{{authority}}", protocol: http, pathname: /base}
          socket: {host: "{{authority}}", protocol: ws, pathname: /base}
          mqtt: {host: "127.0.0.1:{{_port}}", protocol: mqtt}
          mqtt5: {host: "127.0.0.1:{{_port}}", protocol: mqtt, protocolVersion: '5.0'}
          redis: {host: "127.0.0.1:{{_port}}", protocol: redis}
          far: {host: "127.0.0.1:9", protocol: pulsar}
        channels:
          greetings: {address: greetings, servers: [{$ref: '#/servers/web'}], messages: {text: {$ref: '#/components/messages/text'} } }
          chat: {address: chat, servers: [{$ref: '#/servers/socket'}], messages: {text: {$ref: '#/components/messages/text'} } }
          hear: {address: hear, servers: [{$ref: '#/servers/socket'}], messages: {text: {$ref: '#/components/messages/text'} } }
          topic: {address: rooms/1, messages: {text: {$ref: '#/components/messages/text'} } }
          far: {address: far, servers: [{$ref: '#/servers/far'}]}
        operations:
          greet: {action: receive, channel: {$ref: '#/channels/greetings'} }
          chat: {action: send, channel: {$ref: '#/channels/chat'} }
          hear: {action: receive, channel: {$ref: '#/channels/hear'} }
          topic: {action: send, channel: {$ref: '#/channels/topic'} }
          far: {action: send, channel: {$ref: '#/channels/far'} }
        components:
          messages:
            text:
              correlationId: {location: $message.payload#/id}
              payload: {$ref: '#/components/schemas/text'}
          schemas:
            text: {type: object, required: [text], properties: {text: {$ref: '#/components/schemas/word'} } }
            word: {type: string}
        """;
}
