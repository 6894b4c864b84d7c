using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class RunTests(TestServer server)
{
    private const string Gated = "  - gate: {call: 'gate:1.0.0@default'}";

    private async Task<Json> GetAsync(Guid run, string rest = "") => (await server.GetAsync($"/api/v1/runs/{run}{rest}")).Body;

    [Fact]
    public async Task A_run_is_told_from_its_start_to_its_output()
    {
        var run = await server.StartAsync("whole", "  - a: {set: {x: 1}}\n  - b: {call: 'gate:1.0.0@default'}", """{"in": 1.50}""");
        await server.Gate.EnteredAsync(run);

        var under = await GetAsync(run);
        Assert.Equal(("running", "whole"), (under["state"].AsString(), under["definition"]["name"].AsString()));
        Assert.Equal("""{"started":2,"completed":1,"faulted":0,"skipped":0,"cancelled":0}""", under["steps"].ToString());
        var wait = (await GetAsync(run, "/waiting"))["items"][0];
        Assert.Equal(("effect", "/do/1/b"), (wait["on"].AsString(), wait["reference"].AsString()));

        server.Gate.Open(run);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("completed", (await GetAsync(run))["state"].AsString());
        Assert.Equal("\"open\"", (await server.GetAsync($"/api/v1/runs/{run}/output")).Text);
        Assert.Equal("""{"items":[]}""", (await GetAsync(run, "/waiting")).ToString());
    }

    [Fact]
    public async Task The_input_comes_back_as_it_was_given_numbers_included()
    {
        var run = await server.StartAsync("input", "  - a: {set: {x: 1}}", """{"id":12345678901234567890,"text":"ü"}""");

        Assert.Equal("""{"id":12345678901234567890,"text":"ü"}""", (await server.GetAsync($"/api/v1/runs/{run}/input")).Text);
    }

    [Fact]
    public async Task Steps_are_listed_without_values_and_told_singly_with_them()
    {
        var run = await server.StartAsync("steps", "  - a: {set: {x: 1}}\n  - b: {set: {y: 2}}");
        await server.EndAsync(run);

        var steps = (await GetAsync(run, "/steps"))["items"];
        Assert.Equal(["/do/0/a", "/do/1/b"], steps.AsArray().Select(s => s["reference"].AsString()));
        Assert.False(steps[0].AsObject().Has("output"));
        Assert.True(steps[0].AsObject().TryGet("parent", out var parent) && parent.IsNull);
        Assert.Equal("""{"y":2}""", (await GetAsync(run, $"/steps/{steps[1]["id"]}"))["output"].ToString());
    }

    [Fact]
    public async Task The_journal_is_told_record_by_record_and_can_be_read_on()
    {
        var run = await server.StartAsync("journal", "  - a: {set: {x: 1}}");
        await server.EndAsync(run);

        var all = (await GetAsync(run, "/journal"))["items"].AsArray();
        Assert.Equal("run.created", all[0]["entries"][0]["e"].AsString());
        Assert.Equal("run.completed", all[^1]["entries"].AsArray()[^1]["e"].AsString());
        var rest = (await GetAsync(run, "/journal?after=0"))["items"].AsArray();
        Assert.Equal(all.Skip(1).Select(r => r["seq"]), rest.Select(r => r["seq"]));
    }

    [Fact]
    public async Task The_same_key_starts_one_run()
    {
        await server.PushAsync(TestServer.Document("keyed", "  - a: {set: {x: 1}}"));
        const string Body = """{"definition": {"namespace": "test", "name": "keyed"}, "input": {"n": 1}}""";

        var first = await server.PostAsync("/api/v1/runs", Body, key: "k-1");
        var again = await server.PostAsync("/api/v1/runs", Body, key: "k-1");

        Assert.Equal((201, 200), (first.Status, again.Status));
        Assert.Equal(first.Body["id"], again.Body["id"]);
    }

    [Fact]
    public async Task The_same_key_finds_its_run_after_a_newer_version_was_pushed()
    {
        await server.PushAsync(TestServer.Document("moved", "  - a: {set: {x: 1}}"));
        const string Body = """{"definition": {"namespace": "test", "name": "moved"}}""";
        var first = await server.PostAsync("/api/v1/runs", Body, key: "k-2");
        await server.PushAsync(TestServer.Document("moved", "  - a: {set: {x: 2}}", "2.0.0"));

        Assert.Equal(first.Body["id"], (await server.PostAsync("/api/v1/runs", Body, key: "k-2")).Body["id"]);
    }

    [Fact]
    public async Task Many_at_once_with_one_key_start_one_run()
    {
        await server.PushAsync(TestServer.Document("raced", "  - a: {set: {x: 1}}"));
        const string Body = """{"definition": {"namespace": "test", "name": "raced"}}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.PostAsync("/api/v1/runs", Body, key: "k-3")));

        Assert.Single(answers.Select(a => a.Body["id"].AsString()).Distinct());
        Assert.Equal(1, answers.Count(a => a.Status == 201));
    }

    [Fact]
    public async Task A_key_used_for_another_request_is_refused()
    {
        await server.PushAsync(TestServer.Document("reused", "  - a: {set: {x: 1}}"));
        var first = await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "reused"}, "input": 1}""", key: "k-4");
        await server.EndAsync(Guid.Parse(first.Body["id"].AsString()));
        var before = await server.HoldsAsync();

        var other = await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "reused"}, "input": 2}""", key: "k-4");

        Assert.Equal((409, "run.idempotency_conflict"), (other.Status, other.Body["code"].AsString()));
        Assert.Equal(before, await server.HoldsAsync());
    }

    [Fact]
    public async Task Cancelling_ends_the_run_and_keeps_the_reason()
    {
        var run = await server.StartAsync("cancelled", Gated);
        await server.Gate.EnteredAsync(run);

        var answer = await server.PostAsync($"/api/v1/runs/{run}/cancellation", """{"reason": "wrong input"}""");

        Assert.Equal(202, answer.Status);
        Assert.Equal(RunPhase.Cancelled, await server.EndAsync(run));
        Assert.Equal("wrong input", (await GetAsync(run))["reason"].AsString());
    }

    [Fact]
    public async Task Acting_on_a_finished_run_is_refused()
    {
        var run = await server.StartAsync("finished", "  - a: {set: {x: 1}}");
        await server.EndAsync(run);

        foreach (var verb in (string[])["cancellation", "suspension", "resumption"])
            Assert.Equal("run.already_finished", (await server.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/api/v1/runs/{run}/{verb}"))).Body["code"].AsString());
    }

    [Fact]
    public async Task A_suspended_run_says_that_it_waits_for_somebody_and_goes_on_when_resumed()
    {
        var run = await server.StartAsync("suspended", Gated + "\n  - after: {set: {x: 1}}");
        await server.Gate.EnteredAsync(run);
        Assert.Equal("run.not_suspended", (await server.PostAsync($"/api/v1/runs/{run}/resumption", "{}")).Body["code"].AsString());

        Assert.Equal(202, (await server.PostAsync($"/api/v1/runs/{run}/suspension", "{}")).Status);
        Assert.Equal("run.already_suspended", (await server.PostAsync($"/api/v1/runs/{run}/suspension", "{}")).Body["code"].AsString());
        server.Gate.Open(run);
        Assert.Equal(202, (await server.PostAsync($"/api/v1/runs/{run}/resumption", "{}")).Status);

        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
    }

    [Fact]
    public async Task The_output_of_a_run_that_goes_on_is_refused()
    {
        var run = await server.StartAsync("early", Gated);

        var output = await server.GetAsync($"/api/v1/runs/{run}/output");

        Assert.Equal((409, "run.not_completed"), (output.Status, output.Body["code"].AsString()));
        server.Gate.Open(run);
    }

    [Fact]
    public async Task Runs_are_listed_newest_first_by_state_and_definition()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 3; i++) ids.Add(await server.StartAsync("listed", "  - a: {set: {x: 1}}"));
        foreach (var id in ids) await server.EndAsync(id);
        var open = await server.StartAsync("listed-open", Gated);

        var completed = (await server.GetAsync("/api/v1/runs?definition=test/listed&state=completed&state=faulted")).Body["items"].AsArray();
        Assert.Equal(ids.AsEnumerable().Reverse().Select(i => i.ToString()), completed.Select(r => r["id"].AsString()));
        Assert.Empty((await server.GetAsync("/api/v1/runs?definition=test/listed-open&state=completed")).Body["items"].AsArray());
        server.Gate.Open(open);
    }

    [Fact]
    public async Task A_child_names_its_parent_and_is_found_by_it()
    {
        await server.PushAsync(TestServer.Document("child", "  - a: {set: {x: 1}}"));
        var run = await server.StartAsync("parent", "  - spawn: {run: {workflow: {namespace: test, name: child, version: latest}}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));

        var child = Assert.Single((await server.GetAsync($"/api/v1/runs?parent={run}")).Body["items"].AsArray());
        Assert.Equal(run.ToString(), child["parent"]["run"].AsString());
        Assert.Equal(child["id"], (await GetAsync(run, "/steps"))["items"][0]["child"]);
    }

    [Fact]
    public async Task A_faulted_run_tells_its_error_and_the_task_that_raised_it()
    {
        var run = await server.StartAsync("faulted", "  - boom: {raise: {error: {type: https://example.com/boom, status: 418, title: Boom, detail: it broke}}}");
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));

        var error = (await GetAsync(run))["error"];
        Assert.Equal(("https://example.com/boom", "/do/0/boom"), (error["type"].AsString(), error["instance"].AsString()));
    }

    [Fact]
    public async Task An_artifact_is_listed_and_its_bytes_may_do_nothing_in_a_browser()
    {
        var run = await server.StartAsync("artifact", "  - a: {call: 'artifact:1.0.0@default', with: {name: page.html, content: '<script>alert(1)</script>'}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));

        var artifact = (await GetAsync(run, "/artifacts"))["items"][0];
        Assert.Equal("<script>alert(1)</script>", await File.ReadAllTextAsync(artifact["path"].AsString()));
        var bytes = await server.GetAsync(artifact["href"].AsString());
        Assert.Equal("<script>alert(1)</script>", bytes.Text);
        Assert.Equal("attachment", bytes.ContentHeaders.ContentDisposition?.DispositionType);
        Assert.Contains("sandbox", bytes.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_and_definitions_are_there_after_a_restart_and_go_on()
    {
        var own = new TestServer();
        await own.InitializeAsync();
        await using (own)
        {
            var run = await own.StartAsync("restart", Gated + "\n  - b: {set: {x: 1}}");
            await own.Gate.EnteredAsync(run);
            await own.RestartAsync();

            own.Gate.Open(run);

            Assert.Equal(RunPhase.Completed, await own.EndAsync(run));
            Assert.Equal("""{"x":1}""", (await own.GetAsync($"/api/v1/runs/{run}/output")).Text);
        }
    }
}

public sealed class RunsOnSqliteTests(TestServer server) : RunTests(server), IClassFixture<TestServer>;

public sealed class RunsOnPostgresTests(PostgresTestServer server) : RunTests(server), IClassFixture<PostgresTestServer>;
