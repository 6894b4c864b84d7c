using Millrace.Cli.Api;

namespace Millrace.Cli.Tests;

public sealed class RunFeedTests
{
    private const string End = "event: end\ndata: {}\n\n";

    private static string Record(int seq) => $"id: {seq}\nevent: record\ndata: {{\"seq\": {seq}, \"at\": \"2026-11-20T12:00:00Z\", \"run\": {{\"state\": \"running\"}}, \"steps\": []}}\n\n";

    private static async Task<List<FeedItem>> FollowAsync(FakeServer server)
    {
        using var client = server.Client;
        var items = new List<FeedItem>();
        await foreach (var item in new RunFeed(client, new HurriedTime()).FollowAsync("r", -1, CancellationToken.None)) items.Add(item);
        return items;
    }

    private static List<long> Positions(List<FeedItem> items) => [.. items.OfType<FeedItem.Recorded>().Select(r => r.Seq)];

    [Fact]
    public async Task It_hands_out_records_until_the_end() =>
        Assert.Equal([0, 1, 2], Positions(await FollowAsync(new FakeServer().Stream(Record(0) + Record(1) + Record(2) + End))));

    [Fact]
    public async Task After_a_lost_connection_it_asks_from_where_it_was()
    {
        var server = new FakeServer().Stream(Record(1) + Record(2), new IOException("reset")).Stream(Record(3) + End);

        var items = await FollowAsync(server);

        Assert.Equal([1, 2, 3], Positions(items));
        Assert.Equal([null, "2"], server.Requests.Select(r => r.LastEventId));
    }

    [Fact]
    public async Task A_stream_that_closes_without_the_end_is_opened_again() =>
        Assert.Equal([1, 2], Positions(await FollowAsync(new FakeServer().Stream(Record(1)).Stream(Record(2) + End))));

    [Fact]
    public async Task A_record_that_comes_twice_is_handed_out_once() =>
        Assert.Equal([1, 2, 3], Positions(await FollowAsync(new FakeServer().Stream(Record(1) + Record(2)).Stream(Record(1) + Record(2) + Record(3) + End))));

    [Fact]
    public async Task A_server_that_restarts_is_waited_for() =>
        Assert.Equal([1, 2], Positions(await FollowAsync(new FakeServer().Stream(Record(1)).Down().Down().Down().Stream(Record(2) + End))));

    [Fact]
    public async Task A_server_that_stays_away_ends_the_following_and_says_how_to_go_on()
    {
        var server = new FakeServer().Stream(Record(1));
        for (var i = 0; i < 100; i++) server.Down();

        var e = await Assert.ThrowsAsync<UnreachableException>(() => FollowAsync(server));

        Assert.Contains("millrace runs watch r", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_not_tried_again()
    {
        var server = new FakeServer().Json("""{"status":404,"code":"run.not_found","title":"There is no such run."}""", 404, "application/problem+json");

        var e = await Assert.ThrowsAsync<RefusedException>(() => FollowAsync(server));

        Assert.Equal("run.not_found", e.Problem.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Live_output_is_handed_out_and_moves_no_position()
    {
        var items = await FollowAsync(new FakeServer().Stream(Record(1) + "event: live\ndata: {\"step\": 4, \"channel\": \"stdout\", \"data\": \"hello\"}\n\n" + End));

        Assert.Equal(new FeedItem.Shown(4, "stdout", "hello"), items[1]);
    }
}
