using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Connectors.Events;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Platform.Sinks;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Doubles;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Events are sent to addresses, in their order.</summary>
public abstract class SinkTests(TestServer server) : IAsyncLifetime
{
    private SinkDouble _there = null!;

    public async ValueTask InitializeAsync() => _there = await SinkDouble.StartAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _there.DisposeAsync();
    }

    [Fact]
    public async Task Events_of_the_wanted_types_come_in_their_order()
    {
        await MakeAsync("order", """, "types": ["order.*"]""");
        foreach (var (id, type) in ((string, string)[])[("o1", "order.placed"), ("x1", "other"), ("o2", "order.paid")])
            await server.PostAsync("/api/v1/events", Event(id, type), "application/cloudevents+json");
        Assert.Equal(["o1", "o2"], [(await _there.NextAsync()).Event["id"].AsString(), (await _there.NextAsync()).Event["id"].AsString()]);
    }

    [Fact]
    public async Task Binary_mode_sends_attributes_as_headers()
    {
        await MakeAsync("binary", """, "types": ["bin"], "mode": "binary" """);
        await server.PostAsync("/api/v1/events", Event("b 1ä", "bin", """{"a": 1}"""), "application/cloudevents+json");
        var came = await _there.NextAsync();
        Assert.Equal(("b%201%C3%A4", "bin", "application/json", """{"a":1}"""), (came.Headers["ce-id"], came.Headers["ce-type"], came.Headers["Content-Type"], came.Event.ToString()));
    }

    [Fact]
    public async Task Every_lifecycle_event_of_a_run_comes_when_it_is_asked_for()
    {
        await MakeAsync("life", """, "types": ["io.serverlessworkflow.*"]""");
        var run = await server.StartAsync("lived", "  - a: {set: {x: 1}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        var types = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            var told = (await _there.NextAsync()).Event;
            types.Add($"{told["type"].AsString()["io.serverlessworkflow.".Length..]} {told["data"]["status"].StringOrNull}".TrimEnd());
        }
        Assert.Equal([
            "workflow.started.v1", "workflow.status-changed.v1 running", "task.created.v1", "task.status-changed.v1 pending", "task.started.v1", "task.status-changed.v1 running",
            "task.completed.v1", "task.status-changed.v1 completed", "workflow.completed.v1", "workflow.status-changed.v1 completed"], types);
    }

    [Fact]
    public async Task What_works_on_failures_and_fails_itself_is_told_of_and_does_not_start_itself()
    {
        const string fails = "  - fail: {raise: {error: {type: 'https://example.com/e', status: 418, title: Broken}}}";
        await MakeAsync("failures", """, "types": ["io.serverlessworkflow.workflow.faulted.v1"]""");
        await server.PushAsync(TestServer.Document("mends", fails, head: "schedule: {on: {one: {with: {type: io.serverlessworkflow.workflow.faulted.v1}}}}\n"));
        var broken = await server.StartAsync("broken", fails);
        Assert.Equal(broken.ToString(), (await _there.NextAsync()).Event["subject"].AsString());
        var told = (await _there.NextAsync()).Event;
        Assert.StartsWith("mends-", told["data"]["name"].AsString(), StringComparison.Ordinal);
        // What an event starts is written with it.
        Assert.Equal(told["subject"].AsString(), Assert.Single((await server.GetAsync("/api/v1/runs?definition=test/mends")).Body["items"].AsArray())["id"].AsString());
        await server.PushAsync(TestServer.Document("mends", fails, "1.1.0"));
    }

    [Fact]
    public async Task Whoever_sends_people_their_links_hears_when_one_is_asked_and_how_it_ended()
    {
        await MakeAsync("people", """, "types": ["io.millrace.approval.*"]""");
        var run = await server.StartAsync("paid", "  - pay: {call: 'approve:1.0.0@default', with: {title: Pay?, show: {to: acme}, approvers: [anna]}}");
        var asked = (await _there.NextAsync()).Event;
        Assert.Equal(("io.millrace.approval.asked.v1", run.ToString(), "anna"), (asked["type"].AsString(), asked["subject"].AsString(), asked["data"]["approvers"]["users"][0].AsString()));
        var link = await server.PostAsync($"/api/v1/approvals/{asked["data"]["approval"].AsString()}/links", """{"for": "anna"}""");
        Assert.Equal(200, (await server.PostAsync($"/api/v1/approvals/link/{link.Body["token"].AsString()}", """{"decision": "approve"}""")).Status);
        var (voted, decided) = ((await _there.NextAsync()).Event, (await _there.NextAsync()).Event);
        Assert.Equal(("anna", "approve", "approved"), (voted["data"]["by"].AsString(), voted["data"]["decision"].AsString(), decided["data"]["outcome"].AsString()));
        Assert.DoesNotContain(link.Body["token"].AsString(), $"{asked}{voted}{decided}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_to_one_run_comes_as_well_and_says_which_run_it_is_for()
    {
        await MakeAsync("signals", """, "types": ["sink.approved"]""");
        var run = await server.StartAsync("signalled", "  - hear: {listen: {to: {one: {with: {type: sink.approved}}}}}");
        Assert.Equal(202, (await server.PostAsync($"/api/v1/runs/{run}/signals", """{"name": "sink.approved", "data": 1}""")).Status);
        Assert.Equal(run.ToString(), (await _there.NextAsync()).Event["subject"].AsString());
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
    }

    [Fact]
    public async Task An_event_that_is_not_taken_is_sent_again_before_the_next()
    {
        _there.Refuse = 1;
        await MakeAsync("again", """, "types": ["again"]""");
        await server.PostAsync("/api/v1/events", $"[{Event("a1", "again")}, {Event("a2", "again")}]", "application/cloudevents-batch+json");
        Assert.Equal(["a1", "a1", "a2"], [(await _there.NextAsync()).Event["id"].AsString(), (await _there.NextAsync()).Event["id"].AsString(), (await _there.NextAsync()).Event["id"].AsString()]);
    }

    [Fact]
    public async Task A_sink_that_fails_tells_when_it_is_tried_again()
    {
        _there.Refuse = int.MaxValue;
        var id = await MakeAsync("failing", """, "types": ["failing"]""");
        await server.PostAsync("/api/v1/events", Event("f1", "failing"), "application/cloudevents+json");
        await _there.NextAsync();
        Answer found;
        do found = await server.GetAsync($"/api/v1/sinks/{id}");
        while (found.Body["state"].AsString() == "active");
        Assert.Equal("failing", found.Body["state"].AsString());
        Assert.True(DateTimeOffset.Parse(found.Body["nextTryAt"].AsString(), null) > DateTimeOffset.Parse(found.Body["failingSince"].AsString(), null), found.Text);
        var paused = await server.SendAsync(new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/sinks/{id}") { Content = new StringContent("""{"paused": true}""", null, "application/json") });
        Assert.Equal(("paused", true), (paused.Body["state"].AsString(), paused.Body["nextTryAt"].IsNull));
    }

    [Fact]
    public async Task A_sink_that_is_gone_is_given_up_and_goes_on_when_it_is_resumed()
    {
        (_there.Refuse, _there.Status) = (1, 410);
        var id = await MakeAsync("gone", """, "types": ["gone"]""");
        await server.PostAsync("/api/v1/events", Event("g1", "gone"), "application/cloudevents+json");
        await _there.NextAsync();
        Answer found;
        do found = await server.GetAsync($"/api/v1/sinks/{id}");
        while (found.Body["state"].AsString() == "active");
        Assert.Equal(("dead", "It answered 410 Gone."), (found.Body["state"].AsString(), found.Body["error"].AsString()));
        var resumed = await server.SendAsync(new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/sinks/{id}") { Content = new StringContent("""{"paused": false}""", null, "application/json") });
        Assert.Equal("active", resumed.Body["state"].AsString());
        Assert.Equal("g1", (await _there.NextAsync()).Event["id"].AsString());
    }

    [Fact]
    public async Task A_process_whose_clock_is_an_hour_late_sends_what_is_due()
    {
        await Loop.StopAsync(TestContext.Current.CancellationToken);
        try
        {
            var id = await MakeAsync("late", """, "types": ["late"]""");
            await server.PostAsync("/api/v1/events", Event("l1", "late"), "application/cloudevents+json");
            var late = new SinkLoop(server.Database, server.Engine, server.Services.GetRequiredService<EventDelivery>(), server.Services.GetRequiredService<ISecretSource>(), new LateClock(), NullLogger<SinkLoop>.Instance);
            using var patience = new CancellationTokenSource(TestServer.Patience);
            while ((await server.GetAsync($"/api/v1/sinks/{id}")).Body["delivered"].ToString() != "1") await late.RunOnceAsync(patience.Token);
            Assert.Equal("l1", (await _there.NextAsync()).Event["id"].AsString());
            Assert.True(await DueAsync(id) <= server.Engine.Now);
        }
        finally
        {
            await Loop.StartAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Whoever_sends_for_long_says_so_and_nobody_else_sends_the_same()
    {
        var (claim, held) = (Loop.ClaimTime, new TaskCompletionSource());
        (Loop.ClaimTime, _there.Held) = (TimeSpan.FromMilliseconds(400), held.Task);
        try
        {
            var id = await MakeAsync("slow", """, "types": ["slow"]""");
            await server.PostAsync("/api/v1/events", Event("s1", "slow"), "application/cloudevents+json");
            await _there.NextAsync();
            var dues = new HashSet<long>();
            using var patience = new CancellationTokenSource(TestServer.Patience);
            while (dues.Count < 4)
            {
                patience.Token.ThrowIfCancellationRequested();
                dues.Add(await DueAsync(id));
            }
            Assert.False(_there.HasMore);
            held.SetResult();
            while ((await server.GetAsync($"/api/v1/sinks/{id}")).Body["delivered"].ToString() != "1") patience.Token.ThrowIfCancellationRequested();
        }
        finally
        {
            Loop.ClaimTime = claim;
        }
    }

    [Fact]
    public async Task A_sink_is_tested_listed_and_removed()
    {
        var id = await MakeAsync("tried", """, "types": ["none"]""");
        Assert.True((await server.PostAsync($"/api/v1/sinks/{id}/test", "{}")).Body["taken"].IsTruthy);
        Assert.Equal("io.millrace.sink.test.v1", (await _there.NextAsync()).Event["type"].AsString());
        Assert.Contains((await server.GetAsync("/api/v1/sinks")).Body["items"].AsArray(), s => s["name"].StringOrNull == "tried");
        Assert.Equal(204, (await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/sinks/{id}"))).Status);
        Assert.Equal(404, (await server.GetAsync($"/api/v1/sinks/{id}")).Status);
    }

    [Theory]
    [InlineData("""{"url": "http://localhost/"}""", "/name")]
    [InlineData("""{"name": "n", "url": "ftp://localhost/"}""", "/url")]
    [InlineData("""{"name": "n", "url": "http://a:b@localhost/"}""", "/url")]
    [InlineData("""{"name": "n", "url": "http://localhost/", "types": ["a*b"]}""", "/types")]
    [InlineData("""{"name": "n", "url": "http://localhost/", "mode": "loud"}""", "/mode")]
    [InlineData("""{"name": "n", "url": "http://localhost/", "more": 1}""", "/more")]
    public async Task What_is_no_sink_is_refused_with_its_place(string body, string pointer)
    {
        var refused = await server.PostAsync("/api/v1/sinks", body);
        Assert.Equal(400, refused.Status);
        Assert.Contains(pointer, refused.Text, StringComparison.Ordinal);
    }

    private SinkLoop Loop => server.Services.GetServices<IHostedService>().OfType<SinkLoop>().Single();

    private Task<long> DueAsync(string id) => server.Database.ReadAsync(db => db.First("select due_at from sink where id = $1", r => r.Long(0), 0L, Guid.Parse(id)));

    private static string Event(string id, string type, string data = "{}") => $$"""{"specversion": "1.0", "id": "{{id}}", "source": "/tests", "type": "{{type}}", "data": {{data}} }""";

    private async Task<string> MakeAsync(string name, string more)
    {
        var made = await server.PostAsync("/api/v1/sinks", $"{{\"name\": \"{name}\", \"url\": \"{_there.Base}events\"{more}}}");
        Assert.True(made.Status == 201, made.Text);
        return made.Body["id"].AsString();
    }

    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddHours(-1);
    }

    private sealed record Came(Json Event, Dictionary<string, string> Headers);

    private sealed class SinkDouble : ServiceDouble
    {
        private readonly Channel<Came> _came = Channel.CreateUnbounded<Came>();

        /// <summary>How many are refused, and with which status.</summary>
        public int Refuse { get; set; }

        public int Status { get; set; } = 503;

        /// <summary>It answers nobody before.</summary>
        public Task Held { get; set; } = Task.CompletedTask;

        public bool HasMore => _came.Reader.TryPeek(out _);

        public static async Task<SinkDouble> StartAsync()
        {
            var service = new SinkDouble();
            await service.RunAsync();
            return service;
        }

        public async Task<Came> NextAsync() => await _came.Reader.ReadAsync().AsTask().WaitAsync(TestServer.Patience);

        protected override void Map(WebApplication app) => app.MapPost("/events", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            _came.Writer.TryWrite(new Came(JsonText.Parse(await reader.ReadToEndAsync()), http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            await Held;
            if (Refuse > 0)
            {
                Refuse--;
                return Results.StatusCode(Status);
            }
            return Results.NoContent();
        });
    }
}

public sealed class SinksOnSqliteTests(TestServer server) : SinkTests(server), IClassFixture<TestServer>;

public sealed class SinksOnPostgresTests(PostgresTestServer server) : SinkTests(server), IClassFixture<PostgresTestServer>;
