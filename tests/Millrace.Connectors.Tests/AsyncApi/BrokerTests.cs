using System.Net;
using System.Net.Sockets;
using Millrace.Connectors.Http;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>Against rabbitmq-server, nats-server, the cluster that Kafka's library brings for tests, and queues that speak the protocol of SQS.</summary>
public sealed class BrokerTests(RabbitServer rabbit) : IAsyncLifetime, IClassFixture<RabbitServer>
{
    private const string Consume2 = """, "subscription": {"consume": {"amount": 2}}""";
    private const string Consume8Later = """, "subscription": {"consume": {"until": {"source": "[.[].payload.text | select(startswith(\"later\"))] | unique | length == 8", "variables": {}}}}""";

    private const string Guest = """, "authentication": {"basic": {"username": "guest", "password": "guest"}}""";

    private readonly FakeFunctionContext _context = new();
    private readonly string _name = $"rooms.{Guid.NewGuid():N}";
    private DocumentDouble _documents = null!;
    private ConnectorFunctions _functions = null!;
    private string _server = "";
    private string _bindings = "{}";
    private string? _address;

    private IFunction AsyncApi => _functions.Find("asyncapi");

    public async ValueTask InitializeAsync()
    {
        _documents = await DocumentDouble.StartAsync((_, _) => Document());
        _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _documents.DisposeAsync();
    }

    [Fact]
    public async Task Messages_and_headers_go_there_and_back_by_nats()
    {
        await using var nats = await NatsServer.StartAsync("--user", "ada", "--pass", "pass-4711");
        _server = $"{{host: '127.0.0.1:{nats.Port}', protocol: nats}}";
        await ThereAndBackAsync(""", "authentication": {"basic": {"username": "ada", "password": "pass-4711"}}""");
        var error = await AsyncApi.ErrorAsync(_context, Call(Message("a") + """, "authentication": {"basic": {"username": "ada", "password": "wrong-one"}}"""));
        Assert.Equal((ErrorTypes.Communication, 401), (error.Type, error.Status));
        Assert.DoesNotContain("wrong-one", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_by_nats_whose_server_goes_is_told()
    {
        var nats = await NatsServer.StartAsync();
        _server = $"{{host: '127.0.0.1:{nats.Port}', protocol: nats}}";
        var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _context.OnLive = (channel, _) => { if (channel == "message") came.TrySetResult(); };
        var subscription = AsyncApi.ErrorAsync(_context, Call(Consume2.Replace("2", "10000", StringComparison.Ordinal)));
        while (!came.Task.IsCompleted) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message("a")));
        await nats.DisposeAsync();
        Assert.Equal(502, (await subscription).Status);
    }

    [Fact]
    public async Task Messages_and_headers_go_there_and_back_by_kafka()
    {
        using var kafka = new KafkaDouble();
        _server = $"{{host: '127.0.0.1:{kafka.Port}', protocol: kafka}}";
        await ThereAndBackAsync("");
    }

    [Fact]
    public async Task A_subscription_by_kafka_goes_on_after_a_crash_where_it_was()
    {
        using var kafka = new KafkaDouble();
        _server = $"{{host: '127.0.0.1:{kafka.Port}', protocol: kafka}}";
        // Of several partitions, as the topic has, none is ahead of another.
        await GoesOnAsync(inOrder: false);
    }

    [Fact]
    public async Task Nobody_there_is_told_by_each_protocol()
    {
        foreach (var protocol in (string[])["amqp", "amqp1", "nats", "kafka", "sqs"])
        {
            _server = $"{{host: '127.0.0.1:9', protocol: {protocol}}}";
            using var functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
            Assert.Equal((protocol, 503), (protocol, (await functions.Find("asyncapi").ErrorAsync(new FakeFunctionContext(), Call(Message("a") + (protocol == "sqs" ? Key() : "")))).Status));
        }
    }

    [Theory]
    [InlineData("amqp1", """, "message": {"payload": {"text": "a"} }""", 504)]
    [InlineData("amqp1", Consume2, 503)]
    [InlineData("sqs", """, "message": {"payload": {"text": "a"} }""", 504)]
    [InlineData("sqs", Consume2, 503)]
    public async Task A_broker_that_says_nothing_is_not_waited_for_any_longer(string protocol, string more, int status)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _server = $"{{host: '127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}', protocol: {protocol}}}";
        var settings = new ConnectorSettings { AsyncApi = new() { TimeLimit = TimeSpan.FromSeconds(1) } };
        using var functions = ConnectorFunctions.Create(settings, (_, _) => ValueTask.CompletedTask);
        var error = await functions.Find("asyncapi").ErrorAsync(_context, Call(more + Key()));
        Assert.Equal((ErrorTypes.Communication, status), (error.Type, error.Status));
    }

    [Fact]
    public async Task A_message_for_a_queue_waits_there_by_amqp()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp}}";
        _bindings = $"{{amqp: {{is: queue, queue: {{name: {_name}}} }} }}";
        Assert.Equal(404, (await AsyncApi.ErrorAsync(_context, Call(Message("a")))).Status);
        Assert.Equal(404, (await AsyncApi.ErrorAsync(_context, Call(Consume2))).Status);
        await using (var broker = await new RabbitMQ.Client.ConnectionFactory { Port = rabbit.Port, HostName = "127.0.0.1" }.CreateConnectionAsync(TestContext.Current.CancellationToken))
        await using (var channel = await broker.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken))
            await channel.QueueDeclareAsync(_name, durable: true, exclusive: false, autoDelete: false, cancellationToken: TestContext.Current.CancellationToken);
        foreach (var text in (string[])["a", "b", "c"]) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message(text)));
        Assert.Equal(["a", "b"], Texts(await AsyncApi.OutputAsync(_context, Call(Consume2))));
        // What was sent and not consumed is still the queue's.
        Assert.Equal(["c"], Texts(await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Consume2.Replace("2", "1", StringComparison.Ordinal)))));
    }

    [Fact]
    public async Task Messages_and_headers_go_there_and_back_by_amqp()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp}}";
        _bindings = "{amqp: {is: routingKey, exchange: {name: amq.topic, type: topic} } }";
        await ThereAndBackAsync(""", "authentication": {"basic": {"username": "guest", "password": "guest"}}""");
        Assert.Equal(401, (await AsyncApi.ErrorAsync(_context, Call(Message("a") + """, "authentication": {"basic": {"username": "guest", "password": "wrong-one"}}"""))).Status);
    }

    [Fact]
    public async Task A_subscription_by_amqp_goes_on_after_a_crash_where_it_was()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp}}";
        _bindings = "{amqp: {exchange: {name: amq.topic, type: topic} } }";
        await GoesOnAsync();
    }

    [Fact]
    public async Task Messages_and_headers_go_there_and_back_by_amqp1()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp1}}";
        await ThereAndBackAsync(Guest);
        var error = await AsyncApi.ErrorAsync(_context, Call(Message("a") + Guest.Replace("\"guest\"}}", "\"wrong-one\"}}", StringComparison.Ordinal)));
        Assert.Equal((ErrorTypes.Communication, 401), (error.Type, error.Status));
        Assert.DoesNotContain("wrong-one", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_of_amqp1_may_let_nobody_in_particular_in()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp1}}";
        await ThereAndBackAsync("");
    }

    [Fact]
    public async Task An_address_that_a_broker_of_amqp1_does_not_know_is_told()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp1}}";
        _address = $"/exchange/{_name}/a";
        Assert.Equal(404, (await AsyncApi.ErrorAsync(_context, Call(Message("a") + Guest))).Status);
        Assert.Equal(404, (await AsyncApi.ErrorAsync(_context, Call(Consume2 + Guest))).Status);
    }

    [Fact]
    public async Task A_subscription_by_amqp1_takes_no_more_than_it_consumes()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp1}}";
        foreach (var text in (string[])["a", "b", "c"]) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message(text) + Guest));
        List<string> others = [];
        _context.Handles = _ => true;
        _context.Meanwhile = async _ => others = Texts(await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Consume2 + Guest)));
        Assert.Equal(["a"], Texts(await AsyncApi.OutputAsync(_context, Call(Consume2 + Guest))));
        // While the first one was at its message, another one got those that follow.
        Assert.Equal(["b", "c"], others);
    }

    [Fact]
    public async Task A_subscription_by_amqp1_goes_on_after_a_crash_where_it_was()
    {
        _server = $"{{host: '127.0.0.1:{rabbit.Port}', protocol: amqp1}}";
        await GoesOnAsync(more: Guest);
    }

    [Fact]
    public async Task Messages_and_headers_go_there_and_back_by_sqs()
    {
        await using var sqs = await SqsDouble.StartAsync(_name);
        _server = $"{{host: '{sqs.Base.Authority}', protocol: sqs}}";
        await ThereAndBackAsync(Key());
        foreach (var wrong in (string[])[Key(id: "AKIANOBODY"), Key(secret: "wrong-one")])
        {
            var error = await AsyncApi.ErrorAsync(_context, Call(Message("a") + wrong));
            Assert.Equal((ErrorTypes.Communication, 401), (error.Type, error.Status));
            Assert.DoesNotContain("wrong-one", error.Detail!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_subscription_by_sqs_goes_on_after_a_crash_where_it_was()
    {
        await using var sqs = await SqsDouble.StartAsync(_name);
        _server = $"{{host: '{sqs.Base.Authority}', protocol: sqs}}";
        // What the first attempt was sent when it died is hidden for a while, and others pass it by.
        await GoesOnAsync(inOrder: false, Key());
    }

    [Fact]
    public async Task A_queue_of_sqs_is_named_by_the_binding_and_may_be_an_accounts()
    {
        await using var sqs = await SqsDouble.StartAsync("greetings");
        _server = $"{{host: '{sqs.Base.Authority}', protocol: sqs, pathname: /123456789012}}";
        Assert.Equal(404, (await AsyncApi.ErrorAsync(_context, Call(Message("a") + Key()))).Status);
        _bindings = "{sqs: {queue: {name: greetings, fifoQueue: false} } }";
        using var functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
        await functions.Find("asyncapi").OutputAsync(_context, Call(Message("a") + Key()));
        Assert.Contains("123456789012/greetings", sqs.Arrived[^1].Body, StringComparison.Ordinal);
        Assert.DoesNotContain(sqs.Arrived, a => a.Headers["X-Amz-Target"] == "AmazonSQS.GetQueueUrl");
    }

    [Fact]
    public async Task A_queue_of_sqs_that_is_in_order_is_told_the_steps_key()
    {
        _address = $"{_name.Replace('.', '-')}.fifo";
        await using var sqs = await SqsDouble.StartAsync(_address);
        _server = $"{{host: '{sqs.Base.Authority}', protocol: sqs}}";
        await AsyncApi.OutputAsync(_context, Call(Message("a") + Key()));
        var sent = JsonText.Parse(sqs.Arrived[^1].Body);
        Assert.Equal((_context.IdempotencyKey, "millrace"), (sent["MessageDeduplicationId"].AsString(), sent["MessageGroupId"].AsString()));
    }

    [Theory]
    [InlineData("sqs.eu-west-1.amazonaws.com", "eu-west-1")]
    [InlineData("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1")]
    [InlineData("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1")]
    [InlineData("vpce-1.sqs.us-east-2.vpce.amazonaws.com", "us-east-2")]
    [InlineData("sqs.example.com", "us-east-1")]
    [InlineData("127.0.0.1", "us-east-1")]
    public void The_region_of_sqs_is_in_the_servers_name(string host, string region) => Assert.Equal(region, Connectors.AsyncApi.SqsBroker.RegionOf(host));

    [Theory]
    [InlineData("""{"payload": {"text": "a"}, "headers": {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6", "g": "7", "h": "8", "i": "9", "j": "10"}}""", "/message/headers")]
    [InlineData("""{"payload": {"text": "a"}, "headers": {"AWS.a": "1"}}""", "/message/headers/AWS.a")]
    [InlineData("""{"payload": {"text": "a"}, "headers": {"a": ""}}""", "/message/headers/a")]
    [InlineData("""{"payload": {"text": "\uFFFE"}}""", "/message/payload")]
    public async Task What_sqs_cannot_send_is_told(string message, string told)
    {
        _server = "{host: '127.0.0.1:9', protocol: sqs}";
        var error = await AsyncApi.ErrorAsync(_context, Call($", \"message\": {message}{Key()}"));
        Assert.Equal((ErrorTypes.Configuration, "Argument invalid"), (error.Type, error.Title));
        Assert.Contains(told, error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sqs_asks_for_a_key_and_looks_for_none()
    {
        _server = "{host: 'sqs.eu-west-1.amazonaws.com', protocol: sqs}";
        var error = await AsyncApi.ErrorAsync(_context, Call(Message("a")));
        Assert.Equal((ErrorTypes.Configuration, "Authentication missing"), (error.Type, error.Title));
    }

    [Theory]
    [InlineData("amqp")]
    [InlineData("amqp1")]
    [InlineData("sqs")]
    [InlineData("kafka")]
    public async Task Credentials_of_a_kind_that_a_protocol_does_not_know_are_refused(string protocol)
    {
        _server = $"{{host: '127.0.0.1:9', protocol: {protocol}}}";
        var error = await AsyncApi.ErrorAsync(_context, Call(Message("a") + """, "authentication": {"bearer": {"token": "t"}}"""));
        Assert.Equal((ErrorTypes.Configuration, "Authentication unsupported"), (error.Type, error.Title));
    }

    private async Task ThereAndBackAsync(string more)
    {
        var subscription = AsyncApi.OutputAsync(_context, Call(Consume2 + more));
        // Who publishes before the other one listens has nobody who hears it.
        while (!subscription.IsCompleted) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message("a") + more));
        var output = await subscription;
        Assert.Equal(["a", "a"], Texts(output));
        Assert.Equal(("bar", "7"), (output[0]["headers"]["foo"].AsString(), output[0]["correlationId"].AsString()));
    }

    /// <summary>The first attempt dies with its first message on disk; what is published then, and when nobody is there, the second one gets.</summary>
    private async Task GoesOnAsync(bool inOrder = true, string more = "")
    {
        using var crash = new CancellationTokenSource();
        _context.OnLive = (channel, _) => { if (channel == "message") crash.Cancel(); };
        var first = AsyncApi.OutputAsync(_context, Call(Consume2 + more), crash.Token);
        var sent = 0;
        while (!first.IsCompleted) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message($"{sent++}") + more));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _context.OnLive = null;
        var consumed = _context.LiveOutput.Single(l => l.Channel == "message").Data["payload"]["text"].AsString();
        for (var later = 0; later < 8; later++) await AsyncApi.OutputAsync(new FakeFunctionContext(), Call(Message($"later {later}") + more));
        var output = Texts(await AsyncApi.OutputAsync(_context, Call(Consume8Later + more)));
        Assert.Equal(consumed, output[0]);
        // At least once: the one that the first attempt had consumed may come again, and none is passed over.
        Assert.Equal(8, output.Distinct().Count(text => text.StartsWith("later", StringComparison.Ordinal)));
        if (inOrder)
            Assert.True(output[1].StartsWith("later", StringComparison.Ordinal) || int.Parse(output[1], System.Globalization.CultureInfo.InvariantCulture) <= int.Parse(consumed, System.Globalization.CultureInfo.InvariantCulture) + 1, $"{consumed}, then {output[1]} of {sent}");
    }

    private static string Key(string id = SqsDouble.Key, string secret = SqsDouble.Secret) => $$""", "authentication": {"basic": {"username": "{{id}}", "password": "{{secret}}"} }""";

    private static string Message(string text) => $$""", "message": {"payload": {"text": "{{text}}", "id": "7"}, "headers": {"foo": "bar"} }""";

    private static List<string> Texts(Json output) => [.. output.AsArray().Select(m => m["payload"]["text"].AsString())];

    private string Call(string more) => $"{{\"document\": {{\"endpoint\": \"{_documents.Base}docs/v3.yaml\"}}, \"operation\": \"talk\"{more}}}";

    private string Document() => $$"""
        asyncapi: 3.0.0
        servers: {main: {{_server}}}
        channels: {room: {address: {{_address ?? _name}}, bindings: {{_bindings}}, messages: {text: {correlationId: {location: $message.payload#/id}, payload: {type: object, required: [text]} } } } }
        operations: {talk: {action: send, channel: {$ref: '#/channels/room'} } }
        """;
}
