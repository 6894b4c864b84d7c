using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Clients tell one run something, and no other hears it.</summary>
public abstract class SignalTests(TestServer server)
{
    private static string Listens(string type) => $"  - hear: {{listen: {{to: {{one: {{with: {{type: {type}}}}}}}}}}}";

    private static string Code(Answer answer) => $"{answer.Status} {answer.Body["code"].StringOrNull}";

    private Task<Answer> SignalAsync(Guid run, string body, string? key = null) => server.PostAsync($"/api/v1/runs/{run}/signals", body, key: key);

    private async Task<Json> OutputAsync(Guid run)
    {
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        return (await server.GetAsync($"/api/v1/runs/{run}/output")).Body;
    }

    private async Task<Json> WaitAsync(Guid run)
    {
        Json wait;
        while ((wait = (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0])["on"].StringOrNull != "event") { }
        return wait;
    }

    [Fact]
    public async Task The_run_hears_it_and_another_of_the_same_definition_waits_on()
    {
        var (told, other) = (await server.StartAsync("pair", Listens("pair.approved")), await server.StartAsync("pair", Listens("pair.approved")));
        await WaitAsync(told);
        await WaitAsync(other);
        var sent = await SignalAsync(told, """{"name": "pair.approved", "data": {"by": "ada"}}""");
        Assert.Equal((202, told.ToString(), false), (sent.Status, sent.Body["run"].AsString(), sent.Body["duplicate"].AsBoolean()));
        Assert.Equal("""[{"by":"ada"}]""", (await OutputAsync(told)).ToString());
        var kept = (await server.GetAsync($"/api/v1/events/{sent.Body["position"]}")).Body;
        Assert.Equal((told.ToString(), told.ToString(), "pair.approved"), (kept["run"].AsString(), kept["subject"].AsString(), kept["event"]["type"].AsString()));
        Assert.Equal((sent.Body["source"], sent.Body["id"]), (kept["source"], kept["id"]));
        Assert.Equal("waiting", (await server.GetAsync($"/api/v1/runs/{other}")).Body["state"].AsString());
        // An event without an addressee is for whoever listens.
        await server.PostAsync("/api/v1/events", """{"specversion": "1.0", "id": "all", "source": "/s", "type": "pair.approved"}""", "application/cloudevents+json");
        Assert.Equal("[null]", (await OutputAsync(other)).ToString());
        Assert.True((await server.GetAsync("/api/v1/events?source=/s")).Body["items"][0]["run"].IsNull);
    }

    [Fact]
    public async Task The_same_key_sends_one_signal_and_refuses_to_send_another()
    {
        var run = await server.StartAsync("keyed", "  - hear: {listen: {to: {any: [{with: {type: keyed.step}}], until: '${ length == 2 }'}}}");
        var first = await SignalAsync(run, """{"name": "keyed.step", "data": 1}""", "k-1");
        var again = await SignalAsync(run, """{"name": "keyed.step", "data": 1}""", "k-1");
        Assert.Equal((first.Body["position"], 202, true), (again.Body["position"], again.Status, again.Body["duplicate"].AsBoolean()));
        Assert.Equal("409 run.idempotency_conflict", Code(await SignalAsync(run, """{"name": "keyed.step", "data": 2}""", "k-1")));
        await SignalAsync(run, """{"name": "keyed.step", "data": 3}""");
        Assert.Equal("[1,3]", (await OutputAsync(run)).ToString());
        Assert.Equal(202, (await SignalAsync(run, """{"name": "keyed.step", "data": 1}""", "k-1")).Status);
    }

    [Fact]
    public async Task A_definition_that_the_type_starts_starts_nothing()
    {
        const string head = "schedule: {on: {one: {with: {type: quiet.beat}}}}\n";
        Assert.Equal(201, (await server.PushAsync(TestServer.Document("quiet", "  - a: {set: {x: 1}}", head: head))).Status);
        var run = await server.StartAsync("hears-quiet", Listens("quiet.beat"));
        await SignalAsync(run, """{"name": "quiet.beat"}""");
        Assert.Equal("[null]", (await OutputAsync(run)).ToString());
        Assert.Empty((await server.GetAsync("/api/v1/runs?definition=test/quiet")).Body["items"].AsArray());
    }

    [Fact]
    public async Task Runs_that_are_over_and_runs_that_never_were_are_refused()
    {
        var run = await server.StartAsync("over", "  - a: {set: {x: 1}}");
        await server.EndAsync(run);
        Assert.Equal("409 run.already_finished", Code(await SignalAsync(run, """{"name": "late"}""")));
        Assert.Equal("404 run.not_found", Code(await SignalAsync(Guid.NewGuid(), """{"name": "lost"}""")));
        Assert.Equal("404 run.not_found", Code(await server.PostAsync("/api/v1/runs/nothing/signals", """{"name": "lost"}""")));
    }

    [Theory]
    [InlineData("{}", "/name")]
    [InlineData("""{"name": ""}""", "/name")]
    [InlineData("""{"name": 7}""", "/name")]
    [InlineData("""{"name": "a\u0007b"}""", "/name")]
    [InlineData("""{"name": "a", "dta": 1}""", "/dta")]
    public async Task What_is_no_signal_is_refused_with_its_place(string body, string pointer)
    {
        var run = await server.StartAsync("picky", Listens("picky.never"));
        var before = (await WaitAsync(run)).ToString();
        var answer = await SignalAsync(run, body);
        Assert.Equal("400 request.invalid", Code(answer));
        Assert.Contains(answer.Body["errors"].AsArray(), e => e["pointer"].StringOrNull == pointer);
        Assert.Equal(before, (await WaitAsync(run)).ToString());
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
    }

    [Fact]
    public async Task Names_and_bodies_have_limits()
    {
        var run = await server.StartAsync("limited", Listens("limited.never"));
        // 300 characters of two bytes each.
        Assert.Equal("400 request.invalid", Code(await SignalAsync(run, $$"""{"name": "{{new string('ä', 300)}}"}""")));
        Assert.Equal(202, (await SignalAsync(run, $$"""{"name": "{{new string('n', 512)}}"}""")).Status);
        Assert.Equal("413 request.too_large", Code(await SignalAsync(run, $$"""{"name": "n", "data": "{{new string('x', 1 << 20)}}"}""")));
        Assert.Equal("400 request.invalid", Code(await SignalAsync(run, """{"name": "n"}""", new string('k', 256))));
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
    }
}

public sealed class SignalOnSqliteTests(TestServer server) : SignalTests(server), IClassFixture<TestServer>;

public sealed class SignalOnPostgresTests(PostgresTestServer server) : SignalTests(server), IClassFixture<PostgresTestServer>;
