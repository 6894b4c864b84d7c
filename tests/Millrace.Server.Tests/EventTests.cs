using System.Net.Http.Headers;
using System.Text;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Events over HTTP: the three modes of the binding, and what they wake.</summary>
public abstract class EventTests(TestServer server)
{
    private const string One = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";

    private static string Event(string id, string type = "t", string data = "{}", string more = "") =>
        $$"""{"specversion": "1.0", "id": "{{id}}", "source": "/tests", "type": "{{type}}", "data": {{data}}{{more}}}""";

    private async Task<Json> OutputAsync(Guid run)
    {
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));
        return (await server.GetAsync($"/api/v1/runs/{run}/output")).Body;
    }

    [Fact]
    public async Task An_event_that_is_sent_wakes_the_run_that_listens()
    {
        var run = await server.StartAsync("hear-one", "  - hear: {listen: {to: {one: {with: {type: order.paid}}}}}");
        var sent = await server.PostAsync("/api/v1/events", Event("paid-1", "order.paid", """{"order": 17}"""), One);
        Assert.Equal(202, sent.Status);
        Assert.Equal((1.0, 0.0), (sent.Body["kept"].AsNumber(), sent.Body["duplicates"].AsNumber()));
        Assert.Equal("""[{"order":17}]""", (await OutputAsync(run)).ToString());
    }

    [Fact]
    public async Task A_workflow_that_emits_wakes_one_that_listens()
    {
        var run = await server.StartAsync("hear-emitted", "  - hear: {listen: {to: {one: {with: {type: greeted, source: /greeter}}}, read: envelope}}");
        var emitter = await server.StartAsync("greeter", "  - greet: {emit: {event: {with: {type: greeted, source: /greeter, data: {hello: '${ .name }'}}}}}", """{"name": "you"}""");
        Assert.Equal("""{"hello":"you"}""", (await OutputAsync(run))[0]["data"].ToString());
        Assert.Equal((await OutputAsync(emitter))["id"], (await OutputAsync(run))[0]["id"]);
    }

    [Fact]
    public async Task An_event_starts_a_run_of_a_definition_that_is_scheduled_on_it()
    {
        const string head = "schedule: {on: {one: {with: {type: beat.low, data: '${ .bpm < 40 }'}}}}\n";
        var pushed = await server.PushAsync(TestServer.Document("nurse", "  - call: {set: {who: '${ $workflow.input[0].data.patient }'}}", head: head));
        Assert.True(pushed.Status == 201, pushed.Text);
        await server.PostAsync("/api/v1/events", Event("beat-1", "beat.low", """{"patient": "p1", "bpm": 60}"""), One);
        await server.PostAsync("/api/v1/events", Event("beat-2", "beat.low", """{"patient": "p2", "bpm": 30}"""), One);
        await server.PostAsync("/api/v1/events", Event("beat-2", "beat.low", """{"patient": "p2", "bpm": 30}"""), One);
        var runs = (await server.GetAsync("/api/v1/runs?definition=test/nurse")).Body["items"].AsArray();
        Assert.Equal("""{"who":"p2"}""", (await OutputAsync(Guid.Parse(Assert.Single(runs)["id"].AsString()))).ToString());
        // A later version without a schedule ends it.
        await server.PushAsync(TestServer.Document("nurse", "  - call: {set: {who: nobody}}", "1.1.0"));
        await server.PostAsync("/api/v1/events", Event("beat-3", "beat.low", """{"patient": "p3", "bpm": 30}"""), One);
        Assert.Single((await server.GetAsync("/api/v1/runs?definition=test/nurse")).Body["items"].AsArray());
    }

    [Fact]
    public async Task The_same_event_again_is_a_duplicate()
    {
        var first = await server.PostAsync("/api/v1/events", Event("again"), One);
        var again = await server.PostAsync("/api/v1/events", $"[{Event("again")}, {Event("new")}]", Batch);
        Assert.Equal((1.0, 1.0), (again.Body["kept"].AsNumber(), again.Body["duplicates"].AsNumber()));
        Assert.Equal(first.Body["items"][0]["position"], again.Body["items"][0]["position"]);
        Assert.True(again.Body["items"][0]["duplicate"].AsBoolean());
    }

    [Theory]
    [InlineData("application/json", """{"n": 1}""", "data", """{"n":1}""")]
    [InlineData("text/plain; charset=utf-8", "hello", "data", "\"hello\"")]
    [InlineData("application/octet-stream", "abc", "data_base64", "\"YWJj\"")]
    public async Task Attributes_may_be_headers_and_the_data_the_body(string type, string body, string member, string data)
    {
        var id = Guid.NewGuid().ToString();
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/events") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        foreach (var (name, value) in new[] { ("specversion", "1.0"), ("id", id), ("source", "/tests"), ("type", "in.headers"), ("subject", "Z%C3%BCrich") }) request.Headers.Add($"ce-{name}", value);
        var sent = await server.SendAsync(request);
        Assert.True(sent.Status == 202, sent.Text);
        var kept = (await server.GetAsync($"/api/v1/events/{sent.Body["items"][0]["position"]}")).Body["event"];
        Assert.Equal((data, "Zürich", type), (kept[member].ToString(), kept["subject"].AsString(), kept["datacontenttype"].AsString()));
    }

    [Theory]
    [InlineData(One, """{"specversion": "1.0"}""", "/id")]
    [InlineData(One, """{"specversion": "0.3", "id": "1", "source": "/s", "type": "t"}""", "/specversion")]
    [InlineData(One, """{"specversion": "1.0", "id": "", "source": "/s", "type": "t"}""", "/id")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "a b", "type": "t"}""", "/source")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "/s", "type": "t\u0000"}""", "/type")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "yesterday"}""", "/time")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "Upper": 1}""", "/Upper")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "nested": {}}""", "/nested")]
    [InlineData(One, """{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": 1, "data_base64": "YQ=="}""", "/data_base64")]
    [InlineData(One, "[]", "")]
    [InlineData(Batch, """[{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}, {"specversion": "1.0", "id": "2", "source": "/s"}]""", "/1/type")]
    [InlineData(Batch, "{}", "")]
    public async Task What_is_no_event_is_refused_with_its_place_and_nothing_is_kept(string type, string body, string pointer)
    {
        var before = (await server.GetAsync("/api/v1/events?limit=1")).Text;
        var refused = await server.PostAsync("/api/v1/events", body, type);
        Assert.Equal(400, refused.Status);
        Assert.Equal(pointer, refused.Body["errors"][0]["pointer"].AsString());
        Assert.Equal(before, (await server.GetAsync("/api/v1/events?limit=1")).Text);
    }

    [Fact]
    public async Task Bodies_of_another_kind_and_too_large_ones_are_refused()
    {
        Assert.Equal(415, (await server.PostAsync("/api/v1/events", Event("1"), "application/json")).Status);
        Assert.Equal(413, (await server.PostAsync("/api/v1/events", Event("1", data: $"\"{new string('x', 1 << 20)}\""), One)).Status);
        var many = await server.PostAsync("/api/v1/events", $"[{string.Join(',', Enumerable.Range(0, 1001).Select(i => Event($"many-{i}")))}]", Batch);
        Assert.Equal((400, "at most 1000 events"), (many.Status, many.Body["errors"][0]["expected"].AsString()));
    }

    [Fact]
    public async Task Events_are_listed_newest_first_page_by_page()
    {
        var batch = string.Join(',', Enumerable.Range(1, 5).Select(i => Event($"listed-{i}", "listed", more: $$""", "subject": "{{i % 2}}" """)));
        await server.PostAsync("/api/v1/events", $"[{batch}]", Batch);
        var page = (await server.GetAsync("/api/v1/events?type=listed&limit=3")).Body;
        Assert.Equal(["listed-5", "listed-4", "listed-3"], page["items"].AsArray().Select(e => e["id"].AsString()));
        var rest = (await server.GetAsync($"/api/v1/events?type=listed&limit=3&cursor={page["next"].AsString()}")).Body;
        Assert.Equal(["listed-2", "listed-1"], rest["items"].AsArray().Select(e => e["id"].AsString()));
        Assert.True(rest["next"].IsNull);
        Assert.Equal(3, (await server.GetAsync("/api/v1/events?type=listed&subject=1")).Body["items"].AsArray().Count);
        Assert.Equal(404, (await server.GetAsync("/api/v1/events/999999999")).Status);
    }

    [Fact]
    public async Task A_run_says_for_which_events_it_waits()
    {
        var run = await server.StartAsync("hear-never", "  - hear: {listen: {to: {any: [{with: {type: never}}, {with: {source: /x}}]}}}");
        Json waits;
        do waits = (await server.GetAsync($"/api/v1/runs/{run}/waiting")).Body["items"][0];
        while (waits["on"].AsString() != "event");
        Assert.Equal("""[{"type":"never"},{"source":"/x"}]""", waits["events"].ToString());
        await server.PostAsync($"/api/v1/runs/{run}/cancellation", "{}");
        Assert.Equal(RunPhase.Cancelled, await server.EndAsync(run));
    }
}

public sealed class EventsOnSqliteTests(TestServer server) : EventTests(server), IClassFixture<TestServer>;

public sealed class EventsOnPostgresTests(PostgresTestServer server) : EventTests(server), IClassFixture<PostgresTestServer>;
