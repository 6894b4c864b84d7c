using Amqp;
using Amqp.Framing;
using Amqp.Types;
using Millrace.Engine.Functions;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>What RabbitMQ does not show of AMQP 1.0: termini that are kept, links that are refused, and bodies of every kind.</summary>
public sealed class Amqp1Tests : IAsyncLifetime
{
    private const string Consume2 = """, "subscription": {"consume": {"amount": 2}}""";
    private const string Say = """, "message": {"payload": {"text": "a"}}""";

    private readonly FakeFunctionContext _context = new();
    private readonly Amqp1Double _broker = new();
    private DocumentDouble _documents = null!;
    private ConnectorFunctions _functions = null!;
    private string _server = "";
    private string _address = "rooms";

    private IFunction AsyncApi => _functions.Find("asyncapi");

    public async ValueTask InitializeAsync()
    {
        _server = $"{{host: '127.0.0.1:{_broker.Port}', protocol: amqp1}}";
        _documents = await DocumentDouble.StartAsync((_, _) => $$"""
            asyncapi: 3.0.0
            servers: {main: {{_server}}}
            channels: {room: {address: {{_address}}} }
            operations: {talk: {action: send, channel: {$ref: '#/channels/room'} } }
            """);
        _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        _broker.Dispose();
        await _documents.DisposeAsync();
    }

    [Fact]
    public async Task A_terminus_is_kept_for_the_next_attempt_and_ends_with_the_subscription()
    {
        using var crash = new CancellationTokenSource();
        _context.OnLive = (channel, _) => { if (channel == "message") crash.Cancel(); };
        _broker.Say(Text("a"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AsyncApi.OutputAsync(_context, Call(Consume2), crash.Token));
        Assert.Empty(_broker.Detached);
        _context.OnLive = null;
        _broker.Say(Text("b"));
        var output = await AsyncApi.OutputAsync(_context, Call(Consume2));
        Assert.Equal(["a", "b"], output.AsArray().Select(m => m["payload"].AsString()));
        Assert.True(Assert.Single(_broker.Detached).Closed);
        Assert.Equal((2, 1), (_broker.Attached.Count, _broker.Attached.Select(a => a.LinkName).Distinct().Count()));
        Assert.Single(_broker.Containers.Distinct());
        var source = (Source)_broker.Attached[0].Source;
        Assert.Equal((1u, "link-detach", 86_400u), (source.Durable, (string)source.ExpiryPolicy, source.Timeout));
    }

    [Theory]
    [InlineData("nowhere", 404)]
    [InlineData("secret", 403)]
    public async Task A_link_that_is_refused_is_told(string address, int status)
    {
        _address = address;
        Assert.Equal((ErrorTypes.Communication, status), (await AsyncApi.ErrorAsync(_context, Call(Say)) is var said ? (said.Type, said.Status) : default));
        Assert.Equal((ErrorTypes.Communication, status), (await AsyncApi.ErrorAsync(_context, Call(Consume2)) is var told ? (told.Type, told.Status) : default));
    }

    [Fact]
    public async Task Bodies_of_every_kind_are_read()
    {
        var data = new DataList();
        data.Add(new Data { Binary = "[1,"u8.ToArray() });
        data.Add(new Data { Binary = "2]"u8.ToArray() });
        _broker.Say(new Message { BodySection = data });
        _broker.Say(new Message(new Map { ["whole"] = 7L, ["list"] = new List { 1.5, true, null!, new byte[] { 1, 2 } } }));
        _broker.Say(new Message { BodySection = new Data { Binary = new byte[700_000] } });
        var output = await AsyncApi.OutputAsync(_context, Call(Consume2.Replace("2", "3", StringComparison.Ordinal)));
        Assert.Equal("""[[1,2],{"whole":7,"list":[1.5,true,null,"AQI="]}]""", Millrace.Jq.Json.Array(output[0]["payload"], output[1]["payload"]).ToString());
        Assert.Equal(700_000, output[2]["payload"].AsString().Length);
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_told()
    {
        _broker.Say(new Message { BodySection = new Data { Binary = new byte[(1 << 20) + 1] } });
        Assert.Equal("Message too large", (await AsyncApi.ErrorAsync(_context, Call(Consume2))).Title);
        // What is far too large is not even read to its end.
        _broker.Say(new Message { BodySection = new Data { Binary = new byte[9 << 20] } });
        Assert.Contains("came for one message", (await AsyncApi.ErrorAsync(_context, Call(Consume2))).Detail, StringComparison.Ordinal);
    }

    private static Message Text(string text) => new(text);

    private string Call(string more) => $"{{\"document\": {{\"endpoint\": \"{_documents.Base}docs/v3.yaml\"}}, \"operation\": \"talk\"{more}}}";
}
