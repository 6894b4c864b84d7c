using Millrace.Storage.Bus;
using Millrace.Storage.Postgres;
using Millrace.Tests.Chaos;
using Millrace.Tests.Servers;
using Npgsql;

namespace Millrace.Storage.Tests.Bus;

/// <summary>Two processes joined by nothing but PostgreSQL's own notification. The first one's wire can be cut.</summary>
public sealed class PostgresLinkTests : IAsyncLifetime
{
    private string _uri = null!;
    private CuttableLink _wire = null!;
    private LinkedHub _one = null!;
    private LinkedHub _two = null!;

    public async ValueTask InitializeAsync()
    {
        var server = await PostgresServer.SharedAsync();
        _uri = await server.CreateDatabaseAsync();
        _wire = new CuttableLink(server.Port);
        _one = Open(_uri.Replace($":{server.Port}/", $":{_wire.Port}/", StringComparison.Ordinal));
        _two = Open(_uri);
        await _one.UpAsync();
        await _two.UpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _wire.DisposeAsync();
    }

    [Fact]
    public async Task What_one_process_sends_reaches_the_subscribers_of_another()
    {
        await using var subscription = await _two.FollowAsync("worker:1", capacity: 2_000);
        var sent = Enumerable.Range(1, 1_000).Select(i => new BusMessage(i, $"run {i}")).ToList();
        foreach (var message in sent) _one.Send("worker:1", message.Position, (string)message.Payload!);
        var came = new List<BusMessage>();
        while (came.Count < sent.Count) came.Add(await LinkedHub.NextAsync(subscription));
        Assert.Equal(sent, came.OrderBy(m => m.Position));
    }

    [Fact]
    public async Task Hints_of_one_topic_that_wait_become_one_and_the_last_position_arrives()
    {
        await using var subscription = await _two.FollowAsync("workspace:1", capacity: 10_000);
        for (var i = 1; i <= 5_000; i++) _one.Send("workspace:1", i, "");
        while ((await LinkedHub.NextAsync(subscription)).Position != 5_000)
        {
        }

        Assert.InRange(_two.Received.Count, 1, 4_999);
    }

    [Fact]
    public async Task Nothing_comes_back_to_its_sender_and_only_what_is_followed_arrives()
    {
        await using var own = await _one.FollowAsync("worker:1");
        await using var other = await _two.FollowAsync("worker:1");
        await (await _two.FollowAsync("worker:2")).DisposeAsync();
        foreach (var topic in new[] { "worker:2", "worker:3", "worker:1" }) _one.Send(topic, 1, topic);
        _two.Send("worker:1", 2, "yours");
        Assert.Equal(1, (await LinkedHub.NextAsync(other)).Position);
        Assert.Equal(2, (await LinkedHub.NextAsync(own)).Position);
        Assert.Equal([2L], _one.Received.Select(m => m.Position));
        Assert.Equal(["worker:1"], _two.Received.Select(m => m.Topic));
    }

    [Fact]
    public async Task What_single_runs_do_is_too_much_for_it()
    {
        await using var run = await _two.FollowAsync("run:1");
        await using var worker = await _two.FollowAsync("worker:1");
        _one.Send("run:1", 1, "");
        _one.Send("worker:1", 2, "");
        Assert.Equal(2, (await LinkedHub.NextAsync(worker)).Position);
        Assert.False(run.TryRead(out _));
    }

    [Fact]
    public async Task A_payload_over_the_limit_arrives_as_a_bare_hint()
    {
        await using var subscription = await _two.FollowAsync("worker:1");
        _one.Send("worker:1", 1, new string('a', 3_000));
        Assert.Equal(new BusMessage(1, new string('a', 3_000)), await LinkedHub.NextAsync(subscription));
        _one.Send("worker:1", 2, new string('a', 3_001));
        Assert.Equal(new BusMessage(2, ""), await LinkedHub.NextAsync(subscription));
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_is_told_as_loss_and_everything_works_again_and_a_link_opens_meanwhile()
    {
        await using var server = await PostgresServer.StartAsync();
        var uri = await server.CreateDatabaseAsync();
        await using var one = Open(uri);
        await using var two = Open(uri);
        await one.UpAsync();
        await using var subscription = await two.FollowAsync("worker:1");
        await server.StopAsync("immediate");
        await one.UpAsync(false);
        await two.UpAsync(false);
        // Nobody waits and nothing throws while it is away, however much there is to send.
        for (var i = 1; i <= 50_000; i++) one.Send("workspace:1", i, $"{i}");
        await using var opened = two.Bus.Subscribe("workspace:1");
        opened.TakeLost();
        await using var late = Open(uri);
        await using var early = late.Bus.Subscribe("worker:1");
        Assert.False(late.Link.IsUp);
        Assert.True(early.TakeLost());
        await server.StartAgainAsync();
        await LinkedHub.LostAsync(subscription);
        await LinkedHub.LostAsync(opened);
        await LinkedHub.LostAsync(early);
        await late.UpAsync();
        await SendUntilHeardAsync(one, subscription, 7);
        await SendUntilHeardAsync(one, early, 8);
    }

    [Fact]
    public async Task Connections_that_the_server_cuts_are_told_as_loss_and_made_anew()
    {
        await using var subscription = await _two.FollowAsync("worker:1");
        await TerminateAsync();
        await LinkedHub.LostAsync(subscription);
        await SendUntilHeardAsync(_one, subscription, 2);
    }

    [Fact]
    public async Task What_a_sender_that_was_cut_off_could_not_send_arrives_when_it_is_back()
    {
        await using var subscription = await _two.FollowAsync("worker:1");
        _wire.Tear();
        await _one.UpAsync(false);
        _one.Send("worker:1", 1, "first");
        _one.Send("worker:1", 2, "second");
        _wire.Heal();
        var came = new[] { await LinkedHub.NextAsync(subscription), await LinkedHub.NextAsync(subscription) };
        Assert.Equal(["first", "second"], came.OrderBy(m => m.Position).Select(m => m.Payload));
    }

    [Fact]
    public async Task What_a_sender_that_was_cut_off_had_to_drop_is_told_to_the_others_as_loss()
    {
        await using var subscription = await _two.FollowAsync("worker:1", capacity: 10_000);
        await using var unrelated = await _two.FollowAsync("workspace:1");
        _wire.Tear();
        await _one.UpAsync(false);
        for (var i = 1; i <= 20_000; i++) _one.Send("worker:1", i, $"run {i}");
        _wire.Heal();
        await LinkedHub.LostAsync(subscription);
        await LinkedHub.LostAsync(unrelated);
        await SendUntilHeardAsync(_one, subscription, 20_001);
        Assert.InRange(_two.Received.Count, 1, 10_000);
    }

    [Fact]
    public async Task A_handler_that_throws_costs_its_message_and_no_other()
    {
        await using var hub = Open(_uri, m =>
        {
            if (m.Position == 1) throw new InvalidDataException("not understood");
        });
        await using var subscription = await hub.FollowAsync("worker:1");
        _one.Send("worker:1", 1, "a");
        await LinkedHub.LostAsync(subscription);
        _one.Send("worker:1", 2, "b");
        Assert.Equal(2, (await LinkedHub.NextAsync(subscription)).Position);
    }

    [Fact]
    public async Task What_others_notify_on_the_channel_is_passed_over()
    {
        await using var subscription = await _two.FollowAsync("worker:1");
        await using (var stranger = new NpgsqlConnection(PostgresOptions.ConnectionOf(_uri)))
        {
            await stranger.OpenAsync();
            foreach (var text in new[] { "", "hello", "a b c d", "x worker:1 1 no-base64!", "x worker:1 -1 ", $"x worker:1 1 {new string('A', 7_000)}" })
            {
                await using var command = new NpgsqlCommand("select pg_notify('millrace', $1)", stranger) { Parameters = { new() { Value = text } } };
                await command.ExecuteNonQueryAsync();
            }
        }

        _one.Send("worker:1", 2, "known");
        Assert.Equal(new BusMessage(2, "known"), await LinkedHub.NextAsync(subscription));
        Assert.True(_two.Link.IsUp);
    }

    [Fact]
    public async Task A_link_that_is_closed_takes_no_notice_of_what_is_asked_of_it()
    {
        var hub = Open(_uri);
        var subscription = await hub.FollowAsync("worker:1");
        await hub.DisposeAsync();
        Assert.False(hub.Link.IsUp);
        hub.Send("worker:1", 1, "");
        await subscription.DisposeAsync();
        Assert.Empty(await hub.Link.RecentAsync("worker:1"));
    }

    private static LinkedHub Open(string uri, Action<LinkMessage>? received = null) => new(receive => PostgresLink.Open(uri, receive), received);

    private async Task TerminateAsync()
    {
        await using var connection = new NpgsqlConnection(PostgresOptions.ConnectionOf(_uri));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace link' and datname = current_database()", connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A message that does not come must be told as lost; then it is sent again.</summary>
    private static async Task SendUntilHeardAsync(LinkedHub from, Subscription subscription, long position)
    {
        using var limit = new CancellationTokenSource(LinkedHub.Limit);
        var told = true;
        while (true)
        {
            if (told) from.Send(subscription.Topic, position, "again");
            await subscription.WaitAsync(limit.Token);
            told = subscription.TakeLost();
            while (subscription.TryRead(out var message))
                if (message.Position == position) return;
        }
    }
}
