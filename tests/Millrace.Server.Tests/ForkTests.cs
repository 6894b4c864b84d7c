using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class ForkTests(TestServer server)
{
    private const string Sums = "  - one: {set: {n: 1}}\n  - two: {set: {n: '${ .n + 1 }'}}\n  - three: {set: {n: '${ .n * 10 }'}}";

    private async Task<Guid> EndedAsync(string name, string tasks, string input = "{}")
    {
        var run = await server.StartAsync(name, tasks, input);
        await server.EndAsync(run);
        return run;
    }

    private static Guid IdOf(Answer answer) => answer.Status is 200 or 201 ? Guid.Parse(answer.Body["id"].AsString()) : throw new InvalidOperationException(answer.Text);

    private Task<Answer> ForkAsync(Guid run, string body, string? key = null) => server.PostAsync($"/api/v1/runs/{run}/forks", body, key: key);

    [Fact]
    public async Task A_run_is_forked_at_a_step_and_says_where_it_comes_from()
    {
        var run = await EndedAsync("forked", Sums);
        var fork = IdOf(await ForkAsync(run, """{"step": 3, "input": {"n": 5}, "reason": "what if"}"""));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(fork));
        Assert.Equal("""{"n":50}""", (await server.GetAsync($"/api/v1/runs/{fork}/output")).Text);
        var told = (await server.GetAsync($"/api/v1/runs/{fork}")).Body;
        Assert.Equal((run.ToString(), 3d), (told["forkOf"]["run"].AsString(), told["forkOf"]["step"].AsNumber()));
        var listed = (await server.GetAsync($"/api/v1/runs?forkOf={run}")).Body["items"].AsArray();
        Assert.Equal(fork.ToString(), Assert.Single(listed)["id"].AsString());
    }

    [Fact]
    public async Task The_same_key_forks_once_and_another_request_is_refused()
    {
        var run = await EndedAsync("fork-key", Sums);
        var first = await ForkAsync(run, """{"step": 2}""", "fork-1");
        var again = await ForkAsync(run, """{"step": 2}""", "fork-1");
        Assert.Equal((201, 200, first.Body["id"]), (first.Status, again.Status, again.Body["id"]));
        Assert.Equal("run.idempotency_conflict", (await ForkAsync(run, """{"step": 3}""", "fork-1")).Body["code"].AsString());
    }

    [Fact]
    public async Task What_is_wrong_with_a_wish_is_located()
    {
        var run = await EndedAsync("fork-wrong", Sums);
        var before = await server.HoldsAsync();
        Assert.Equal("/step", (await ForkAsync(run, """{"step": 99}""")).Body["errors"][0]["pointer"].AsString());
        Assert.Equal("/seq", (await ForkAsync(run, """{"seq": "x"}""")).Body["errors"][0]["pointer"].AsString());
        Assert.Equal((400, ""), await PlaceAsync("{}"));
        Assert.Equal((400, ""), await PlaceAsync("""{"step": 1, "seq": 2}"""));
        Assert.Equal((400, "/definition/version"), await PlaceAsync("""{"step": 1, "definition": {}}"""));
        Assert.Equal((400, "/stp"), await PlaceAsync("""{"step": 1, "stp": 2}"""));
        Assert.Equal(404, (await ForkAsync(run, """{"step": 1, "definition": {"version": "9.9.9"}}""")).Status);
        Assert.Equal("run.not_failed", (await server.PostAsync($"/api/v1/runs/{run}/retry", "{}")).Body["code"].AsString());
        Assert.Equal(404, (await ForkAsync(Guid.CreateVersion7(), """{"step": 1}""")).Status);
        Assert.Equal(before, await server.HoldsAsync());

        async Task<(int, string)> PlaceAsync(string body)
        {
            var answer = await ForkAsync(run, body);
            return (answer.Status, answer.Body["errors"][0]["pointer"].AsString());
        }
    }

    [Fact]
    public async Task A_faulted_run_is_retried_with_a_newer_version_that_mends_it()
    {
        const string Broken = "  - one: {set: {n: 1}}\n  - two: {set: {n: '${ error(\"broken\") }'}}";
        var run = await EndedAsync("mended", Broken);
        await server.PushAsync(TestServer.Document("mended", Broken.Replace("error(\"broken\")", ".n + 41", StringComparison.Ordinal) + "\n  - three: {set: {n: '${ .n }', more: true}}", "1.1.0"));
        var same = IdOf(await server.PostAsync($"/api/v1/runs/{run}/retry", """{"reason": "once more"}"""));
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(same));
        var mended = IdOf(await server.PostAsync($"/api/v1/runs/{run}/retry", """{"definition": {"version": "latest"}}"""));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(mended));
        Assert.Equal("""{"n":42,"more":true}""", (await server.GetAsync($"/api/v1/runs/{mended}/output")).Text);
        Assert.Equal("1.1.0", (await server.GetAsync($"/api/v1/runs/{mended}")).Body["definition"]["version"].AsString());
    }

    [Fact]
    public async Task A_version_that_moved_a_task_is_taken_and_one_that_renamed_it_is_refused_at_that_task()
    {
        const string Tasks = "  - outer:\n      do:\n        - one: {set: {n: 1}}\n  - two: {set: {n: '${ .n + 1 }'}}";
        var run = await EndedAsync("moved", Tasks);
        // A task more inside gives the ones behind it other numbers.
        await server.PushAsync(TestServer.Document("moved", Tasks.Replace("        - one: {set: {n: 1}}", "        - one: {set: {n: 1}}\n        - more: {set: {n: 9}}", StringComparison.Ordinal), "1.1.0"));
        await server.PushAsync(TestServer.Document("moved", Tasks.Replace("one:", "uno:", StringComparison.Ordinal), "1.2.0"));
        var fork = IdOf(await ForkAsync(run, """{"step": 3, "definition": {"version": "1.1.0"}}"""));
        await server.EndAsync(fork);
        Assert.Equal("""{"n":2}""", (await server.GetAsync($"/api/v1/runs/{fork}/output")).Text);
        var refused = await ForkAsync(run, """{"step": 3, "definition": {"version": "1.2.0"}}""");
        Assert.Equal((422, "run.fork_definition_differs"), (refused.Status, refused.Body["code"].AsString()));
        Assert.Contains("/do/0/outer/do/0/one", refused.Body["detail"].AsString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_runs_are_compared_step_by_step()
    {
        var run = await EndedAsync("compared", Sums);
        var fork = IdOf(await ForkAsync(run, """{"step": 3, "input": {"n": 5}}"""));
        await server.EndAsync(fork);
        var diff = (await server.GetAsync($"/api/v1/runs/{run}/diff/{fork}")).Body;
        Assert.Equal((3d, 2d, 1d, 2d), (diff["rows"].AsNumber(), diff["same"].AsNumber(), diff["changed"].AsNumber(), diff["first"].AsNumber()));
        var row = diff["items"][2];
        Assert.Equal(("/three", """["input","output"]"""), (row["path"].AsString(), row["differs"].ToString()));
        Assert.Equal(("""{"n":20}""", """{"n":50}"""), (row["left"]["output"].ToString(), row["right"]["output"].ToString()));
        Assert.Equal(404, (await server.GetAsync($"/api/v1/runs/{run}/diff/{Guid.NewGuid()}")).Status);
    }

    [Fact]
    public async Task The_state_at_a_record_and_before_a_step_is_told()
    {
        var run = await EndedAsync("past", "  - outer:\n      do:\n        - one: {set: {n: 1}}\n        - two: {set: {n: 2}}");
        var start = (await server.GetAsync($"/api/v1/runs/{run}/state?seq=0")).Body;
        Assert.Equal(("pending", "[]"), (start["state"].AsString(), start["active"].ToString()));
        var before = (await server.GetAsync($"/api/v1/runs/{run}/state?step=3")).Body;
        Assert.Equal(("running", "{}"), (before["state"].AsString(), before["data"].ToString()));
        var active = Assert.Single(before["active"].AsArray());
        Assert.Equal(("outer", """{"n":1}"""), (active["name"].AsString(), active["data"].ToString()));
        var now = (await server.GetAsync($"/api/v1/runs/{run}/state")).Body;
        Assert.Equal(("completed", """{"n":2}"""), (now["state"].AsString(), now["output"].ToString()));
        Assert.Equal("run.record_not_found", (await server.GetAsync($"/api/v1/runs/{run}/state?seq=99")).Body["code"].AsString());
        Assert.Equal("step.not_found", (await server.GetAsync($"/api/v1/runs/{run}/state?step=99")).Body["code"].AsString());
        Assert.Equal(400, (await server.GetAsync($"/api/v1/runs/{run}/state?step=1&seq=1")).Status);
    }
}

public sealed class ForkOnSqliteTests(TestServer server) : ForkTests(server), IClassFixture<TestServer>;

public sealed class ForkOnPostgresTests(PostgresTestServer server) : ForkTests(server), IClassFixture<PostgresTestServer>;
