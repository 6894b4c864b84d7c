using System.Globalization;
using System.Text;
using Millrace.Storage.Bus;
using Millrace.Tests.Servers;

namespace Millrace.Storage.Tests.Bus;

public sealed class RedisLinkTests : IAsyncLifetime
{
    private RedisServer _server = null!;
    private LinkedHub _one = null!;
    private LinkedHub _two = null!;

    private RedisOptions Options => new() { Host = "127.0.0.1", Port = _server.Port, Timeout = TimeSpan.FromSeconds(1) };

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        (_one, _two) = (new LinkedHub(Options), new LinkedHub(Options));
        await _one.UpAsync();
        await _two.UpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_one_process_sends_reaches_the_subscribers_of_another_in_order()
    {
        await using var subscription = await _two.FollowAsync("run:1", capacity: 5_000);
        for (var i = 1; i <= 5_000; i++) _one.Send("run:1", i, $"record {i}");
        for (var i = 1; i <= 5_000; i++) Assert.Equal(new BusMessage(i, $"record {i}"), await LinkedHub.NextAsync(subscription));
    }

    [Fact]
    public async Task Nothing_comes_back_to_its_sender()
    {
        await using var own = await _one.FollowAsync("run:1");
        await using var other = await _two.FollowAsync("run:1");
        _one.Send("run:1", 1, "mine");
        _two.Send("run:1", 2, "yours");
        Assert.Equal(1, (await LinkedHub.NextAsync(other)).Position);
        Assert.Equal(2, (await LinkedHub.NextAsync(own)).Position);
        Assert.DoesNotContain(_one.Received, m => m.Position == 1);
    }

    [Fact]
    public async Task Only_topics_that_somebody_is_subscribed_to_arrive()
    {
        await using var followed = await _two.FollowAsync("run:1");
        var ended = await _two.FollowAsync("run:2");
        await ended.DisposeAsync();

        // The topic is given up in the background; a new one that has come through says that it was.
        await using var later = await _two.FollowAsync("run:3");
        foreach (var topic in new[] { "run:2", "run:4", "workspace:1", "worker:1", "run:1" }) _one.Send(topic, 9, topic);
        Assert.Equal("run:1", (await LinkedHub.NextAsync(followed)).Payload);
        Assert.Equal(["run:1"], _two.Received.Select(m => m.Topic));
        Assert.Equal("1", (await _server.CommandAsync("PUBSUB", "NUMSUB", "millrace:0:run:1")).Split('\n')[1]);
        Assert.Equal("0", (await _server.CommandAsync("PUBSUB", "NUMSUB", "millrace:0:run:2")).Split('\n')[1]);
    }

    [Fact]
    public async Task A_topic_that_closes_and_opens_again_is_received_again()
    {
        for (var i = 1; i <= 20; i++)
        {
            await using var subscription = await _two.FollowAsync("run:1");
            _one.Send("run:1", i, "");
            Assert.Equal(i, (await LinkedHub.NextAsync(subscription)).Position);
        }
    }

    [Fact]
    public async Task Topics_opened_before_the_link_are_received_too()
    {
        var bus = new EventBus();
        await using var early = bus.Subscribe("run:1");
        await using var link = RedisLink.Open(Options, m => bus.Publish(m.Topic, new BusMessage(m.Position, "")));
        bus.Join(link);
        await LinkedHub.LostAsync(early);
        _one.Send("run:1", 5, "");
        Assert.Equal(5, (await LinkedHub.NextAsync(early)).Position);
        Assert.Throws<InvalidOperationException>(() => bus.Join(link));
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_is_told_as_loss_and_everything_works_again()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        await _server.KillAsync();
        await _one.UpAsync(false);
        await _two.UpAsync(false);

        // Nobody waits and nothing throws while it is away, however much there is to send.
        for (var i = 1; i <= 50_000; i++) _one.Send("workspace:1", i, "x");
        await using var opened = _two.Bus.Subscribe("workspace:1");
        Assert.Empty(await _two.Link.RecentAsync("run:1"));

        await _server.StartAgainAsync();
        await _one.UpAsync();
        await LinkedHub.LostAsync(subscription);
        await LinkedHub.LostAsync(opened);
        await SendUntilHeardAsync(subscription, 7);
    }

    [Fact]
    public async Task A_link_opens_while_the_server_is_away()
    {
        await _server.KillAsync();
        await using var hub = new LinkedHub(Options);
        Assert.False(hub.Link.IsUp);
        await using var subscription = hub.Bus.Subscribe("run:1");
        hub.Send("run:1", 1, "");
        await _server.StartAgainAsync();
        await LinkedHub.LostAsync(subscription);
        Assert.True(hub.Link.IsUp);
    }

    [Fact]
    public async Task A_server_that_hangs_counts_as_away()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        await _server.HaltAsync();
        await _one.UpAsync(false);
        await _two.UpAsync(false);
        _one.Send("run:1", 1, "into the void");
        await _server.ContinueAsync();
        await LinkedHub.LostAsync(subscription);
        await SendUntilHeardAsync(subscription, 2);
    }

    [Fact]
    public async Task A_connection_that_the_server_cuts_is_told_as_loss()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        await _server.CommandAsync("CLIENT", "KILL", "TYPE", "pubsub");
        await LinkedHub.LostAsync(subscription);
        await SendUntilHeardAsync(subscription, 2);
    }

    [Fact]
    public async Task Emptying_the_server_loses_recent_output_and_no_subscription()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        _one.Send("run:1", 0, "shown");
        await LinkedHub.NextAsync(subscription);
        await _server.CommandAsync("FLUSHALL");
        Assert.Empty(await _two.Link.RecentAsync("run:1"));
        _one.Send("run:1", 1, "after");
        Assert.Equal("after", (await LinkedHub.NextAsync(subscription)).Payload);
    }

    [Fact]
    public async Task What_a_slow_process_cannot_take_is_dropped_and_told_and_later_messages_come_again()
    {
        using var gate = new SemaphoreSlim(0);
        await using var slow = new LinkedHub(Options, m =>
        {
            if (m.Position == 1) gate.Wait(LinkedHub.Limit);
        });
        await using var slowly = await slow.FollowAsync("run:1", 65_536);
        await using var quickly = await _two.FollowAsync("run:1", 65_536);
        for (var i = 1; i <= 40_000; i++)
        {
            _one.Send("run:1", i, "x");

            // At the pace of the quick one, so that nothing is dropped on the sender's side.
            if (i % 5_000 == 0) await ReadUntilAsync(quickly, i);
        }

        gate.Release();
        await LinkedHub.LostAsync(slowly);
        _one.Send("run:1", 40_001, "last");
        await ReadUntilAsync(slowly, 40_001);
        Assert.InRange(slow.Received.Count, 2, 40_000);
    }

    [Fact]
    public async Task A_handler_that_throws_costs_its_message_and_no_other()
    {
        await using var hub = new LinkedHub(Options, m =>
        {
            if (m.Position == 1) throw new InvalidDataException("not understood");
        });
        await using var subscription = await hub.FollowAsync("run:1");
        _one.Send("run:1", 1, "");
        _one.Send("run:1", 2, "");
        await LinkedHub.LostAsync(subscription);
        Assert.Equal(2, (await LinkedHub.NextAsync(subscription)).Position);
    }

    [Fact]
    public async Task A_payload_over_the_limit_arrives_as_a_bare_hint()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        _one.Send("run:1", 1, new string('a', BusLink.PayloadMax));
        _one.Send("run:1", 2, new string('a', BusLink.PayloadMax + 1));
        Assert.Equal(BusLink.PayloadMax, ((string)(await LinkedHub.NextAsync(subscription)).Payload).Length);
        Assert.Equal(new BusMessage(2, ""), await LinkedHub.NextAsync(subscription));
    }

    [Fact]
    public async Task Live_output_can_be_read_back_for_a_while_by_whoever_comes_late()
    {
        await using var subscription = await _two.FollowAsync("run:1", 5_000);
        for (var i = 1; i <= 3_000; i++) _one.Send("run:1", 0, i.ToString(CultureInfo.InvariantCulture));
        _one.Send("run:1", 1, "a record");
        _one.Send("worker:1", 0, "wake up");
        await ReadUntilAsync(subscription, 1);

        foreach (var hub in new[] { _one, _two })
        {
            var recent = (await hub.Link.RecentAsync("run:1")).Select(m => int.Parse(Encoding.UTF8.GetString(m.Payload.Span), CultureInfo.InvariantCulture)).ToList();
            Assert.InRange(recent.Count, 500, 1_000);
            Assert.Equal(Enumerable.Range(3_001 - recent.Count, recent.Count), recent);
        }

        Assert.Empty(await _two.Link.RecentAsync("worker:1"));
        Assert.InRange(int.Parse(await _server.CommandAsync("TTL", "millrace:live:run:1"), CultureInfo.InvariantCulture), 500, 600);
    }

    [Fact]
    public async Task A_server_without_memory_keeps_no_output_and_still_passes_it_on()
    {
        await using var subscription = await _two.FollowAsync("run:1");
        await _server.CommandAsync("CONFIG", "SET", "maxmemory", "1");
        _one.Send("run:1", 0, "shown");
        Assert.Equal("shown", (await LinkedHub.NextAsync(subscription)).Payload);
        Assert.Empty(await _two.Link.RecentAsync("run:1"));
        Assert.True(_one.Link.IsUp);
    }

    [Fact]
    public async Task Installations_on_one_server_are_kept_apart_by_their_database()
    {
        await using var elsewhere = new LinkedHub(RedisOptions.Parse($"redis://127.0.0.1:{_server.Port}/3"));
        await using var there = await elsewhere.FollowAsync("run:1");
        await using var here = await _two.FollowAsync("run:1");
        _one.Send("run:1", 0, "here");
        await LinkedHub.NextAsync(here);
        elsewhere.Send("run:1", 0, "there");
        Assert.Equal(["here"], (await _two.Link.RecentAsync("run:1")).Select(m => Encoding.UTF8.GetString(m.Payload.Span)));
        Assert.Empty(elsewhere.Received);
    }

    [Fact]
    public async Task A_link_that_is_closed_takes_no_notice_of_what_is_asked_of_it()
    {
        var subscription = await _two.FollowAsync("run:1");
        await _two.Link.DisposeAsync();
        await _two.Link.DisposeAsync();
        Assert.False(_two.Link.IsUp);
        _two.Send("run:1", 1, "");
        await subscription.DisposeAsync();
        Assert.Empty(await _two.Link.RecentAsync("run:1"));
    }

    /// <summary>A message that does not come must be told as lost; then it is sent again.</summary>
    private async Task SendUntilHeardAsync(Subscription subscription, long position)
    {
        using var limit = new CancellationTokenSource(LinkedHub.Limit);
        var told = true;
        while (true)
        {
            if (told) _one.Send(subscription.Topic, position, "");
            await subscription.WaitAsync(limit.Token);
            told = subscription.TakeLost();
            while (subscription.TryRead(out var message))
                if (message.Position == position) return;
        }
    }

    private static async Task ReadUntilAsync(Subscription subscription, long position)
    {
        while ((await LinkedHub.NextAsync(subscription)).Position != position)
        {
        }
    }
}
