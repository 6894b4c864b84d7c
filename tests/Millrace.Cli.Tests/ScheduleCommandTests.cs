namespace Millrace.Cli.Tests;

/// <summary>What <c>millrace schedules</c> asks of the server and what it makes of the answer.</summary>
public sealed class ScheduleCommandTests
{
    private const string Nightly = """
        {"id": "0", "namespace": "demo", "name": "nightly", "version": "1.0.0", "times": {"cron": "0 2 * * *"}, "timeZone": "Europe/Berlin", "overlap": "skip",
         "catchUp": {"window": "P1D", "mode": "latest"}, "input": {}, "paused": false, "nextAt": "2026-11-27T01:00:00Z", "skipped": 3}
        """;

    private const string Paid = """
        {"namespace": "demo", "name": "paid", "version": "1.0.0", "on": {"one": {"with": {"type": "order.paid"}}}, "events": [{"type": "order.paid", "source": "/shop"}, {}], "paused": false,
         "since": "2026-11-20T00:00:00Z"}
        """;

    [Fact]
    public async Task Schedules_are_listed_with_what_comes_next()
    {
        var server = new FakeServer().Json($$"""{"items": [{{Nightly}}, {"namespace": "demo", "name": "poll", "version": "2.0.0", "times": {"after": "PT5M"}, "timeZone": "UTC", "paused": true, "skipped": 0}], "next": null}""")
            .Json($$"""{"items": [{{Paid}}], "next": null}""");
        var (exit, output, _) = await RunAsync(server, "schedules", "list");
        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("demo/nightly:1.0.0", output, StringComparison.Ordinal);
        Assert.Contains("0 2 * * * Europe/Berlin", output, StringComparison.Ordinal);
        Assert.Contains("after PT5M", output, StringComparison.Ordinal);
        Assert.Contains("paused", output, StringComparison.Ordinal);
        Assert.Matches("demo/paid:1.0.0 +on order.paid from /shop, any event +at its next event", output);
    }

    [Fact]
    public async Task What_events_start_is_listed_shown_and_paused()
    {
        const string run = """{"run": "r7", "state": "completed", "createdAt": "2026-11-26T01:00:00Z", "count": 1, "events": [{"position": 41, "id": "e", "type": "order.paid", "source": "/shop"}]}""";
        var server = new FakeServer().Json($$"""{"items": [{{Paid}}], "next": null}""").Json($$"""{"trigger": {{Paid}}, "runs": [{{run}}]}""")
            .Json(Paid.Replace("\"paused\": false", "\"paused\": true", StringComparison.Ordinal));
        Assert.Contains("on order.paid from /shop, any event", (await RunAsync(server, "triggers", "list")).Out, StringComparison.Ordinal);
        Assert.Matches("r7 +completed .* 41 +order.paid +/shop", (await RunAsync(server, "triggers", "show", "demo/paid")).Out);
        Assert.Contains("demo/paid:1.0.0 is paused", (await RunAsync(server, "triggers", "pause", "demo/paid")).Out, StringComparison.Ordinal);
        Assert.Equal([("GET", ""), ("GET", ""), ("PATCH", """{"paused":true}""")], server.Requests.Select(r => (r.Method, r.Body)));
        Assert.Equal("/api/v1/triggers/demo/paid", server.Requests[2].Path);
    }

    [Fact]
    public async Task One_is_paused_triggered_and_filled()
    {
        var server = new FakeServer().Json(Nightly.Replace("\"paused\": false", "\"paused\": true", StringComparison.Ordinal))
            .Json("""{"id": "r1", "state": "pending"}""", 201).Json("""{"started": 4, "known": 1}""");
        Assert.Contains("demo/nightly:1.0.0 is paused", (await RunAsync(server, "schedules", "pause", "demo/nightly")).Out, StringComparison.Ordinal);
        Assert.Contains("run r1 pending", (await RunAsync(server, "schedules", "trigger", "demo/nightly", "--key", "k")).Out, StringComparison.Ordinal);
        Assert.Contains("4 started, 1 had been", (await RunAsync(server, "schedules", "backfill", "demo/nightly", "--from", "2026-11-01", "--to", "2026-11-05")).Out, StringComparison.Ordinal);
        Assert.Equal(
            [("PATCH", "/api/v1/schedules/demo/nightly", """{"paused":true}"""), ("POST", "/api/v1/schedules/demo/nightly/runs", "{}"),
             ("POST", "/api/v1/schedules/demo/nightly/backfill", """{"from":"2026-11-01","to":"2026-11-05"}""")],
            server.Requests.Select(r => (r.Method, r.Path, r.Body)));
        Assert.Equal("k", server.Requests[1].Key);
    }

    [Fact]
    public async Task One_is_shown_with_what_comes_and_what_was()
    {
        var server = new FakeServer().Json($$"""
            {"schedule": {{Nightly}}, "next": [{"tick": "2026-11-27T01:00:00Z", "at": "2026-11-27T01:00:07Z"}],
             "runs": [{"at": "2026-11-26T01:00:00Z", "run": "r0", "state": "completed", "createdAt": "2026-11-26T01:00:07Z"}]}
            """);
        var (exit, output, _) = await RunAsync(server, "schedules", "show", "demo/nightly");
        Assert.Equal(Exit.Completed, exit);
        Assert.Contains("overlap skip, catch up latest within P1D, 3 skipped", output, StringComparison.Ordinal);
        Assert.Contains("r0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_is_refused_since_the_latest_counts()
    {
        var (exit, _, error) = await RunAsync(new FakeServer(), "schedules", "show", "demo/nightly:1.0.0");
        Assert.Equal(Exit.Refused, exit);
        Assert.Contains("the latest version", error, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Out, string Error)> RunAsync(FakeServer server, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error) { Http = address => new HttpClient(server, false) { BaseAddress = address } };
        var exit = await CommandLine.RunAsync(args, terminal, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
