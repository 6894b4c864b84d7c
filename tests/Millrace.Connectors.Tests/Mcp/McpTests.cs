using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests.Mcp;

/// <summary>By HTTP against the protocol's library for C#, by stdio against its reference server for Node.js.</summary>
public sealed class McpTests : IAsyncLifetime
{
    private readonly FakeFunctionContext _context = new();
    private McpDouble _server = null!;
    private ConnectorFunctions _functions = null!;

    private IFunction Mcp => _functions.Find("mcp");

    public async ValueTask InitializeAsync()
    {
        _server = await McpDouble.StartAsync();
        _functions = ConnectorFunctions.Create(new ConnectorSettings { Process = new ProcessSettings { Allowed = true } }, (_, _) => ValueTask.CompletedTask);
    }

    public async ValueTask DisposeAsync()
    {
        _functions.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_tool_is_called_by_http()
    {
        var output = await Mcp.OutputAsync(_context, Http("tools/call", """{"name": "add", "arguments": {"a": 2, "b": 40}}"""));
        Assert.Equal("42", output["content"][0]["text"].AsString());
        Assert.Contains(_server.Arrived, a => a.Method == "POST" && a.Body.Contains("\"clientInfo\":{\"name\":\"millrace\"", StringComparison.Ordinal));
        Assert.Contains(_server.Arrived, a => a.Body.Contains("notifications/initialized", StringComparison.Ordinal) && a.Headers["MCP-Protocol-Version"] == "2025-06-18");
        Assert.Contains(_server.Arrived, a => a.Body.Contains($"\"millrace/idempotency-key\":\"{_context.IdempotencyKey}\"", StringComparison.Ordinal));
        Assert.Contains(_server.Arrived, a => a.Method == "DELETE" && a.Headers.ContainsKey("Mcp-Session-Id"));
    }

    [Theory]
    [InlineData("tools/list", null, "tools")]
    [InlineData("prompts/list", null, "prompts")]
    [InlineData("prompts/get", """{"name": "greet", "arguments": {"name": "Ada"}}""", "messages")]
    public async Task Every_method_gives_its_result(string method, string? parameters, string member) =>
        Assert.True((await Mcp.OutputAsync(_context, Http(method, parameters)))[member].AsArray().Count > 0);

    [Fact]
    public async Task The_author_says_who_the_client_is_and_what_version_it_speaks()
    {
        await Mcp.OutputAsync(_context, Http("tools/list", null, """, "protocolVersion": "2025-03-26", "client": {"name": "synapse", "version": "9"}"""));
        Assert.Contains(_server.Arrived, a => a.Body.Contains("\"protocolVersion\":\"2025-03-26\"", StringComparison.Ordinal) && a.Body.Contains("{\"name\":\"synapse\",\"version\":\"9\"}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Progress_is_shown_while_the_tool_works()
    {
        await Mcp.OutputAsync(_context, Http("tools/call", """{"name": "count", "arguments": {"to": 3}, "_meta": {"progressToken": "p"}}"""));
        Assert.Equal([1, 2, 3], _context.LiveOutput.Where(l => l.Channel == "progress").Select(l => (int)l.Data["progress"].AsNumber()));
    }

    [Fact]
    public async Task An_error_of_the_server_is_a_runtime_error()
    {
        var error = await Mcp.ErrorAsync(_context, Http("tools/call", """{"name": "absent"}"""));
        Assert.Equal((ErrorTypes.Runtime, 500), (error.Type, error.Status));
        Assert.Contains("absent", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_that_fails_has_given_a_result() =>
        Assert.True((await Mcp.OutputAsync(_context, Http("tools/call", """{"name": "broken"}""")))["isError"].AsBoolean());

    [Fact]
    public async Task What_the_server_cannot_do_is_told_before_it_is_asked()
    {
        var error = await Mcp.ErrorAsync(_context, Http("resources/list", null));
        Assert.Contains("has no resources", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_takes_longer_than_it_may_times_out()
    {
        var error = await Mcp.ErrorAsync(_context, Http("tools/call", """{"name": "endless"}""", """, "timeout": {"milliseconds": 300}"""));
        Assert.Equal((ErrorTypes.Timeout, 408), (error.Type, error.Status));
    }

    [Fact]
    public async Task Who_has_no_token_is_refused_and_who_has_one_is_not()
    {
        var closed = """{"method": "tools/list", "transport": {"http": {"endpoint": {"uri": "ADDRESS", "authentication": {"bearer": {"token": "TOKEN"}}}}}}""".Replace("ADDRESS", _server.Closed.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal(401, (await Mcp.ErrorAsync(_context, closed.Replace("TOKEN", "wrong-token", StringComparison.Ordinal))).Status);
        Assert.NotEmpty((await Mcp.OutputAsync(_context, closed.Replace("TOKEN", McpDouble.Token, StringComparison.Ordinal)))["tools"].AsArray());
    }

    [Fact]
    public async Task Nobody_at_the_address_is_a_communication_error() =>
        Assert.Equal(ErrorTypes.Communication, (await Mcp.ErrorAsync(_context, """{"method": "tools/list", "transport": {"http": {"endpoint": "http://127.0.0.1:9/mcp"}}}""")).Type);

    [Fact]
    public async Task A_tool_is_called_by_stdio_with_a_clean_environment()
    {
        var output = await Mcp.OutputAsync(_context, Stdio("tools/call", """{"name": "get-env", "arguments": {}}""", """, "environment": {"TOKEN": "abc"}"""));
        var environment = JsonText.Parse(output["content"][0]["text"].AsString());
        Assert.Equal("abc", environment["TOKEN"].AsString());
        Assert.Equal(["HOME", "LANG", "PATH", "TOKEN", "TZ"], environment.AsObject().Select(m => m.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("resources/list", null, "resources")]
    [InlineData("resources/templates/list", null, "resourceTemplates")]
    [InlineData("resources/read", """{"uri": "demo://resource/dynamic/text/1"}""", "contents")]
    public async Task Resources_are_read_by_stdio(string method, string? parameters, string member) =>
        Assert.True((await Mcp.OutputAsync(_context, Stdio(method, parameters)))[member].AsArray().Count > 0);

    [Fact]
    public async Task A_process_that_ends_before_it_answers_is_told_with_what_it_said()
    {
        var error = await Mcp.ErrorAsync(_context, """{"method": "tools/list", "transport": {"stdio": {"command": "sh", "arguments": ["-c", "echo no key >&2"]}}}""");
        Assert.Equal((ErrorTypes.Communication, 502), (error.Type, error.Status));
        Assert.Contains("no key", error.Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_a_configuration_error() =>
        Assert.Equal(ErrorTypes.Configuration, (await Mcp.ErrorAsync(_context, """{"method": "tools/list", "transport": {"stdio": {"command": "no-such-program"}}}""")).Type);

    private string Http(string method, string? parameters, string more = "") =>
        Ask(method, parameters, $"\"http\": {{\"endpoint\": \"{_server.Open}\"}}", more);

    private static string Stdio(string method, string? parameters, string more = "") =>
        Ask(method, parameters, $"\"stdio\": {{\"command\": \"node\", \"arguments\": [\"{Script}\"]{more}}}", "");

    private static string Ask(string method, string? parameters, string transport, string more) =>
        $"{{\"method\": \"{method}\", \"transport\": {{{transport}}}{(parameters is null ? "" : $", \"parameters\": {parameters}")}{more}}}";

    private static string Script
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) folder = folder.Parent;
            var script = Path.Combine(folder!.FullName, "tests", "doubles-mcp", "node_modules", "@modelcontextprotocol", "server-everything", "dist", "index.js");
            return File.Exists(script) ? script : throw new FileNotFoundException("The MCP server is missing; ./test Connectors installs it, or 'npm ci' in tests/doubles-mcp.", script);
        }
    }
}
