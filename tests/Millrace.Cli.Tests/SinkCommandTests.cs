namespace Millrace.Cli.Tests;

/// <summary>What <c>millrace sinks</c> asks of the server and what it makes of the answer.</summary>
public sealed class SinkCommandTests
{
    private const string Ops = """{"id": "019a0000-0000-7000-8000-000000000001", "name": "ops", "url": "https://ops.example.com/", "state": "active", "pending": 2}""";

    [Fact]
    public async Task One_is_changed_where_it_was_said_and_nowhere_else()
    {
        var server = new FakeServer().Json($$"""{"items": [{{Ops}}], "next": null}""").Json(Ops);
        var (exit, output, error) = await RunAsync(server, "sinks", "change", "ops", "--url", "https://ops.example.com/v2", "--every-type", "--secret", "", "--patience", "60");
        Assert.True(exit == Exit.Completed, error);
        Assert.Contains("ops is active, 2 pending", output, StringComparison.Ordinal);
        Assert.Equal(
            ("PATCH", "/api/v1/sinks/019a0000-0000-7000-8000-000000000001", """{"url":"https://ops.example.com/v2","types":[],"secret":"","patienceSeconds":60}"""),
            server.Requests.Select(r => (r.Method, r.Path, r.Body)).Last());
    }

    [Theory]
    [InlineData("Say what to change")]
    [InlineData("Either --type or --every-type", "--type", "order.*", "--every-type")]
    public async Task What_says_nothing_or_two_things_is_refused(string why, params string[] more)
    {
        var server = new FakeServer();
        var (exit, _, error) = await RunAsync(server, ["sinks", "change", "ops", .. more]);
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains(why, error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static async Task<(int Exit, string Out, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        var exit = await CommandLine.RunAsync(args, terminal, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
