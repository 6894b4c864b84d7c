namespace Millrace.Cli.Tests;

/// <summary>What <c>millrace approvals</c> asks of the server and what it makes of the answer.</summary>
public sealed class ApprovalCommandTests
{
    private const string Pay = """
        {"id": "a1", "run": "r1", "step": 2, "state": "open", "title": "Pay?", "show": {"amount": 5}, "hash": "ff", "approvers": {"users": ["anna"], "groups": []}, "quorum": 2,
         "createdAt": "2026-11-26T01:00:00Z", "decisions": [{"by": "anna", "decision": "approve", "comment": "fine", "at": "2026-11-26T01:01:00Z"}]}
        """;

    private static async Task<(int Exit, string Out, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        var exit = await CommandLine.RunAsync(args, terminal, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task Questions_are_listed_with_how_far_they_are()
    {
        var server = new FakeServer().Json($$"""{"items": [{{Pay}}], "next": null}""");
        var (exit, output, _) = await RunAsync(server, "approvals", "list", "--state", "open", "--run", "r1");
        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("1 of 2", output, StringComparison.Ordinal);
        Assert.StartsWith("/api/v1/approvals?state=open&run=r1", server.Requests.Single().Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_say_yes_or_no_and_hand_their_vote_on()
    {
        var server = new FakeServer().Json(Pay).Json(Pay).Json(Pay);
        Assert.Contains("anna approve: fine", (await RunAsync(server, "approvals", "approve", "a1", "--by", "anna", "--comment", "fine", "--form", """{"n": 1}""")).Out, StringComparison.Ordinal);
        await RunAsync(server, "approvals", "reject", "a1", "--by", "bert");
        await RunAsync(server, "approvals", "delegate", "a1", "--by", "bert", "--to", "cleo");
        Assert.Equal(
            [("/api/v1/approvals/a1/decisions", """{"by":"anna","decision":"approve","comment":"fine","form":{"n":1}}"""), ("/api/v1/approvals/a1/decisions", """{"by":"bert","decision":"reject"}"""),
             ("/api/v1/approvals/a1/delegation", """{"by":"bert","to":"cleo"}""")],
            server.Requests.Select(r => (r.Path, r.Body)));
    }

    [Fact]
    public async Task A_link_is_told_in_full()
    {
        var server = new FakeServer().Json("""{"token": "t", "url": "/api/v1/approvals/link/t", "page": "/approvals/link/t", "for": "anna"}""", 201);
        Assert.Contains("/approvals/link/t", (await RunAsync(server, "approvals", "link", "a1", "--for", "anna")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_is_no_json_is_told_before_anything_is_sent()
    {
        var server = new FakeServer();
        Assert.Equal(Exit.Refused, (await RunAsync(server, "approvals", "approve", "a1", "--form", "{")).Exit);
        Assert.Empty(server.Requests);
    }
}
