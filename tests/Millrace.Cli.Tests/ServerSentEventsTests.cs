using Millrace.Cli.Api;

namespace Millrace.Cli.Tests;

public sealed class ServerSentEventsTests
{
    private static async Task<List<ServerSentEvent>> ReadAsync(string text)
    {
        var found = new List<ServerSentEvent>();
        await foreach (var message in ServerSentEvents.ReadAsync(new StringReader(text), CancellationToken.None)) found.Add(message);
        return found;
    }

    [Fact]
    public async Task A_message_has_its_event_its_data_and_its_id()
    {
        var message = Assert.Single(await ReadAsync("id: 17\nevent: record\ndata: {\"seq\": 17}\n\n"));

        Assert.Equal(new ServerSentEvent("record", "{\"seq\": 17}", "17"), message);
    }

    [Fact]
    public async Task Lines_of_data_are_joined_by_a_line_feed() =>
        Assert.Equal("a\n\nb", Assert.Single(await ReadAsync("data: a\ndata\ndata: b\n\n")).Data);

    [Fact]
    public async Task Only_one_space_after_the_colon_is_dropped() =>
        Assert.Equal("  a", Assert.Single(await ReadAsync("data:   a\n\n")).Data);

    [Fact]
    public async Task A_heartbeat_is_handed_out_as_a_comment() =>
        Assert.Null(Assert.Single(await ReadAsync(": heartbeat\n\n")).Event);

    [Fact]
    public async Task The_last_id_holds_until_another_one_comes() =>
        Assert.Equal(["1", "1", "2"], (await ReadAsync("id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n")).Select(m => m.Id));

    [Fact]
    public async Task A_message_cut_off_by_the_end_of_the_stream_is_dropped() =>
        Assert.Equal(["a"], (await ReadAsync("data: a\n\nid: 2\ndata: half")).Select(m => m.Data));

    [Fact]
    public async Task An_event_without_data_is_no_message() =>
        Assert.Empty(await ReadAsync("event: live\n\n"));

    [Fact]
    public async Task Carriage_returns_end_lines_too() =>
        Assert.Equal("a", Assert.Single(await ReadAsync("data: a\r\n\r\n")).Data);
}
