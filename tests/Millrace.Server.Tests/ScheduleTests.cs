using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class ScheduleTests(TestServer server)
{
    private const string Tasks = "  - a: {set: {x: 1}}";

    [Fact]
    public async Task A_schedule_appears_with_its_definition_and_goes_with_it()
    {
        await PushAsync("comes", "cron: 0 8 * * *", "timeZone: Europe/Berlin, overlap: skip, input: {n: 1}");
        var found = await server.GetAsync("/api/v1/schedules/test/comes");
        Assert.Equal(200, found.Status);
        var schedule = found.Body["schedule"];
        Assert.Equal(("0 8 * * *", "Europe/Berlin", "skip", "latest"),
            (schedule["times"]["cron"].AsString(), schedule["timeZone"].AsString(), schedule["overlap"].AsString(), schedule["catchUp"]["mode"].AsString()));
        Assert.Equal(10, found.Body["next"].AsArray().Count);
        Assert.Equal(schedule["nextAt"].AsString(), found.Body["next"][0]["at"].AsString());
        Assert.Empty(found.Body["runs"].AsArray());
        var listed = (await server.GetAsync("/api/v1/schedules?limit=200")).Body["items"].AsArray();
        Assert.Contains(listed, s => s["name"].AsString() == "comes");

        Assert.Equal(201, (await server.PushAsync(TestServer.Document("comes", Tasks, "1.0.1"))).Status);
        Assert.Equal((404, "schedule.not_found"), await RefusalAsync(server.GetAsync("/api/v1/schedules/test/comes")));
    }

    [Fact]
    public async Task Only_the_latest_version_counts()
    {
        await PushAsync("latest", "every: PT2H", version: "2.0.0");
        await PushAsync("latest", "every: PT1H", version: "1.0.0");
        Assert.Equal("2.0.0", (await server.GetAsync("/api/v1/schedules/test/latest")).Body["schedule"]["version"].AsString());
        await PushAsync("latest", "every: PT3H", version: "2.0.1");
        Assert.Equal("PT3H", (await server.GetAsync("/api/v1/schedules/test/latest")).Body["schedule"]["times"]["every"].AsString());
    }

    [Fact]
    public async Task A_schedule_fires_and_its_runs_say_so()
    {
        await PushAsync("fires", "every: PT1S", "input: {n: 5}");
        var detail = await UntilAsync("fires", d => d["runs"].AsArray().Count >= 2 && d["runs"][1]["state"].AsString() == "completed");
        var first = detail["runs"][1];
        var run = (await server.GetAsync($"/api/v1/runs/{first["run"].AsString()}")).Body;
        Assert.Equal(detail["schedule"]["id"].AsString(), run["trigger"]["schedule"].AsString());
        Assert.Equal(first["at"].AsString(), run["trigger"]["at"].AsString());
        Assert.Equal("""{"n":5}""", (await server.GetAsync($"/api/v1/runs/{first["run"].AsString()}/input")).Text);
        await server.SendAsync(Patch("fires", """{"paused": true}"""));
    }

    [Fact]
    public async Task It_is_paused_and_goes_on()
    {
        await PushAsync("pauses", "every: PT1H");
        var paused = await server.SendAsync(Patch("pauses", """{"paused": true}"""));
        Assert.Equal((200, true, true), (paused.Status, paused.Body["paused"].IsTruthy, paused.Body["nextAt"].IsNull));
        Assert.Empty((await server.GetAsync("/api/v1/schedules/test/pauses")).Body["next"].AsArray());
        var resumed = await server.SendAsync(Patch("pauses", """{"paused": false}"""));
        Assert.Equal((200, false, false), (resumed.Status, resumed.Body["paused"].IsTruthy, resumed.Body["nextAt"].IsNull));
    }

    [Fact]
    public async Task A_run_begins_when_somebody_wants_it()
    {
        await PushAsync("now", "every: PT1H", "input: {n: 9}");
        var started = await server.PostAsync("/api/v1/schedules/test/now/runs", "{}", key: "once");
        Assert.Equal(201, started.Status);
        var again = await server.PostAsync("/api/v1/schedules/test/now/runs", "{}", key: "once");
        Assert.Equal((200, started.Body["id"].AsString()), (again.Status, again.Body["id"].AsString()));
        Assert.Equal(RunPhase.Completed, await server.EndAsync(Guid.Parse(started.Body["id"].AsString())));
        await PushAsync("other", "every: PT1H");
        Assert.Equal((409, "run.idempotency_conflict"), await RefusalAsync(server.PostAsync("/api/v1/schedules/test/other/runs", "{}", key: "once")));
    }

    [Fact]
    public async Task A_time_that_has_passed_is_filled_once()
    {
        await PushAsync("fills", "cron: 0 0 * * *");
        const string Body = """{"from": "2026-01-01T00:00:00Z", "to": "2026-01-10T00:00:00Z"}""";
        var filled = await server.PostAsync("/api/v1/schedules/test/fills/backfill", Body);
        Assert.Equal((200, 10, 0), (filled.Status, (int)filled.Body["started"].AsNumber(), (int)filled.Body["known"].AsNumber()));
        var again = await server.PostAsync("/api/v1/schedules/test/fills/backfill", Body);
        Assert.Equal((0, 10), ((int)again.Body["started"].AsNumber(), (int)again.Body["known"].AsNumber()));
        var runs = (await server.GetAsync("/api/v1/schedules/test/fills")).Body["runs"].AsArray();
        Assert.Equal("2026-01-10T00:00:00.000000Z", runs[0]["at"].AsString());
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, await server.EndAsync(Guid.Parse(run["run"].AsString())));
    }

    [Theory]
    [InlineData("PATCH", "", """{"paused": "yes"}""", 400, "request.invalid")]
    [InlineData("PATCH", "", """{}""", 400, "request.invalid")]
    [InlineData("PATCH", "", """{"paused": true, "cron": "* * * * *"}""", 400, "request.invalid")]
    [InlineData("POST", "/runs", """{"input": {}}""", 400, "request.invalid")]
    [InlineData("POST", "/backfill", """{"from": "x", "to": "2026-01-01"}""", 400, "request.invalid")]
    [InlineData("POST", "/backfill", """{"from": "2026-01-02", "to": "2026-01-01"}""", 400, "request.invalid")]
    [InlineData("POST", "/backfill", """{"from": "2026-01-02"}""", 400, "request.invalid")]
    [InlineData("POST", "/backfill", """{"from": "2000-01-01", "to": "2026-01-01"}""", 422, "schedule.too_many")]
    public async Task A_wrong_request_is_refused_and_changes_nothing(string method, string path, string body, int status, string code)
    {
        await PushAsync("refuses", "every: PT6H");
        var before = (await server.GetAsync("/api/v1/schedules/test/refuses")).Text;
        var request = new HttpRequestMessage(new HttpMethod(method), $"/api/v1/schedules/test/refuses{path}") { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        Assert.Equal((status, code), await RefusalAsync(server.SendAsync(request)));
        Assert.Equal(before, (await server.GetAsync("/api/v1/schedules/test/refuses")).Text);
    }

    [Fact]
    public async Task A_schedule_that_names_no_moments_has_nothing_to_fill()
    {
        await PushAsync("follows", "after: PT6H");
        Assert.Equal((409, "schedule.no_ticks"),
            await RefusalAsync(server.PostAsync("/api/v1/schedules/test/follows/backfill", """{"from": "2026-01-01", "to": "2026-01-02"}""")));
        Assert.Single((await server.GetAsync("/api/v1/schedules/test/follows")).Body["next"].AsArray());
    }

    private async Task PushAsync(string name, string schedule, string policy = "", string version = "1.0.0")
    {
        var pushed = await server.PushAsync($$"""
            document: {dsl: '1.0.3', namespace: test, name: {{name}}, version: '{{version}}', metadata: {schedule: { {{policy}} } } }
            schedule: { {{schedule}} }
            do:
            {{Tasks}}
            """);
        Assert.True(pushed.Status is 200 or 201, pushed.Text);
    }

    private static HttpRequestMessage Patch(string name, string body) =>
        new(HttpMethod.Patch, $"/api/v1/schedules/test/{name}") { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };

    private static async Task<(int, string?)> RefusalAsync(Task<Answer> answer) => ((await answer).Status, (await answer).Body["code"].StringOrNull);

    private async Task<Json> UntilAsync(string name, Func<Json, bool> says)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (true)
        {
            var found = (await server.GetAsync($"/api/v1/schedules/test/{name}")).Body;
            if (says(found)) return found;
            await pulse.WaitForNextTickAsync(patience.Token);
        }
    }
}

public sealed class SchedulesOnSqliteTests(TestServer server) : ScheduleTests(server), IClassFixture<TestServer>;

public sealed class SchedulesOnPostgresTests(PostgresTestServer server) : ScheduleTests(server), IClassFixture<PostgresTestServer>;
