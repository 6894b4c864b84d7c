using Millrace.Connectors.Events;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Events;

public sealed class EmitTests : IDisposable
{
    private readonly List<EmittedEvent> _published = [];
    private readonly FakeFunctionContext _context = new() { Clock = new ManualTime() };
    private readonly ConnectorFunctions _functions;

    public EmitTests() => _functions = ConnectorFunctions.Create(new ConnectorSettings { Events = new EventSettings { EventBytesMax = 1000 } }, (emitted, _) =>
    {
        _published.Add(emitted);
        return ValueTask.CompletedTask;
    });

    private IFunction Emit => _functions.Find("emit");

    [Fact]
    public async Task The_output_is_the_event_as_it_was_published()
    {
        var output = await Emit.OutputAsync(_context,
            """{"source": "https://fake-source.com", "type": "com.fake-source.user.greeted.v1", "data": {"greetings": "Hello John Doe!"}}""");
        var published = Assert.Single(_published);
        Assert.Equal(output, published.Event);
        Assert.Equal((_context.Workspace, _context.Run), (published.Workspace, published.Run));
        Assert.Equal(("1.0", "https://fake-source.com", "com.fake-source.user.greeted.v1", "application/json", "2026-11-20T12:00:00.000000Z"),
            (output["specversion"].AsString(), output["source"].AsString(), output["type"].AsString(), output["datacontenttype"].AsString(), output["time"].AsString()));
        Assert.Equal("Hello John Doe!", output["data"]["greetings"].AsString());
    }

    [Fact]
    public async Task A_repeated_attempt_has_the_same_id_and_another_run_another()
    {
        var first = await Emit.OutputAsync(_context, """{"type": "t"}""");
        var second = await Emit.OutputAsync(_context, """{"type": "t"}""");
        var other = await Emit.OutputAsync(new FakeFunctionContext(), """{"type": "t"}""");
        Assert.Equal(first["id"], second["id"]);
        Assert.NotEqual(first["id"], other["id"]);
        Assert.True(Guid.TryParse(first["id"].AsString(), out _));
    }

    [Fact]
    public async Task What_the_author_sets_wins()
    {
        var output = await Emit.OutputAsync(_context, """
            {"id": "mine", "type": "t", "source": "/s", "time": "2026-01-02T03:04:05+01:00", "subject": "sub", "datacontenttype": "text/plain",
             "dataschema": "https://example.org/schema", "data": "text", "partitionkey": "p", "sampled": true, "number": 7, "nothing": null}
            """);
        Assert.Equal("""
            {"specversion":"1.0","id":"mine","source":"/s","type":"t","time":"2026-01-02T03:04:05+01:00","subject":"sub","datacontenttype":"text/plain","dataschema":"https://example.org/schema","partitionkey":"p","sampled":true,"number":7,"data":"text"}
            """.Trim(), output.ToString());
    }

    [Theory]
    [InlineData("{}", "/type")]
    [InlineData("""{"type": ""}""", "/type")]
    [InlineData("""{"type": 3}""", "/type")]
    [InlineData("""{"type": "t", "id": ""}""", "/id")]
    [InlineData("""{"type": "t", "specversion": "0.3"}""", "/specversion")]
    [InlineData("""{"type": "t", "source": "not a uri"}""", "/source")]
    [InlineData("""{"type": "t", "time": "2026-01-02"}""", "/time")]
    [InlineData("""{"type": "t", "time": "2026-13-02T00:00:00Z"}""", "/time")]
    [InlineData("""{"type": "t", "datacontenttype": "plain"}""", "/datacontenttype")]
    [InlineData("""{"type": "t", "Upper": "x"}""", "/Upper")]
    [InlineData("""{"type": "t", "data_base64": "x"}""", "/data_base64")]
    [InlineData("""{"type": "t", "fraction": 1.5}""", "/fraction")]
    [InlineData("""{"type": "t", "nested": {}}""", "/nested")]
    public async Task What_is_no_event_is_refused_with_its_place_and_not_published(string arguments, string place)
    {
        var error = await Emit.ErrorAsync(_context, arguments);
        Assert.Equal(ErrorTypes.Configuration, error.Type);
        Assert.Contains(place, error.Detail);
        Assert.Empty(_published);
    }

    [Fact]
    public async Task An_event_over_the_limit_is_refused()
    {
        var error = await Emit.ErrorAsync(_context, Json.Object("type", "t", "data", new string('x', 1000)).ToString());
        Assert.Equal("Event too large", error.Title);
    }

    public void Dispose() => _functions.Dispose();
}
