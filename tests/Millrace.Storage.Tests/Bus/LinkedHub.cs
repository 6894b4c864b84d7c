using System.Text;
using Millrace.Storage.Bus;

namespace Millrace.Storage.Tests.Bus;

/// <summary>What one process has: a bus, and the link that joins it with the others. Payloads are text.</summary>
internal sealed class LinkedHub : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<LinkMessage> _received = [];
    private TaskCompletionSource _changed = New();

    public LinkedHub(RedisOptions options, Action<LinkMessage>? received = null)
        : this(receive => RedisLink.Open(options, receive), received)
    {
    }

    public LinkedHub(Func<Action<LinkMessage>, BusLink> open, Action<LinkMessage>? received = null)
    {
        Link = open(message =>
        {
            lock (_lock) _received.Add(message);
            received?.Invoke(message);
            Bus.Publish(message.Topic, new BusMessage(message.Position, Encoding.UTF8.GetString(message.Payload.Span)));
        });
        Link.Changed += _ =>
        {
            lock (_lock)
            {
                _changed.TrySetResult();
                _changed = New();
            }
        };
        Bus.Join(Link);
    }

    public EventBus Bus { get; } = new();
    public BusLink Link { get; }

    /// <summary>Everything that came from elsewhere, whether somebody here was interested or not.</summary>
    public IReadOnlyList<LinkMessage> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    public async Task UpAsync(bool up = true)
    {
        while (true)
        {
            Task changed;
            lock (_lock) changed = _changed.Task;
            if (Link.IsUp == up) return;
            await changed.WaitAsync(Limit);
        }
    }

    /// <summary>Subscribes, and waits until the topic is really received from elsewhere.</summary>
    public async Task<Subscription> FollowAsync(string topic, int capacity = EventBus.CapacityDefault)
    {
        await UpAsync();
        var subscription = Bus.Subscribe(topic, capacity);
        await LostAsync(subscription);
        return subscription;
    }

    public void Send(string topic, long position, string text) => Link.Send(topic, position, Encoding.UTF8.GetBytes(text));

    public static async Task<BusMessage> NextAsync(Subscription subscription)
    {
        using var limit = new CancellationTokenSource(Limit);
        BusMessage message;
        while (!subscription.TryRead(out message))
        {
            Assert.False(subscription.Lost, "Something was lost before the message came.");
            await subscription.WaitAsync(limit.Token);
        }

        return message;
    }

    /// <summary>Waits until the subscriber is told that something may be missing, whatever comes before.</summary>
    public static async Task LostAsync(Subscription subscription)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!subscription.TakeLost())
        {
            while (subscription.TryRead(out _))
            {
            }

            await subscription.WaitAsync(limit.Token);
        }
    }

    public ValueTask DisposeAsync() => Link.DisposeAsync();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
