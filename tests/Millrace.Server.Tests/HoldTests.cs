using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Definitions and the workspace are suspended and resumed as clients do it; runs are undone and go on as others.</summary>
public abstract class HoldTests(TestServer server)
{
    private static string Code(Answer answer) => $"{answer.Status} {answer.Body["code"].StringOrNull}";

    [Fact]
    public async Task A_start_is_accepted_while_its_definition_is_suspended_and_waits()
    {
        await server.PushAsync(TestServer.Document("stands", "  - a: {set: {x: 1}}"));
        var answer = await server.PostAsync("/api/v1/definitions/test/stands/suspension", """{"reason": "wrong prices"}""");
        Assert.Equal((202, "wrong prices"), (answer.Status, answer.Body["reason"].AsString()));
        Assert.Equal("409 suspension.already", Code(await server.PostAsync("/api/v1/definitions/test/stands/suspension", "{}")));
        Assert.Contains((await server.GetAsync("/api/v1/suspensions")).Body["items"].AsArray(), s => s["name"].StringOrNull == "stands");
        var run = await server.StartAsync("stands", "  - a: {set: {x: 1}}");
        Json wait;
        while ((wait = (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0])["on"].AsString() != "resume") { }
        Assert.Contains("wrong prices", wait["detail"].AsString(), StringComparison.Ordinal);
        Assert.Equal("pending", (await server.GetAsync($"/api/v1/runs/{run}")).Body["state"].AsString());
        Assert.Equal(202, (await server.PostAsync("/api/v1/definitions/test/stands/resumption", "{}")).Status);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("409 suspension.none", Code(await server.PostAsync("/api/v1/definitions/test/stands/resumption", "{}")));
        Assert.Equal("404 definition.not_found", Code(await server.PostAsync("/api/v1/definitions/test/absent/suspension", "{}")));
    }

    [Fact]
    public async Task A_run_that_waits_for_a_time_says_first_that_its_definition_stands()
    {
        var run = await server.StartAsync("waits", "  - rest: {wait: PT1H}");
        while ((await server.GetAsync($"/api/v1/runs/{run}")).Body["state"].AsString() != "waiting") { }
        Assert.Equal(202, (await server.PostAsync("/api/v1/definitions/test/waits/suspension", """{"reason": "wrong prices"}""")).Status);
        var waits = (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"].AsArray();
        Assert.Equal(["resume", "timer"], waits.Select(w => w["on"].AsString()));
        Assert.Contains("wrong prices", waits[0]["detail"].AsString(), StringComparison.Ordinal);
        Assert.Equal(202, (await server.PostAsync("/api/v1/definitions/test/waits/resumption", "{}")).Status);
        Assert.Equal("timer", (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0]["on"].AsString());
    }

    [Fact]
    public async Task Cancelling_tells_what_undoes_what_and_can_do_without()
    {
        const string Tasks = "  - book: {set: {n: 1}, metadata: {compensate: [{undo: {set: {gone: '${ .n }'}}}]}}\n  - rest: {wait: PT1H}";
        var run = await server.StartAsync("undone", Tasks);
        while ((await server.GetAsync($"/api/v1/runs/{run}")).Body["state"].AsString() != "waiting") { }
        Assert.Equal(400, (await server.PostAsync($"/api/v1/runs/{run}/cancellation", """{"cleanUp": 1}""")).Status);
        Assert.Equal(202, (await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}")).Status);
        Assert.Equal(RunPhase.Cancelled, await server.EndAsync(run));
        var undo = (await server.GetAsync($"/api/v1/runs/{run}/steps")).Body["items"].AsArray().Single(s => s["name"].AsString() == "undo book");
        Assert.Equal(("1", "completed"), (undo["compensates"].ToString(), undo["state"].AsString()));

        var other = await server.StartAsync("undone", Tasks);
        while ((await server.GetAsync($"/api/v1/runs/{other}")).Body["state"].AsString() != "waiting") { }
        Assert.Equal(202, (await server.PostAsync($"/api/v1/runs/{other}/cancellation", """{"cleanUp": false}""")).Status);
        Assert.Equal(RunPhase.Cancelled, await server.EndAsync(other));
        Assert.Equal(2, (await server.GetAsync($"/api/v1/runs/{other}/steps")).Body["items"].AsArray().Count);
    }

    [Fact]
    public async Task A_run_tells_what_it_continues_and_what_continues_it()
    {
        var first = await server.StartAsync("endless", "  - next: {if: '${ .n < 1 }', call: 'continue:1.0.0@default', with: {input: '${ {n: (.n + 1)} }'}}", """{"n": 0}""");
        await server.EndAsync(first);
        var second = Guid.Parse((await server.GetAsync($"/api/v1/runs/{first}")).Body["continuedBy"].AsString());
        Assert.Equal(RunPhase.Completed, await server.EndAsync(second));
        Assert.Equal(first.ToString(), (await server.GetAsync($"/api/v1/runs/{second}")).Body["continues"].AsString());
        Assert.Equal("""{"n":1}""", (await server.GetAsync($"/api/v1/runs/{second}/input")).Text);
    }

    [Theory]
    [InlineData("compensate: 1", "/do/0/a/metadata/compensate")]
    [InlineData("compensate: [{x: {sett: {}}}]", "/do/0/a/metadata/compensate/0/x/sett")]
    [InlineData("compensate: [{x: {set: '${ $unknown }'}}]", "/do/0/a/metadata/compensate/0/x/set")]
    public async Task A_wrong_handler_is_refused_where_it_stands(string metadata, string pointer)
    {
        var answer = await server.PushAsync(TestServer.Document("wrong", $"  - a: {{set: {{x: 1}}, metadata: {{other: true, {metadata}}}}}"));
        Assert.Equal((422, pointer), (answer.Status, answer.Body["errors"][0]["pointer"].AsString()));
    }
}

public sealed class HoldOnSqliteTests(TestServer server) : HoldTests(server), IClassFixture<TestServer>;

public sealed class HoldOnPostgresTests(PostgresTestServer server) : HoldTests(server), IClassFixture<PostgresTestServer>;
