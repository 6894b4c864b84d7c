using System.Net.Http.Headers;
using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Maps and swarms as clients see them.</summary>
public abstract class SpawnTests(TestServer server)
{
    private static string Map(string child, string with) =>
        $"  - all: {{call: 'map:1.0.0@default', with: {{in: '${{ .list }}', do: {{namespace: test, name: {child}, version: ^1}}, {with}}}}}";

    private async Task<Json> GetAsync(Guid run, string rest = "") => (await server.GetAsync($"/api/v1/runs/{run}{rest}")).Body;

    private Task<Answer> PutAsync(string path, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return server.SendAsync(request);
    }

    private async Task<List<Guid>> ChildrenAsync(Guid run) =>
        [.. (await server.GetAsync($"/api/v1/runs?parent={run}")).Body["items"].AsArray().Select(r => Guid.Parse(r["id"].AsString()))];

    [Fact]
    public async Task A_map_tells_how_far_its_children_are_and_takes_another_concurrency()
    {
        await server.PushAsync(TestServer.Document("gated-child", "  - gate: {call: 'gate:1.0.0@default'}"));
        var run = await server.StartAsync("gated-map", Map("gated-child", "concurrency: 1"), """{"list": [1, 2, 3]}""");
        Guid first;
        while ((await ChildrenAsync(run)) is not [var one] || (first = one) == default) { }
        await server.Gate.EnteredAsync(first);

        Assert.Equal("""{"total":3,"completed":0,"failed":0,"running":1,"queued":2,"skipped":0,"concurrency":1}""", (await GetAsync(run, "/steps/1"))["spawn"].ToString());
        Assert.Contains("1 of 3 are under way, 2 queued", (await GetAsync(run, "/waiting"))["items"][0]["detail"].AsString(), StringComparison.Ordinal);

        Assert.Equal((400, "/concurrency"), Refused(await PutAsync($"/api/v1/runs/{run}/steps/1/concurrency", """{"concurrency": 0}""")));
        Assert.Equal(409, (await server.PostAsync($"/api/v1/runs/{run}/steps/1/redrive", "")).Status);
        Assert.Equal(202, (await PutAsync($"/api/v1/runs/{run}/steps/1/concurrency", """{"concurrency": 3}""")).Status);
        List<Guid> children;
        while ((children = await ChildrenAsync(run)).Count < 3) { }
        foreach (var child in children) server.Gate.Open(child);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("""{"total":3,"completed":3,"failed":0,"running":0,"queued":0,"skipped":0,"concurrency":3}""", (await GetAsync(run, "/steps/1"))["spawn"].ToString());
        Assert.Equal("step.not_redrivable", (await server.PostAsync($"/api/v1/runs/{run}/steps/1/redrive", "")).Body["code"].AsString());
        Assert.Equal("step.already_ended", (await PutAsync($"/api/v1/runs/{run}/steps/1/concurrency", """{"concurrency": 3}""")).Body["code"].AsString());
    }

    [Fact]
    public async Task Lists_and_bulk_work_leave_out_what_other_runs_started_when_they_are_told_to()
    {
        var before = (await server.GetAsync("/api/v1/system")).Body;
        await server.PushAsync(TestServer.Document("listed-child", "  - fail: {raise: {error: {type: 'https://example.com/e', status: 500}}}"));
        var run = await server.StartAsync("listed-child", "  - fail: {raise: {error: {type: 'https://example.com/e', status: 500}}}");
        var map = await server.StartAsync("listed-map", Map("listed-child", "concurrency: 3, onError: collect"), """{"list": [1, 2, 3]}""");
        await server.EndAsync(run);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(map));
        // Of all that have faulted, as the page counts them when it leaves children out and when it does not.
        var after = (await server.GetAsync("/api/v1/system")).Body;
        int Joined(string which) => (int)(after[which]["faulted"].AsNumber() - before[which]["faulted"].AsNumber());
        Assert.Equal((4, 3), (Joined("runs"), Joined("children")));
        async Task<int> CountAsync(string query) => (await server.GetAsync($"/api/v1/runs?definition=test/listed-child{query}")).Body["items"].AsArray().Count;
        Assert.Equal((4, 4, 1), (await CountAsync(""), await CountAsync("&children=true"), await CountAsync("&children=false")));
        Assert.Equal(400, (await server.GetAsync($"/api/v1/runs?children=false&parent={map}")).Status);
        Assert.Equal(400, (await server.GetAsync("/api/v1/runs?children=no")).Status);

        var wish = """{"action": "retry", "filter": {"namespace": "test", "name": "listed-child", "children": CHILDREN}}""";
        Assert.Equal(400, (await server.PostAsync("/api/v1/runs/bulk", wish.Replace("CHILDREN", "1", StringComparison.Ordinal))).Status);
        Assert.Equal(1, (await server.PostAsync("/api/v1/runs/bulk", wish.Replace("CHILDREN", "false", StringComparison.Ordinal))).Body["found"].AsNumber());
    }

    private static (int, string) Refused(Answer answer) => (answer.Status, answer.Body["errors"][0]["pointer"].AsString());

    [Fact]
    public async Task A_run_that_failed_can_be_redriven_once_the_cause_is_gone()
    {
        // The child faults unless a newer version of what it runs is there.
        await server.PushAsync(TestServer.Document("step-of-it", "  - fail: {raise: {error: {type: 'https://example.com/e', status: 500, title: Broken}}}"));
        await server.PushAsync(TestServer.Document("through", "  - on: {run: {workflow: {namespace: test, name: step-of-it, version: '>=1 <2'}}}"));
        var run = await server.StartAsync("redriven", Map("through", "concurrency: 2"), """{"list": [1, 2, 3]}""");
        Assert.Equal(RunPhase.Faulted, await server.EndAsync(run));
        await server.PushAsync(TestServer.Document("step-of-it", "  - fine: {set: {ok: true}}", "1.1.0"));
        await server.PushAsync(TestServer.Document("step-of-it", "  - other: {set: {ok: false}}", "2.0.0"));

        var answer = await server.PostAsync($"/api/v1/runs/{run}/steps/1/redrive", "");

        Assert.Equal(202, answer.Status);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("""[{"ok":true},{"ok":true},{"ok":true}]""", (await server.GetAsync($"/api/v1/runs/{run}/output")).Text);
        Assert.Equal("completed", (await GetAsync(run))["state"].AsString());
    }

    [Fact]
    public async Task Results_that_stay_with_the_children_are_read_page_by_page_or_as_lines()
    {
        await server.PushAsync(TestServer.Document("picky", "  - look: {if: '${ . == 3 }', raise: {error: {type: 'https://example.com/e', status: 418}}}\n  - give: {set: '${ . * 10 }'}"));
        var run = await server.StartAsync("by-reference", Map("picky", "chunk: 2, onError: collect, results: reference, concurrency: 1"), """{"list": [1, 2, 3, 4, 5]}""");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        Assert.Equal("reference", (await GetAsync(run, "/steps/1"))["spawn"]["results"].AsString());

        var page = await GetAsync(run, "/steps/1/results?limit=2");
        Assert.Equal(["0 0 2 completed [10,20]", "1 2 2 completed [null,40]"], page["items"].AsArray().Select(c => $"{c["chunk"]} {c["offset"]} {c["count"]} {c["state"].AsString()} {c["results"]}"));
        var last = await GetAsync(run, $"/steps/1/results?limit=2&cursor={page["next"].AsString()}");
        Assert.Equal(("[50]", Json.Null), (last["items"][0]["results"].ToString(), last["next"]));
        Assert.Contains(Guid.Parse(last["items"][0]["runs"][0].AsString()), await ChildrenAsync(run));

        var lines = await server.GetAsync($"/api/v1/runs/{run}/steps/1/results.jsonl");
        Assert.Equal("""
            {"index":0,"result":10}
            {"index":1,"result":20}
            {"index":2,"result":null}
            {"index":3,"result":40}
            {"index":4,"result":50}

            """.ReplaceLineEndings("\n"), lines.Text);
    }

    [Fact]
    public async Task A_chunk_without_results_says_so_in_its_line()
    {
        await server.PushAsync(TestServer.Document("never", "  - fail: {raise: {error: {type: 'https://example.com/e', status: 418}}}"));
        var run = await server.StartAsync("without-results", Map("never", "onError: collect, results: reference"), """{"list": [1, 2]}""");
        await server.EndAsync(run);
        Assert.Equal("{\"index\":0,\"count\":1,\"state\":\"missing\"}\n{\"index\":1,\"count\":1,\"state\":\"missing\"}\n", (await server.GetAsync($"/api/v1/runs/{run}/steps/1/results.jsonl")).Text);
    }

    [Fact]
    public async Task A_map_that_gives_its_results_itself_has_none_to_be_read()
    {
        await server.PushAsync(TestServer.Document("plain-child", "  - give: {set: '${ . }'}"));
        var run = await server.StartAsync("inline", Map("plain-child", "chunk: 2"), """{"list": [1]}""");
        await server.EndAsync(run);
        foreach (var rest in (string[])["results", "results.jsonl"])
            Assert.Equal("step.no_references", (await server.GetAsync($"/api/v1/runs/{run}/steps/1/{rest}")).Body["code"].AsString());
    }

    [Fact]
    public async Task A_swarm_tells_of_each_member()
    {
        await server.PushAsync(TestServer.Document("member", "  - give: {set: '${ {got: .} }'}"));
        var run = await server.StartAsync("a-swarm",
            "  - all: {call: 'swarm:1.0.0@default', with: {nodes: {a: {run: {namespace: test, name: member, version: latest}, input: 1}, b: {run: {namespace: test, name: absent, version: latest}}, c: {run: {namespace: test, name: member, version: latest}, needs: [a, b]}}}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        var spawn = (await GetAsync(run, "/steps/1"))["spawn"];
        Assert.Equal(["a completed", "b faulted", "c skipped"], spawn["members"].AsArray().Select(m => $"{m["name"].AsString()} {m["state"].AsString()}"));
        Assert.Equal("""["a","b"]""", spawn["members"][2]["needs"].ToString());
        Assert.False((await GetAsync(run, "/steps"))["items"][0]["spawn"].AsObject().Has("members"));
    }

    [Fact]
    public async Task A_step_without_children_has_none_to_act_on()
    {
        var run = await server.StartAsync("plain", "  - a: {set: {x: 1}}");
        await server.EndAsync(run);
        Assert.Equal("step.no_children", (await server.PostAsync($"/api/v1/runs/{run}/steps/1/redrive", "")).Body["code"].AsString());
        Assert.Equal("step.not_found", (await server.PostAsync($"/api/v1/runs/{run}/steps/9/redrive", "")).Body["code"].AsString());
        Assert.Equal("run.not_found", (await server.PostAsync($"/api/v1/runs/{Guid.CreateVersion7()}/steps/1/redrive", "")).Body["code"].AsString());
    }
}

public sealed class SpawnOnSqliteTests(TestServer server) : SpawnTests(server), IClassFixture<TestServer>;

public sealed class SpawnOnPostgresTests(PostgresTestServer server) : SpawnTests(server), IClassFixture<PostgresTestServer>;
