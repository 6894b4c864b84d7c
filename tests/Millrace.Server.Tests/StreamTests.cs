using Millrace.Jq;
using Millrace.Platform.Streams;
using Millrace.Server.Tests.Support;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

public abstract class StreamTests(TestServer server)
{
    private const string Gated = "  - a: {set: {x: 1}}\n  - gate: {call: 'gate:1.0.0@default'}\n  - b: {set: {y: 2}}";

    [Fact]
    public async Task A_stream_tells_every_record_and_ends_with_the_run()
    {
        var run = await server.StartAsync("told", Gated);
        await server.Gate.EnteredAsync(run);
        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        server.Gate.Open(run);

        var messages = await stream.ReadToEndAsync();

        var records = messages.Where(m => m.Event == "record").ToList();
        var journal = (await server.GetAsync($"/api/v1/runs/{run}/journal")).Body["items"].AsArray();
        Assert.Equal(journal.Select(r => r["seq"].ToString()), records.Select(r => r.Id));
        Assert.Equal("completed", records[^1].Data["run"]["state"].AsString());
        Assert.Equal("end", messages[^1].Event);
    }

    [Fact]
    public async Task A_stream_of_a_finished_run_tells_it_all_and_ends()
    {
        var run = await server.StartAsync("past", "  - a: {set: {x: 1}}");
        Assert.Equal(RunPhase.Completed, await server.EndAsync(run));

        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        var messages = await stream.ReadToEndAsync();

        Assert.Equal("0", messages[0].Id);
        Assert.Equal("end", messages[^1].Event);
    }

    [Fact]
    public async Task Fault_23_connecting_again_shows_no_gap_and_no_duplicate()
    {
        var run = await server.StartAsync("again", Gated);
        await server.Gate.EnteredAsync(run);
        var first = new List<StreamMessage>();
        await using (var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream"))
            first.Add(await stream.ReadAsync());

        await using var rest = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream", first[^1].Id);
        server.Gate.Open(run);
        var all = first.Concat((await rest.ReadToEndAsync()).Where(m => m.Event == "record")).Select(m => long.Parse(m.Id!)).ToList();

        Assert.Equal(Enumerable.Range(0, all.Count).Select(i => (long)i), all);
        Assert.Equal((await server.GetAsync($"/api/v1/runs/{run}")).Body["position"].AsNumber(), all[^1]);
    }

    [Fact]
    public async Task Connecting_after_the_last_record_only_ends()
    {
        var run = await server.StartAsync("after", "  - a: {set: {x: 1}}");
        await server.EndAsync(run);
        var last = (await server.GetAsync($"/api/v1/runs/{run}")).Body["position"].ToString();

        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream", last);

        Assert.Equal("end", Assert.Single(await stream.ReadToEndAsync()).Event);
    }

    [Fact]
    public async Task Who_asks_for_what_lies_beyond_the_end_gets_what_comes_and_takes_nothing_from_others()
    {
        var run = await server.StartAsync("beyond", Gated);
        await server.Gate.EnteredAsync(run);
        var last = (await server.GetAsync($"/api/v1/runs/{run}")).Body["position"].AsNumber();
        await using var beyond = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream", "1000000000");
        await using var whole = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        await using var workspace = await EventStreamReader.OpenAsync(server.Http, "/api/v1/stream", "1000000000000");
        await whole.ReadAsync();
        server.Gate.Open(run);

        Assert.Equal(Enumerable.Range(1, (int)last).Select(i => (double)i), (await whole.ReadToEndAsync()).Where(m => m.Event == "record").Select(m => double.Parse(m.Id!)).TakeWhile(p => p <= last));
        Assert.Equal($"{last + 1}", (await beyond.ReadUntilAsync(m => m.Event == "record")).Id);
        await workspace.ReadUntilAsync(m => m.Data["id"].StringOrNull == run.ToString() && m.Data["state"].AsString() == "completed");
    }

    [Fact]
    public async Task Live_output_is_shown_without_an_id()
    {
        var run = await server.StartAsync("live", Gated);
        await server.Gate.EnteredAsync(run);
        await using var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        await stream.ReadAsync();

        server.Gate.Show(run, "hello");

        StreamMessage message;
        do message = await stream.ReadAsync();
        while (message.Event != "live");
        Assert.Null(message.Id);
        Assert.Equal(("stdout", "hello"), (message.Data["channel"].AsString(), message.Data["data"].AsString()));
        server.Gate.Open(run);
    }

    [Fact]
    public async Task A_stream_that_nobody_follows_is_closed()
    {
        var run = await server.StartAsync("left", Gated);
        await server.Gate.EnteredAsync(run);
        var broadcasts = (Broadcasts)server.Services.GetService(typeof(Broadcasts))!;
        await using (var stream = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream"))
        {
            await stream.ReadAsync();
            Assert.True(broadcasts.IsOpen(Engine.Execution.Topics.Run(run)));
        }
        // What the run does next wakes the writer, which finds that its follower has gone.
        server.Gate.Open(run);
        await server.EndAsync(run);
        await broadcasts.ClosedAsync(Engine.Execution.Topics.Run(run)).WaitAsync(TestServer.Patience);
    }

    [Fact]
    public async Task Two_followers_of_one_run_share_what_is_encoded()
    {
        var run = await server.StartAsync("shared", Gated);
        await server.Gate.EnteredAsync(run);
        await using var one = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        await using var two = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream?after=0");
        server.Gate.Open(run);

        var (first, second) = (await one.ReadToEndAsync(), await two.ReadToEndAsync());

        Assert.Equal(first.Where(m => m.Event == "record").Skip(1).Select(m => m.Data), second.Where(m => m.Event == "record").Select(m => m.Data));
    }

    [Fact]
    public async Task Fault_23_a_follower_that_does_not_read_costs_little_delays_nobody_and_is_caught_up_later()
    {
        const int Shown = 160;
        var run = await server.StartAsync("slow", Gated);
        await server.Gate.EnteredAsync(run);
        await using var slow = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        await using var quick = await EventStreamReader.OpenAsync(server.Http, $"/api/v1/runs/{run}/stream");
        await quick.ReadAsync();
        // What a thread that has carried such a message keeps of its buffers is there before it is measured.
        await ShowAsync(Shown / 8);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await ShowAsync(Shown);

        // Other tests run beside this one; what was shown is twice as much.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Shown / 2 * (1L << 20));
        server.Gate.Open(run);
        var seen = (await quick.ReadToEndAsync())[^1];
        Assert.Equal("end", seen.Event);

        var late = await slow.ReadToEndAsync();
        Assert.InRange(late.Count(m => m.Event == "live"), 0, Shown / 2);
        var records = late.Where(m => m.Event == "record").Select(m => long.Parse(m.Id!)).ToList();
        Assert.Equal(Enumerable.Range(0, records.Count).Select(i => (long)i), records);
        Assert.Equal("end", late[^1].Event);
        Assert.Equal((await server.GetAsync($"/api/v1/runs/{run}")).Body["position"].AsNumber(), records[^1]);

        async Task ShowAsync(int messages)
        {
            for (var i = 0; i < messages; i++)
            {
                server.Gate.Show(run, new string((char)('a' + (i % 26)), 1 << 20));
                await quick.ReadUntilAsync(m => m.Event == "live");
            }
        }
    }

    [Fact]
    public async Task The_workspace_stream_tells_changes_of_state_and_goes_on_from_a_position()
    {
        await using var stream = await EventStreamReader.OpenAsync(server.Http, "/api/v1/stream");
        var run = await server.StartAsync("workspace", Gated);
        var first = await stream.ReadUntilAsync(m => m.Data["id"].StringOrNull == run.ToString());
        server.Gate.Open(run);
        var last = await stream.ReadUntilAsync(m => m.Data["id"].StringOrNull == run.ToString() && m.Data["state"].AsString() == "completed");
        Assert.True(long.Parse(last.Id!) > long.Parse(first.Id!));

        await using var again = await EventStreamReader.OpenAsync(server.Http, "/api/v1/stream", first.Id);
        Assert.Equal(run.ToString(), (await again.ReadUntilAsync(m => m.Data["id"].StringOrNull == run.ToString())).Data["id"].AsString());
    }
}

public sealed class StreamsOnSqliteTests(TestServer server) : StreamTests(server), IClassFixture<TestServer>;

public sealed class StreamsOnPostgresTests(PostgresTestServer server) : StreamTests(server), IClassFixture<PostgresTestServer>;
