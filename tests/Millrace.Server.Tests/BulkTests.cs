using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Platform.Bulk;
using Millrace.Server.Tests.Support;
using Millrace.Storage;

namespace Millrace.Server.Tests;

public abstract class BulkTests(TestServer server)
{
    private const string Faulty = "  - one: {set: {n: 1}}\n  - two: {set: {n: '${ error(\"no\") }'}}";

    private async Task<List<Guid>> EndedAsync(string name, int count)
    {
        var runs = new List<Guid>();
        for (var i = 0; i < count; i++) runs.Add(await server.StartAsync(name, Faulty));
        foreach (var run in runs) await server.EndAsync(run);
        return runs;
    }

    private async Task<Json> DoneAsync(Answer asked)
    {
        Assert.True(asked.Status == 202, asked.Text);
        using var patience = new CancellationTokenSource(TestServer.Patience);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await pulse.WaitForNextTickAsync(patience.Token))
        {
            var work = (await server.GetAsync($"/api/v1/runs/bulk/{asked.Body["id"].AsString()}")).Body;
            if (work["state"].AsString() != "running") return work;
        }
        throw new TimeoutException();
    }

    private async Task<int> ForksAsync(Guid run) => (await server.GetAsync($"/api/v1/runs?forkOf={run}")).Body["items"].AsArray().Count;

    [Fact]
    public async Task Faulted_runs_of_a_definition_are_retried_each_once()
    {
        var runs = await EndedAsync("bulk-retry", 25);
        const string Body = """{"action": "retry", "filter": {"states": ["faulted"], "namespace": "test", "name": "bulk-retry"}, "reason": "mended"}""";
        var asked = await server.PostAsync("/api/v1/runs/bulk", Body, key: "bulk-retry");
        var again = await server.PostAsync("/api/v1/runs/bulk", Body, key: "bulk-retry");
        Assert.Equal(asked.Body["id"], again.Body["id"]);
        var work = await DoneAsync(asked);
        Assert.Equal(("completed", 25d, 25d, 0d), (work["state"].AsString(), work["found"].AsNumber(), work["done"].AsNumber(), work["refused"].AsNumber()));
        foreach (var run in runs) Assert.Equal(1, await ForksAsync(run));
        Assert.Equal(asked.Body["id"], (await server.GetAsync("/api/v1/runs/bulk?limit=1")).Body["items"][0]["id"]);
    }

    [Fact]
    public async Task A_page_that_is_done_twice_does_nothing_twice()
    {
        var runs = await EndedAsync("bulk-twice", 3);
        var asked = await server.PostAsync("/api/v1/runs/bulk", $$"""{"action": "fork", "seq": 0, "filter": {"ids": [{{string.Join(',', runs.Select(r => $"\"{r}\""))}}]} }""");
        await DoneAsync(asked);
        // As after a process that died between its last fork and the record of it.
        var id = Guid.Parse(asked.Body["id"].AsString());
        await server.Database.WriteAsync(db => db.Execute("update bulk set state = 0, come_to = $1, done = 0, ended_at = null where id = $2", Guid.AllBitsSet, id));
        var work = await DoneAsync(asked);
        Assert.Equal(3d, work["done"].AsNumber());
        foreach (var run in runs) Assert.Equal(1, await ForksAsync(run));
    }

    [Fact]
    public async Task Live_runs_are_suspended_resumed_and_cancelled_and_the_others_are_told()
    {
        var live = await server.StartAsync("bulk-live", "  - rest: {wait: PT1H}");
        var over = (await EndedAsync("bulk-over", 1))[0];
        string Body(string action) => $$"""{"action": "{{action}}", "filter": {"ids": ["{{live}}", "{{over}}", "01900000-0000-7000-8000-000000000000"]} }""";
        foreach (var (action, state) in new[] { ("suspend", "suspended"), ("resume", "waiting"), ("cancel", "cancelled") })
        {
            var work = await DoneAsync(await server.PostAsync("/api/v1/runs/bulk", Body(action)));
            Assert.Equal((1d, 2d), (work["done"].AsNumber(), work["refused"].AsNumber()));
            Assert.Equal(["run.already_finished", "run.not_found"], work["refusals"].AsArray().Select(r => r["code"].AsString()));
            using var patience = new CancellationTokenSource(TestServer.Patience);
            while ((await server.GetAsync($"/api/v1/runs/{live}")).Body["state"].AsString() != state) patience.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task Who_was_asked_to_stand_and_does_not_yet_is_among_those_that_are_to_go_on()
    {
        var run = await server.StartAsync("bulk-asked", "  - rest: {wait: PT1H}");
        var engine = (DurableEngine)server.Services.GetService(typeof(DurableEngine))!;
        var database = (Database)server.Services.GetService(typeof(Database))!;
        var filter = BulkWish.Read(JsonText.Parse("""{"action": "resume", "filter": {"namespace": "test", "name": "bulk-asked"} }""")).Filter with { Limit = 10 };
        var (before, asked) = await database.WriteAsync(db =>
        {
            var none = RunStore.Count(db, Tenant.Default, filter);
            Assert.Equal(ControlOutcome.Accepted, engine.Signal(db, Tenant.Default, run, "suspend", null));
            return (none, RunStore.List(db, Tenant.Default, filter).ConvertAll(r => r.Id));
        });
        engine.Told(Tenant.Default, run);
        Assert.Equal(0, before);
        Assert.Equal([run], asked);
    }

    [Fact]
    public async Task What_is_wrong_with_a_wish_is_located_and_nothing_is_kept()
    {
        var before = (await server.GetAsync("/api/v1/runs/bulk")).Text;
        Assert.Equal("/action", await PlaceAsync("""{"action": "explode", "filter": {"states": ["faulted"]}}"""));
        Assert.Equal("/filter", await PlaceAsync("""{"action": "cancel", "filter": {}}"""));
        Assert.Equal("/filter/states", await PlaceAsync("""{"action": "retry", "filter": {"states": ["running"]}}"""));
        Assert.Equal("/filter/ids", await PlaceAsync("""{"action": "cancel", "filter": {"ids": ["x"]}}"""));
        Assert.Equal("/filter/createdAfter", await PlaceAsync("""{"action": "cancel", "filter": {"createdAfter": "yesterday"}}"""));
        Assert.Equal("", await PlaceAsync("""{"action": "fork", "filter": {"states": ["faulted"]}}"""));
        Assert.Equal("/seq", await PlaceAsync("""{"action": "retry", "seq": 1, "filter": {"states": ["faulted"]}}"""));
        Assert.Equal(404, (await server.GetAsync($"/api/v1/runs/bulk/{Guid.NewGuid()}")).Status);
        Assert.Equal(before, (await server.GetAsync("/api/v1/runs/bulk")).Text);

        async Task<string> PlaceAsync(string body)
        {
            var answer = await server.PostAsync("/api/v1/runs/bulk", body);
            Assert.Equal(400, answer.Status);
            return answer.Body["errors"][0]["pointer"].AsString();
        }
    }

    [Fact]
    public async Task Work_that_is_over_cannot_be_stopped()
    {
        var asked = await server.PostAsync("/api/v1/runs/bulk", """{"action": "cancel", "filter": {"namespace": "nobody"}}""");
        await DoneAsync(asked);
        var stopped = await server.PostAsync($"/api/v1/runs/bulk/{asked.Body["id"].AsString()}/cancellation", "{}");
        Assert.Equal((409, "bulk.already_finished"), (stopped.Status, stopped.Body["code"].AsString()));
    }
}

public sealed class BulkOnSqliteTests(TestServer server) : BulkTests(server), IClassFixture<TestServer>;

public sealed class BulkOnPostgresTests(PostgresTestServer server) : BulkTests(server), IClassFixture<PostgresTestServer>;
