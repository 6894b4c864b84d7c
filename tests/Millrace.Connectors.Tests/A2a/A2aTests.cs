using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.A2a;

public sealed class A2aTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private AgentDouble _agent = null!;
    private ConnectorFunctions _functions = null!;

    private IFunction A2a => _functions.Find("a2a");

    public async ValueTask InitializeAsync()
    {
        _agent = await AgentDouble.StartAsync();
        _functions = ConnectorFunctions.Create(new ConnectorSettings(), (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _agent.DisposeAsync();
    }

    [Fact]
    public async Task An_agent_is_found_by_its_card_and_asked()
    {
        var output = await A2a.OutputAsync(_context, Card("message/send", """{"message": {"parts": [{"kind": "text", "text": "one two three"}]}}"""));
        Assert.Equal("3 words", output["parts"][0]["text"].AsString());
        var sent = JsonText.Parse(_agent.Arrived[^1].Body);
        Assert.Equal(("message/send", "user"), (sent["method"].AsString(), sent["params"]["message"]["role"].AsString()));
        Assert.True(Guid.TryParse(sent["params"]["message"]["messageId"].AsString(), out _));
    }

    [Fact]
    public async Task A_message_has_the_same_id_in_every_attempt()
    {
        for (var attempt = 0; attempt < 2; attempt++) await A2a.OutputAsync(_context, Card("message/send", """{"message": {"parts": [{"kind": "text", "text": "a"}]}}"""));
        Assert.Single(_agent.Arrived.Where(a => a.Method == "POST").Select(a => JsonText.Parse(a.Body)["params"]["message"]["messageId"].AsString()).Distinct());
    }

    [Fact]
    public async Task A_stream_is_the_list_of_its_results_in_order()
    {
        var output = await A2a.OutputAsync(_context, Card("message/stream", """{"message": {"parts": [{"kind": "text", "text": "a"}]}}"""));
        Assert.Equal(["submitted", "working", "completed"], output.AsArray().Select(r => r["status"]["state"].AsString()));
        Assert.Equal(3, _context.LiveOutput.Count(l => l.Channel == "message"));
    }

    [Fact]
    public async Task A_stream_that_breaks_off_is_gone_on_with()
    {
        var output = await A2a.OutputAsync(_context, Card("message/stream", """{"message": {"parts": [{"kind": "text", "text": "break off"}]}}"""));
        Assert.Equal(["submitted", "working", "completed"], output.AsArray().Select(r => r["status"]["state"].AsString()));
    }

    [Fact]
    public async Task An_error_of_the_agent_is_a_runtime_error()
    {
        var error = await A2a.ErrorAsync(_context, Card("tasks/get", """{"id": "t2"}"""));
        Assert.Equal((ErrorTypes.Runtime, 500), (error.Type, error.Status));
        Assert.Contains("Task not found (code -32001)", error.Detail!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tasks/list")]
    [InlineData("tasks/cancel")]
    [InlineData("tasks/pushNotificationConfig/set")]
    [InlineData("tasks/pushNotificationConfig/get")]
    [InlineData("tasks/pushNotificationConfig/list")]
    [InlineData("tasks/pushNotificationConfig/delete")]
    [InlineData("agent/getAuthenticatedExtendedCard")]
    public async Task Every_other_method_is_sent_as_it_stands(string method)
    {
        var output = await A2a.OutputAsync(_context, Card(method, """{"id": "t1"}"""));
        Assert.Equal((method, "t1"), (output["echo"]["method"].AsString(), output["echo"]["params"]["id"].AsString()));
    }

    [Fact]
    public async Task An_agent_is_asked_without_a_card()
    {
        var output = await A2a.OutputAsync(_context, $$"""{"method": "tasks/get", "server": "{{_agent.Base}}a2a/v1", "parameters": {"id": "t1"} }""");
        Assert.Equal("completed", output["status"]["state"].AsString());
    }

    [Fact]
    public async Task An_agent_that_wants_to_know_who_asks_is_told()
    {
        const string Policy = """, "authentication": {"bearer": {"token": "agent-token-1"}}""";
        Assert.Equal("Authentication missing", (await A2a.ErrorAsync(_context, At("closed-card.json", ""))).Title);
        Assert.Equal("completed", (await A2a.OutputAsync(_context, At("closed-card.json", Policy)))["status"]["state"].AsString());
        Assert.Equal("Agent elsewhere", (await A2a.ErrorAsync(_context, At("far-card.json", Policy))).Title);
    }

    [Fact]
    public async Task A_card_of_version_1_is_understood() =>
        Assert.Equal("completed", (await A2a.OutputAsync(_context, At("new-card.json", "")))["status"]["state"].AsString());

    [Fact]
    public async Task A_card_without_an_address_is_refused() =>
        Assert.Equal("Agent card invalid", (await A2a.ErrorAsync(_context, At("none-card.json", ""))).Title);

    private string Card(string method, string parameters) => $$"""{"method": "{{method}}", "agentCard": {"endpoint": "{{_agent.Card}}"}, "parameters": {{parameters}} }""";

    private string At(string card, string policy) =>
        $"{{\"method\": \"tasks/get\", \"agentCard\": {{\"endpoint\": {{\"uri\": \"{_agent.Base}{card}\"{policy}}}}}, \"parameters\": {{\"id\": \"t1\"}}}}";
}
