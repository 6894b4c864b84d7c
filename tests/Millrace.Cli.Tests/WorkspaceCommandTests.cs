namespace Millrace.Cli.Tests;

/// <summary>What <c>millrace limits</c>, <c>dead-letters</c> and <c>retention</c> ask of the server and what they make of the answer.</summary>
public sealed class WorkspaceCommandTests
{
    [Fact]
    public async Task Limits_are_listed_with_who_holds_and_who_waits()
    {
        var server = new FakeServer().Json("""
            {"items": [{"name": "demo/orders", "key": "acme", "kind": "slot", "limit": 2, "isSetting": true, "held": 1, "queued": 4, "oldestSince": "2026-11-26T01:00:00Z"}], "next": null}
            """);
        var output = await DoneAsync(server, "limits");
        Assert.Matches(@"demo/orders +acme +slot +2 \(set\) +1 +4 +2026-11-26", output);
    }

    [Fact]
    public async Task A_limit_is_set_by_its_name_and_taken_back()
    {
        var server = new FakeServer().Json("""{"limit": 5}""").Json("""{"limit": null}""");
        Assert.Equal("demo/orders is 5", (await DoneAsync(server, "limits", "set", "demo/orders", "5")).Trim());
        Assert.Equal("printers is what the documents say", (await DoneAsync(server, "limits", "set", "printers", "none")).Trim());
        Assert.Equal([("PUT", "/api/v1/limits/demo/orders", """{"limit":5}"""), ("PUT", "/api/v1/limits/printers", """{"limit":null}""")], Asked(server));
    }

    [Theory]
    [InlineData("""{"weight":3,"limit":100}""", "--weight", "3")]
    [InlineData("""{"weight":2,"limit":7}""", "--runs", "7")]
    [InlineData("""{"weight":2,"limit":null}""", "--runs", "none")]
    [InlineData("""{"weight":3,"limit":7}""", "--weight", "3", "--runs", "7")]
    public async Task What_is_not_said_of_the_workspace_stays(string sent, params string[] said)
    {
        var server = new FakeServer().Json("""{"weight": 2, "limit": 100}""").Json(sent);
        await DoneAsync(server, ["limits", "workspace", .. said]);
        Assert.Equal([("GET", "/api/v1/limits/workspace", ""), ("PUT", "/api/v1/limits/workspace", sent)], Asked(server));
    }

    [Fact]
    public async Task The_workspaces_limits_are_shown_and_left_alone()
    {
        var server = new FakeServer().Json("""{"weight": 2, "limit": 100}""").Json("""{"weight": 1, "limit": null}""");
        Assert.Equal("weight 2, 100 runs at once", (await DoneAsync(server, "limits", "workspace")).Trim());
        Assert.Equal("weight 1, any number of runs at once", (await DoneAsync(server, "limits", "workspace")).Trim());
        Assert.All(server.Requests, r => Assert.Equal("GET", r.Method));
    }

    [Theory]
    [InlineData("'many' is no limit", "limits", "set", "demo/orders", "many")]
    [InlineData("'-1' is no limit", "limits", "workspace", "--runs", "-1")]
    [InlineData("ids or a filter, or say --all", "dead-letters", "discard")]
    [InlineData("ids or a filter, not both", "dead-letters", "requeue", "l1", "--kind", "run")]
    public async Task What_means_nothing_is_refused_before_anything_is_asked(string why, params string[] args)
    {
        var server = new FakeServer();
        var (exit, _, error) = await RunAsync(server, args);
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains(why, error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Dead_letters_are_listed_by_what_they_are_and_one_is_shown()
    {
        const string letter = """{"id": "l1", "kind": "run", "subject": "r1", "definition": "demo/orders", "reason": "run.given_up", "error": {"title": "Gone"}, "lastAt": "2026-11-26T01:00:00Z", "times": 3}""";
        var server = new FakeServer().Json($$"""{"items": [{{letter}}], "next": null}""").Json(letter);
        var list = await DoneAsync(server, "dead-letters", "list", "--kind", "run", "--definition", "demo/orders");
        Assert.Matches("l1 +run +r1 +demo/orders +run.given_up +3 +2026-11-26.* +Gone", list);
        Assert.Contains("run.given_up", await DoneAsync(server, "dead-letters", "show", "l1"), StringComparison.Ordinal);
        Assert.StartsWith("/api/v1/dead-letters?kind=run&definition=demo%2Forders", server.Requests[0].Path, StringComparison.Ordinal);
        Assert.Equal("/api/v1/dead-letters/l1", server.Requests[1].Path);
    }

    [Fact]
    public async Task Dead_letters_are_tried_again_until_none_is_left_and_those_that_stay_are_told()
    {
        var server = new FakeServer().Json("""{"done": 500, "runs": [], "refused": [], "more": true, "next": "l500"}""")
            .Json("""{"done": 2, "runs": [], "refused": [{"id": "l9", "detail": "It is still gone."}], "more": false}""");
        var (exit, output, _) = await RunAsync(server, "dead-letters", "requeue", "--reason", "run.given_up");
        Assert.Equal(Exit.Refused, exit);
        Assert.Equal(["502 tried again, 1 refused", "l9  It is still gone."], output.Trim().Split('\n', StringSplitOptions.TrimEntries));
        Assert.Equal(
            [("POST", "/api/v1/dead-letters/requeue", """{"reason":"run.given_up"}"""), ("POST", "/api/v1/dead-letters/requeue", """{"reason":"run.given_up","after":"l500"}""")], Asked(server));
    }

    [Fact]
    public async Task Dead_letters_are_forgotten_by_their_ids_or_all_of_them()
    {
        var server = new FakeServer().Json("""{"done": 2, "runs": [], "refused": [], "more": false}""").Json("""{"done": 9, "runs": [], "refused": [], "more": false}""");
        Assert.Equal("2 forgotten, 0 refused", (await DoneAsync(server, "dead-letters", "discard", "l1", "l2")).Trim());
        Assert.Equal("9 forgotten, 0 refused", (await DoneAsync(server, "dead-letters", "discard", "--all")).Trim());
        Assert.Equal(["""{"ids":["l1","l2"]}""", "{}"], server.Requests.Select(r => r.Body));
    }

    [Fact]
    public async Task Retention_is_shown_and_what_is_not_said_of_it_stays()
    {
        const string before = """{"completed": "P7D", "faulted": "P30D", "cancelled": null}""";
        var server = new FakeServer().Json(before).Json(before).Json("""{"completed": null, "faulted": "P30D", "cancelled": "P1D"}""");
        Assert.Equal(["completed: P7D", "faulted: P30D", "cancelled: forever"], (await DoneAsync(server, "retention")).Trim().Split('\n', StringSplitOptions.TrimEntries));
        Assert.Contains("completed: forever", await DoneAsync(server, "retention", "--completed", "forever", "--cancelled", "P1D"), StringComparison.Ordinal);
        Assert.Equal(
            [("GET", "/api/v1/retention", ""), ("GET", "/api/v1/retention", ""), ("PUT", "/api/v1/retention", """{"completed":null,"faulted":"P30D","cancelled":"P1D"}""")], Asked(server));
    }

    [Fact]
    public async Task A_run_is_shown_with_when_it_goes_and_that_it_lies_in_the_dead_letters()
    {
        var server = new FakeServer().Json("""{"id": "r1", "state": "faulted", "keptUntil": "2026-12-05T01:00:00Z", "deadLetter": true}""");
        var output = await DoneAsync(server, "runs", "get", "r1");
        Assert.Contains("\"keptUntil\": \"2026-12-05T01:00:00Z\"", output, StringComparison.Ordinal);
        Assert.Contains("\"deadLetter\": true", output, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Method, string Path, string Body)> Asked(FakeServer server) => server.Requests.Select(r => (r.Method, r.Path, r.Body));

    private static async Task<string> DoneAsync(FakeServer server, params string[] args)
    {
        var (exit, output, error) = await RunAsync(server, args);
        Assert.True(exit == Exit.Completed, error);
        return output;
    }

    private static async Task<(int Exit, string Out, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        var exit = await CommandLine.RunAsync(args, terminal, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
