namespace Millrace.Cli.Tests;

/// <summary>Definitions and the workspace are suspended and resumed on the command line.</summary>
public sealed class HoldCommandTests
{
    [Fact]
    public async Task A_definition_and_the_workspace_are_suspended_and_resumed()
    {
        var server = new FakeServer().Json("""{"since": "2026-11-26T01:00:00Z"}""", 202).Json("", 202).Json("""{"since": "2026-11-26T01:00:00Z"}""", 202).Json("", 202);
        await RunAsync(server, "definitions", "suspend", "demo/order", "--reason", "wrong prices");
        await RunAsync(server, "definitions", "resume", "demo/order");
        await RunAsync(server, "workspace", "suspend");
        Assert.Equal(Exit.Completed, (await RunAsync(server, "workspace", "resume")).Exit);
        Assert.Equal(
            [("/api/v1/definitions/demo/order/suspension", """{"reason":"wrong prices"}"""), ("/api/v1/definitions/demo/order/resumption", "{}"),
             ("/api/v1/workspace/suspension", "{}"), ("/api/v1/workspace/resumption", "{}")],
            server.Requests.Select(r => (r.Path, r.Body)));
    }

    [Fact]
    public async Task All_versions_are_suspended_together()
    {
        var (exit, error) = await RunAsync(new FakeServer(), "definitions", "suspend", "demo/order:1.0.0");
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("All versions", error, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        return (await CommandLine.RunAsync(args, terminal, CancellationToken.None), error.ToString());
    }
}
