using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class LimitTests(TestServer server)
{
    [Fact]
    public async Task A_run_that_waits_for_its_turn_says_for_which_limit_and_begins_when_the_limit_is_raised()
    {
        await PushAsync("limited", "  - a: {call: 'gate:1.0.0@default'}", "flow: {concurrency: {key: '${ .customer }', limit: 1}}");
        var first = await StartAsync("limited");
        var second = await StartAsync("limited");
        await UntilAsync("/api/v1/limits", l => l["items"].AsArray().Any(i => i["held"].AsNumber() == 1 && i["queued"].AsNumber() == 1));
        var waits = new[] { await WaitAsync(first), await WaitAsync(second) };
        var slot = Assert.Single(waits, w => w["on"].AsString() == "slot");
        Assert.Equal("It waits for a slot of the limit 'test/limited' for 'a': 1 of 1 are taken, and it is the next.", slot["detail"].AsString());

        var set = await PutAsync("/api/v1/limits/test/limited", """{"limit": 2}""");
        Assert.Equal((200, 2), (set.Status, (int)set.Body["limit"].AsNumber()));
        await UntilAsync("/api/v1/limits", l => l["items"].AsArray().Any(i => i["held"].AsNumber() == 2 && i["isSetting"].IsTruthy));
        server.Gate.Open(first);
        server.Gate.Open(second);
        Assert.Equal(RunPhase.Completed, await server.EndAsync(first));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(second));
    }

    [Fact]
    public async Task The_workspace_s_weight_and_limit_are_kept_and_taken_back()
    {
        Assert.Equal("""{"weight":3,"limit":100}""", (await PutAsync("/api/v1/limits/workspace", """{"weight": 3, "limit": 100}""")).Text);
        Assert.Equal("""{"weight":3,"limit":100}""", (await server.GetAsync("/api/v1/limits/workspace")).Text);
        Assert.Equal("""{"weight":1,"limit":null}""", (await PutAsync("/api/v1/limits/workspace", """{"weight": 1, "limit": null}""")).Text);
    }

    [Theory]
    [InlineData("/api/v1/limits/workspace", """{"weight": 0, "limit": 1}""", "/weight")]
    [InlineData("/api/v1/limits/workspace", """{"weight": 1}""", "/limit")]
    [InlineData("/api/v1/limits/test/limited", """{"limit": -1}""", "/limit")]
    [InlineData("/api/v1/retention", """{"completed": "soon"}""", "/completed")]
    [InlineData("/api/v1/retention", """{"complete": "P1D"}""", "/complete")]
    public async Task What_is_wrong_is_refused_where_it_stands(string path, string body, string pointer)
    {
        var refused = await PutAsync(path, body);
        Assert.Equal(400, refused.Status);
        Assert.Contains(refused.Body["errors"].AsArray(), e => e["pointer"].AsString() == pointer);
    }

    [Theory]
    [InlineData("flow: {concurrency: {limit: 0}}", "/document/metadata/flow/concurrency/limit")]
    [InlineData("flow: {concurrency: {limit: 1, key: '${ .a | }'}}", "/document/metadata/flow/concurrency/key")]
    [InlineData("flow: {concurrency: {limit: 1, onLimit: cancelNewst}}", "/document/metadata/flow/concurrency/onLimit")]
    [InlineData("flow: {rateLimit: {limit: 1}}", "/document/metadata/flow/rateLimit")]
    [InlineData("flow: {debounce: {after: PT1H, max: PT1M}}", "/document/metadata/flow/debounce/max")]
    [InlineData("flow: {priority: 5000}", "/document/metadata/flow/priority")]
    [InlineData("retention: {completed: P99999D}", "/document/metadata/retention/completed")]
    [InlineData("deadLetter: maybe", "/document/metadata/deadLetter")]
    public async Task A_document_that_is_wrong_is_refused_at_its_place(string metadata, string pointer)
    {
        var refused = await server.PushAsync(Document("wrong", "  - a: {set: {x: 1}}", metadata));
        Assert.Equal(422, refused.Status);
        Assert.Contains(refused.Body["errors"].AsArray(), e => e["pointer"].AsString() == pointer && e["line"].AsNumber() > 0);
    }

    [Fact]
    public async Task Retention_of_the_workspace_is_kept()
    {
        Assert.Equal("""{"completed":"P7D","faulted":"P30D","cancelled":null}""", (await PutAsync("/api/v1/retention", """{"completed": "P7D", "faulted": "P30D"}""")).Text);
        Assert.Equal("""{"completed":null,"faulted":null,"cancelled":null}""", (await PutAsync("/api/v1/retention", "{}")).Text);
    }

    [Fact]
    public async Task Dead_letters_are_listed_tried_again_and_forgotten()
    {
        await PushAsync("dies", "  - a: {raise: {error: {type: 'https://example.com/no', status: 400, title: no}}}", "deadLetter: true");
        await server.EndAsync(await StartAsync("dies"));
        await server.EndAsync(await StartAsync("dies"));
        var listed = (await server.GetAsync("/api/v1/dead-letters?definition=test/dies&kind=run")).Body["items"].AsArray();
        Assert.Equal(2, listed.Count);
        var one = listed[0]["id"].AsString();
        Assert.Equal("run.faulted", (await server.GetAsync($"/api/v1/dead-letters/{one}")).Body["reason"].AsString());

        var again = (await server.PostAsync("/api/v1/dead-letters/requeue", $$"""{"ids": ["{{one}}"]}""")).Body;
        Assert.Equal((1, 1), ((int)again["done"].AsNumber(), again["runs"].AsArray().Count));
        await server.EndAsync(Guid.Parse(again["runs"][0].AsString()));
        Assert.Equal(404, (await server.GetAsync($"/api/v1/dead-letters/{one}")).Status);

        var forgotten = (await server.PostAsync("/api/v1/dead-letters/discard", """{"definition": "test/dies"}""")).Body;
        Assert.Equal(2, (int)forgotten["done"].AsNumber());
        Assert.Equal(400, (await server.PostAsync("/api/v1/dead-letters/discard", """{"kind": "thing"}""")).Status);
    }

    [Fact]
    public async Task A_run_that_has_ended_says_when_it_goes_and_that_it_lies_in_the_dead_letters()
    {
        await PushAsync("goes", "  - a: {raise: {error: {type: 'https://example.com/no', status: 400, title: no}}}", "retention: {faulted: P7D}, deadLetter: true");
        var run = await StartAsync("goes");
        await server.EndAsync(run);
        var told = (await server.GetAsync($"/api/v1/runs/{run}")).Body;
        Assert.Equal((TimeSpan.FromDays(7), true), (TimeOf(told["keptUntil"]) - TimeOf(told["endedAt"]), told["deadLetter"].IsTruthy));
        var listed = (await server.GetAsync("/api/v1/runs?definition=test/goes")).Body["items"][0];
        Assert.Equal((true, true), (listed["keptUntil"].IsNull, listed["deadLetter"].IsNull));
        await server.PostAsync("/api/v1/dead-letters/discard", """{"definition": "test/goes"}""");
        var later = (await server.GetAsync($"/api/v1/runs/{run}")).Body;
        Assert.Equal((told["keptUntil"], true), (later["keptUntil"], later["deadLetter"].IsNull));
    }

    [Fact]
    public async Task A_run_says_its_priority_and_what_it_counts_in()
    {
        await PushAsync("flows", "  - a: {wait: PT1H}", "flow: {priority: '${ .n }', concurrency: {key: '${ .who }', limit: 2}, rateLimit: {limit: 9, per: PT1S}}");
        var started = await server.PostAsync("/api/v1/runs", """{"definition": {"namespace": "test", "name": "flows", "version": "1.0.0"}, "input": {"n": 5, "who": "anna"}}""");
        var run = started.Body["id"].AsString();
        await UntilAsync($"/api/v1/runs/{run}", r => r["flow"].IsObject);
        var flow = (await server.GetAsync($"/api/v1/runs/{run}")).Body["flow"];
        Assert.Equal("""{"priority":5,"limits":[{"kind":"slot","name":"test/flows","key":"anna","most":2},{"kind":"rate","name":"test/flows#rate","key":"","most":9}]}""", flow.ToString());
        Assert.True((await server.GetAsync("/api/v1/runs?definition=test/flows")).Body["items"][0]["flow"].IsNull);
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
    }

    [Theory]
    [InlineData("open", "wait: PT1H", "retention: {completed: P7D, cancelled: P7D}")]
    [InlineData("kept", "set: {x: 1}", "retention: {faulted: P7D}")]
    public async Task A_run_that_is_under_way_or_kept_for_ever_says_nothing_of_when_it_goes(string name, string task, string metadata)
    {
        await PushAsync(name, $"  - a: {{{task}}}", metadata);
        var run = await StartAsync(name);
        if (name == "kept") await server.EndAsync(run);
        var told = (await server.GetAsync($"/api/v1/runs/{run}")).Body;
        Assert.Equal((true, true), (told["keptUntil"].IsNull, told["deadLetter"].IsNull));
        if (name == "open") await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
    }

    [Fact]
    public async Task Dead_letters_of_a_reason_and_a_definition_are_tried_again_together_and_from_a_place_on()
    {
        const string tasks = "  - a: {raise: {error: {type: 'https://example.com/no', status: 400, title: no}}}";
        await PushAsync("dies-together", tasks, "deadLetter: true");
        await PushAsync("dies-apart", tasks, "deadLetter: true");
        for (var i = 0; i < 3; i++) await server.EndAsync(await StartAsync("dies-together"));
        await server.EndAsync(await StartAsync("dies-apart"));
        async Task<Json> RequeueAsync(string more) => (await server.PostAsync("/api/v1/dead-letters/requeue", $$"""{"reason": "run.faulted", "definition": "test/dies-together"{{more}}}""")).Body;
        Assert.Equal(0, (await server.PostAsync("/api/v1/dead-letters/requeue", """{"reason": "run.given_up", "definition": "test/dies-together"}""")).Body["done"].AsNumber());
        var listed = (await server.GetAsync("/api/v1/dead-letters?reason=run.faulted&definition=test/dies-together")).Body["items"].AsArray();
        var again = await RequeueAsync($", \"after\": \"{listed[0]["id"].AsString()}\"");
        Assert.Equal((2.0, true), (again["done"].AsNumber(), again["next"].IsNull));
        foreach (var run in again["runs"].AsArray()) await server.EndAsync(Guid.Parse(run.AsString()));
        Assert.Equal(3.0, (await RequeueAsync(""))["done"].AsNumber());
        Assert.Single((await server.GetAsync("/api/v1/dead-letters?definition=test/dies-apart")).Body["items"].AsArray());
        Assert.Equal(400, (await server.PostAsync("/api/v1/dead-letters/requeue", """{"after": "x"}""")).Status);
    }

    private static DateTimeOffset TimeOf(Json time) => DateTimeOffset.Parse(time.AsString(), System.Globalization.CultureInfo.InvariantCulture);

    private static string Document(string name, string tasks, string metadata) =>
        $"document: {{dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0', metadata: {{{metadata}}}}}\ndo:\n{tasks}\n";

    private async Task PushAsync(string name, string tasks, string metadata)
    {
        var pushed = await server.PushAsync(Document(name, tasks, metadata));
        Assert.True(pushed.Status == 201, pushed.Text);
    }

    private async Task<Guid> StartAsync(string name)
    {
        var started = await server.PostAsync("/api/v1/runs", $$$"""{"definition": {"namespace": "test", "name": "{{{name}}}"}, "input": {"customer": "a"}}""");
        Assert.True(started.Status == 201, started.Text);
        return Guid.Parse(started.Body["id"].AsString());
    }

    private async Task<Json> WaitAsync(Guid run) => (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0];

    private Task<Answer> PutAsync(string path, string body) =>
        server.SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") });

    private async Task UntilAsync(string path, Func<Json, bool> says)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (!says((await server.GetAsync(path)).Body)) await pulse.WaitForNextTickAsync(patience.Token);
    }
}

public sealed class LimitsOnSqliteTests(TestServer server) : LimitTests(server), IClassFixture<TestServer>;

public sealed class LimitsOnPostgresTests(PostgresTestServer server) : LimitTests(server), IClassFixture<PostgresTestServer>;
