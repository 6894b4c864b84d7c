using Millrace.Storage.Bus;
using Millrace.Storage.Postgres;
using Millrace.Tests.Servers;

namespace Millrace.Storage.Tests.Bus;

public sealed class FallbackLinkTests : IAsyncDisposable
{
    private readonly NotedLink _first = new();
    private readonly NotedLink _second = new();
    private readonly FallbackLink _link;

    public FallbackLinkTests() => _link = new FallbackLink(_first, _second);

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    [Fact]
    public void The_first_link_carries_everything_while_it_is_up_and_the_second_while_it_is_not()
    {
        _second.Up(true);
        _link.Send("a", 1, default);
        _first.Up(true);
        _link.Send("b", 2, default);
        _first.Up(false);
        _link.Send("c", 3, default);
        _first.Up(true);
        _link.Send("d", 4, default);
        Assert.Equal(["b", "d"], _first.Sent);
        Assert.Equal(["a", "c"], _second.Sent);
    }

    [Fact]
    public void It_is_up_while_either_is_and_says_so_in_order()
    {
        var said = new List<bool>();
        _link.Changed += said.Add;
        Assert.False(_link.IsUp);
        _second.Up(true);
        _first.Up(true);
        _second.Up(false);
        Assert.True(_link.IsUp);
        _first.Up(false);
        Assert.False(_link.IsUp);
        Assert.Equal([true, true, true, false], said);
    }

    /// <summary>So that nothing has to be asked for again when one takes over, and a process that still has the first is heard.</summary>
    [Fact]
    public void Both_follow_all_the_time_what_is_followed()
    {
        _link.Follow("a");
        _link.Follow("b");
        _link.Unfollow("a");
        Assert.Equal(["b"], _first.Followed);
        Assert.Equal(["b"], _second.Followed);
    }

    [Fact]
    public void A_loss_of_either_is_told()
    {
        var lost = new List<string?>();
        _link.Lost += lost.Add;
        _first.Lose("a");
        _second.Lose(null);
        Assert.Equal(["a", null], lost);
    }

    [Fact]
    public async Task Closing_it_closes_both()
    {
        await _link.DisposeAsync();
        Assert.True(_first.Closed && _second.Closed);
    }

    [Fact]
    public async Task When_Redis_dies_wake_ups_go_through_PostgreSQL_and_back_when_it_returns()
    {
        await using var redis = await RedisServer.StartAsync();
        var postgres = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var options = new RedisOptions { Host = "127.0.0.1", Port = redis.Port, Timeout = TimeSpan.FromSeconds(1) };
        var firsts = new List<RedisLink>();
        BusLink Open(Action<LinkMessage> receive)
        {
            firsts.Add(RedisLink.Open(options, receive));
            return new FallbackLink(firsts[^1], PostgresLink.Open(postgres, receive));
        }

        await using var one = new LinkedHub(Open);
        await using var two = new LinkedHub(Open);
        await using var subscription = two.Bus.Subscribe("worker:1");
        await UntilAsync(firsts, up: true);
        await HeardAsync(one, subscription, "by Redis");
        await redis.KillAsync();
        await UntilAsync(firsts, up: false);
        await HeardAsync(one, subscription, "by PostgreSQL");
        await redis.StartAgainAsync();
        await UntilAsync(firsts, up: true);
        await HeardAsync(one, subscription, "by Redis again");
    }

    private static async Task UntilAsync(List<RedisLink> links, bool up)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(LinkedHub.Limit);
        while (links.Exists(l => l.IsUp != up)) await pulse.WaitForNextTickAsync(patience.Token);
    }

    /// <summary>Sent again whenever loss is told, as those do who read the log then.</summary>
    private static async Task HeardAsync(LinkedHub from, Subscription subscription, string text)
    {
        using var limit = new CancellationTokenSource(LinkedHub.Limit);
        from.Send("worker:1", 0, text);
        while (true)
        {
            while (subscription.TryRead(out var message))
                if (message.Payload is string came && came == text) return;
            await subscription.WaitAsync(limit.Token);
            if (subscription.TakeLost()) from.Send("worker:1", 0, text);
        }
    }

    /// <summary>Notes what is asked of it, and goes up and down as the test says.</summary>
    private sealed class NotedLink() : BusLink(_ => { })
    {
        private bool _up;

        public override bool IsUp => _up;
        public List<string> Sent { get; } = [];
        public List<string> Followed { get; } = [];
        public bool Closed { get; private set; }

        public void Up(bool up)
        {
            _up = up;
            RaiseChanged(up);
        }

        public void Lose(string? topic) => RaiseLost(topic);

        public override void Send(string topic, long position, ReadOnlyMemory<byte> payload) => Sent.Add(topic);

        public override void Follow(string topic) => Followed.Add(topic);

        public override void Unfollow(string topic) => Followed.Remove(topic);

        public override ValueTask DisposeAsync()
        {
            Closed = true;
            return ValueTask.CompletedTask;
        }
    }
}
