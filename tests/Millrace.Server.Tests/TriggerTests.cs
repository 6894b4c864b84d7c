using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Definitions whose runs events start, and what runs say of what started them.</summary>
public abstract class TriggerTests(TestServer server)
{
    private const string Tasks = "  - a: {set: {x: 1}}";

    [Fact]
    public async Task What_events_start_is_listed_with_what_it_listens_for_since_when_and_its_last_run()
    {
        await PushAsync("listed", "{one: {with: {type: listed.a, source: /shop}}}");
        var listed = (await server.GetAsync("/api/v1/triggers?limit=200")).Body["items"].AsArray().Single(t => t["name"].AsString() == "listed");
        Assert.Equal("""{"one":{"with":{"type":"listed.a","source":"/shop"}}}""", listed["on"].ToString());
        Assert.Equal("""[{"type":"listed.a","source":"/shop"}]""", listed["events"].ToString());
        Assert.Equal((false, true, "1.0.0"), (listed["paused"].IsTruthy, listed["lastRun"].IsNull, listed["version"].AsString()));
        var sent = await SendAsync("listed-1", "listed.a", "/shop");
        var found = (await server.GetAsync("/api/v1/triggers/test/listed")).Body;
        var run = Assert.Single(found["runs"].AsArray());
        Assert.Equal(run.ToString(), found["trigger"]["lastRun"].ToString());
        Assert.Equal($$"""[{"position":{{sent}},"id":"listed-1","type":"listed.a","source":"/shop"}]""", run["events"].ToString());
        // A later version goes on listening since the first; one without schedule.on ends it.
        await PushAsync("listed", "{one: {with: {type: listed.b}}}", "1.1.0");
        var later = (await server.GetAsync("/api/v1/triggers/test/listed")).Body["trigger"];
        Assert.Equal((listed["since"], "1.1.0", """[{"type":"listed.b"}]"""), (later["since"], later["version"].AsString(), later["events"].ToString()));
        Assert.Equal(201, (await server.PushAsync(TestServer.Document("listed", Tasks, "1.2.0"))).Status);
        var gone = await server.GetAsync("/api/v1/triggers/test/listed");
        Assert.Equal((404, "trigger.not_found"), (gone.Status, gone.Body["code"].AsString()));
    }

    [Fact]
    public async Task While_it_is_paused_events_start_nothing_and_it_stays_paused_through_a_push()
    {
        await PushAsync("rests", "{one: {with: {type: rests.a}}}");
        Assert.True((await PatchAsync("rests", true))["paused"].IsTruthy);
        await SendAsync("rests-1", "rests.a");
        await PushAsync("rests", "{one: {with: {type: rests.a}}}", "1.1.0");
        await SendAsync("rests-2", "rests.a");
        Assert.Empty((await server.GetAsync("/api/v1/triggers/test/rests")).Body["runs"].AsArray());
        Assert.False((await PatchAsync("rests", false))["paused"].IsTruthy);
        await SendAsync("rests-3", "rests.a");
        var run = Assert.Single((await server.GetAsync("/api/v1/triggers/test/rests")).Body["runs"].AsArray());
        Assert.Equal("rests-3", run["events"][0]["id"].AsString());
    }

    [Fact]
    public async Task Events_that_start_a_run_together_are_all_told_of()
    {
        await PushAsync("both", "{all: [{with: {type: both.a}}, {with: {type: both.b}}]}");
        await SendAsync("both-1", "both.a");
        await SendAsync("both-2", "both.b");
        var run = await UntilAsync("/api/v1/triggers/test/both", d => d["runs"].ArrayOrNull is { Count: 1 } runs ? runs[0] : (Json?)null);
        var told = (await server.GetAsync($"/api/v1/runs/{run["run"].AsString()}")).Body["startedBy"];
        Assert.Equal(("event", 2.0, "both-1 both-2"), (told["by"].AsString(), told["count"].AsNumber(), string.Join(' ', told["events"].AsArray().Select(e => e["id"].AsString()))));
    }

    [Fact]
    public async Task A_run_says_what_started_it()
    {
        var called = await server.StartAsync("called", "  - child: {run: {workflow: {namespace: test, name: called-child, version: 1.0.0}}}");
        Assert.Equal("""{"by":"caller"}""", await StarterAsync(called));
        await server.EndAsync(called);
        await server.StartAsync("called-child", Tasks);
        var parent = await server.StartAsync("calls", "  - child: {run: {workflow: {namespace: test, name: called-child, version: 1.0.0}}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(parent));
        var child = (await server.GetAsync($"/api/v1/runs?parent={parent}")).Body["items"][0];
        Assert.Equal($$"""{"by":"run","run":"{{parent}}"}""", child["startedBy"].ToString());
        var fork = await server.PostAsync($"/api/v1/runs/{parent}/forks", """{"step": 1}""");
        Assert.Equal($$"""{"by":"fork","run":"{{parent}}"}""", fork.Body["startedBy"].ToString());
        await server.PushAsync(TestServer.Document("ticks", Tasks, head: "schedule: {every: PT6H}\n"));
        var tick = (await server.PostAsync("/api/v1/schedules/test/ticks/runs", "{}")).Body;
        Assert.Equal(("schedule", tick["trigger"]["at"].AsString()), (tick["startedBy"]["by"].AsString(), tick["startedBy"]["at"].AsString()));
    }

    [Fact]
    public async Task A_run_that_goes_on_as_another_hands_on_what_started_it()
    {
        await PushAsync("chain", "{one: {with: {type: chain.a}}}", tasks: """
              - again: {if: '${ type == "array" }', call: 'continue:1.0.0@default', with: {input: {n: 1}}}
            """);
        await SendAsync("chain-1", "chain.a");
        var last = await UntilAsync("/api/v1/runs?definition=test/chain", d => d["items"].AsArray().FirstOrDefault(r => r["startedBy"]["by"].AsString() == "event" && d["items"].AsArray().Count == 2));
        Assert.Equal("chain-1", last["startedBy"]["events"][0]["id"].AsString());
        Assert.All((await server.GetAsync("/api/v1/runs?definition=test/chain")).Body["items"].AsArray(), r => Assert.Equal("event", r["startedBy"]["by"].AsString()));
    }

    [Fact]
    public async Task An_event_says_which_runs_it_started_and_which_heard_it()
    {
        var hears = await server.StartAsync("hearer", "  - hear: {listen: {to: {one: {with: {type: heard.a}}}}}");
        var refuses = await server.StartAsync("refuser", "  - hear: {listen: {to: {one: {with: {type: heard.a, source: '/other.*'}}}}}");
        await PushAsync("heard", "{one: {with: {type: heard.a}}}");
        await UntilAsync($"/api/v1/runs/{hears}/waiting", d => d["items"].AsArray().FirstOrDefault(w => w["on"].AsString() == "event"));
        var position = await SendAsync("heard-1", "heard.a");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(hears));
        var runs = (await server.GetAsync($"/api/v1/events/{position}/runs")).Body["items"].AsArray();
        Assert.Equal(["hearer False", "heard True"], runs.Select(r => $"{r["run"]["definition"]["name"].AsString()} {r["started"].IsTruthy}"));
        var first = (await server.GetAsync($"/api/v1/events/{position}/runs?limit=1")).Body;
        Assert.Equal("heard", (await server.GetAsync($"/api/v1/events/{position}/runs?limit=1&cursor={first["next"].AsString()}")).Body["items"][0]["run"]["definition"]["name"].AsString());
        Assert.Equal(404, (await server.GetAsync("/api/v1/events/999999999/runs")).Status);
        await server.PostAsync($"/api/v1/runs/{refuses}/cancellation", "{}");
        Assert.Equal(RunPhase.Cancelled, await server.EndAsync(refuses));
    }

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"paused": 1}""", 400)]
    [InlineData("""{"paused": true, "on": {}}""", 400)]
    public async Task A_wrong_change_is_refused(string body, int status)
    {
        await PushAsync("refused", "{one: {with: {type: refused.a}}}");
        var request = new HttpRequestMessage(HttpMethod.Patch, "/api/v1/triggers/test/refused") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        Assert.Equal(status, (await server.SendAsync(request)).Status);
        Assert.False((await server.GetAsync("/api/v1/triggers/test/refused")).Body["trigger"]["paused"].IsTruthy);
    }

    private async Task PushAsync(string name, string on, string version = "1.0.0", string tasks = Tasks)
    {
        var pushed = await server.PushAsync(TestServer.Document(name, tasks, version, $"schedule: {{on: {on}}}\n"));
        Assert.True(pushed.Status is 200 or 201, pushed.Text);
    }

    private async Task<string> SendAsync(string id, string type, string source = "/tests")
    {
        var sent = await server.PostAsync("/api/v1/events", $$"""{"specversion": "1.0", "id": "{{id}}", "source": "{{source}}", "type": "{{type}}"}""", "application/cloudevents+json");
        Assert.Equal(202, sent.Status);
        return sent.Body["items"][0]["position"].ToString();
    }

    private async Task<Json> PatchAsync(string name, bool paused)
    {
        var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/triggers/test/{name}") { Content = new StringContent(Json.Object("paused", paused).ToString(), Encoding.UTF8, "application/json") };
        var answer = await server.SendAsync(request);
        Assert.Equal(200, answer.Status);
        return answer.Body;
    }

    private async Task<string> StarterAsync(Guid run) => (await server.GetAsync($"/api/v1/runs/{run}")).Body["startedBy"].ToString();

    private async Task<Json> UntilAsync(string path, Func<Json, Json?> find)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (true)
        {
            if (find((await server.GetAsync(path)).Body) is { IsNull: false } found) return found;
            await pulse.WaitForNextTickAsync(patience.Token);
        }
    }
}

public sealed class TriggersOnSqliteTests(TestServer server) : TriggerTests(server), IClassFixture<TestServer>;

public sealed class TriggersOnPostgresTests(PostgresTestServer server) : TriggerTests(server), IClassFixture<PostgresTestServer>;
