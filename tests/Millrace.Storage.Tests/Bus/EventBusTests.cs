using Millrace.Storage.Bus;

namespace Millrace.Storage.Tests.Bus;

public sealed class EventBusTests
{
    private readonly EventBus _bus = new();

    [Fact]
    public async Task A_message_reaches_everyone_subscribed_to_its_topic_and_nobody_else()
    {
        await using var one = _bus.Subscribe("run/1");
        await using var two = _bus.Subscribe("run/1");
        await using var other = _bus.Subscribe("run/2");
        var payload = new object();
        _bus.Publish("run/1", new BusMessage(7, payload));

        Assert.True(one.TryRead(out var first));
        Assert.True(two.TryRead(out var second));
        Assert.Equal(7, first.Position);
        Assert.Same(payload, first.Payload);
        Assert.Same(payload, second.Payload);
        Assert.False(other.TryRead(out _));
        Assert.False(one.TryRead(out _));
    }

    [Fact]
    public async Task Messages_come_in_the_order_they_were_published()
    {
        await using var subscription = _bus.Subscribe("a", capacity: 100);
        var read = new List<long>();
        for (var i = 1; i <= 100; i++)
        {
            _bus.Publish("a", new BusMessage(i, ""));
            if (i % 3 == 0 && subscription.TryRead(out var early)) read.Add(early.Position);
        }

        while (subscription.TryRead(out var message)) read.Add(message.Position);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), read);
        Assert.False(subscription.Lost);
    }

    [Fact]
    public async Task A_full_buffer_is_dropped_the_reader_told_and_later_messages_come_again()
    {
        await using var slow = _bus.Subscribe("a", capacity: 3);
        await using var quick = _bus.Subscribe("a", capacity: 10);
        for (var i = 1; i <= 4; i++) _bus.Publish("a", new BusMessage(i, ""));

        Assert.True(slow.Lost);
        _bus.Publish("a", new BusMessage(5, ""));
        Assert.False(slow.TryRead(out _));
        Assert.True(await slow.WaitAsync());
        Assert.True(slow.TakeLost());
        Assert.False(slow.TakeLost());
        Assert.True(slow.TryRead(out var message));
        Assert.Equal(5, message.Position);
        Assert.False(quick.Lost);
    }

    [Fact]
    public async Task A_reader_that_waits_is_woken_by_a_message()
    {
        await using var subscription = _bus.Subscribe("a");
        var wait = subscription.WaitAsync();
        Assert.False(wait.IsCompleted);
        _bus.Publish("a", new BusMessage(1, "x"));
        Assert.True(await wait);
        Assert.True(subscription.TryRead(out _));
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_the_next_one_works()
    {
        await using var subscription = _bus.Subscribe("a");
        for (var i = 0; i < 3; i++)
        {
            using var cancel = new CancellationTokenSource();
            var wait = subscription.WaitAsync(cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        }

        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await subscription.WaitAsync(cancelled.Token));
        var last = subscription.WaitAsync();
        _bus.Publish("a", new BusMessage(1, ""));
        Assert.True(await last);
    }

    [Fact]
    public async Task Disposing_ends_the_wait_and_the_topic()
    {
        var subscription = _bus.Subscribe("a");
        Assert.True(_bus.HasSubscribers("a"));
        var wait = subscription.WaitAsync();
        await subscription.DisposeAsync();
        Assert.False(await wait);
        Assert.False(await subscription.WaitAsync());
        Assert.False(_bus.HasSubscribers("a"));
        _bus.Publish("a", new BusMessage(1, ""));
        Assert.False(subscription.TryRead(out _));
        await subscription.DisposeAsync();
    }

    [Fact]
    public async Task Two_waits_at_once_are_a_mistake()
    {
        await using var subscription = _bus.Subscribe("a");
        _ = subscription.WaitAsync().AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = subscription.WaitAsync().AsTask(); });
    }

    [Fact]
    public async Task Everyone_can_be_told_that_messages_may_be_missing_and_those_that_wait_are_kept()
    {
        await using var one = _bus.Subscribe("a");
        await using var two = _bus.Subscribe("b");
        _bus.Publish("a", new BusMessage(1, ""));
        var wait = two.WaitAsync();
        _bus.LoseAll();
        Assert.True(await wait);
        Assert.True(one.TakeLost());
        Assert.True(two.TakeLost());
        Assert.True(one.TryRead(out var kept));
        Assert.Equal(1, kept.Position);
        _bus.Lose("b");
        Assert.False(one.Lost);
        Assert.True(two.Lost);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_537)]
    public void A_buffer_has_limits(int capacity) => Assert.Throws<ArgumentOutOfRangeException>(() => _bus.Subscribe("a", capacity));

    [Fact]
    public async Task Readers_that_come_and_go_while_others_publish_miss_nothing_without_being_told()
    {
        const int Messages = 20_000;
        var gaps = 0;
        using var stop = new CancellationTokenSource();

        async Task ReadAsync(int capacity)
        {
            await using var subscription = _bus.Subscribe("a", capacity);
            var last = 0L;
            while (await subscription.WaitAsync(stop.Token))
            {
                if (subscription.TakeLost()) last = 0;
                while (subscription.TryRead(out var message))
                {
                    if (last != 0 && message.Position != last + 1) Interlocked.Increment(ref gaps);
                    last = message.Position;
                }
            }
        }

        var readers = Enumerable.Range(0, 6).Select(i => Task.Run(() => ReadAsync(1 << i))).ToList();
        for (var i = 1; i <= Messages; i++) _bus.Publish("a", new BusMessage(i, ""));
        await stop.CancelAsync();
        await Task.WhenAll(readers).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.All(readers, r => Assert.True(r.IsCanceled));
        Assert.Equal(0, gaps);
    }
}
