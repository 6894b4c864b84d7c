using System.Collections.Concurrent;

namespace Millrace.Storage.Bus;

/// <summary>
/// Live events inside one process; a <see cref="BusLink"/> joins it with those of others. It carries hints, not truth: whoever must not miss anything reads the durable log, and uses
/// the bus to learn when. Publishing never waits for a subscriber and throws nothing on its account.
/// </summary>
public sealed class EventBus
{
    public const int CapacityDefault = 256;
    private const int CapacityMost = 65_536;

    private readonly ConcurrentDictionary<string, Subscription[]> _topics = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private BusLink? _link;

    /// <summary>True while nobody listens to anything.</summary>
    public bool IsQuiet => _topics.IsEmpty;

    /// <summary>Whether anybody listens; lets a publisher spare itself the making of a payload.</summary>
    public bool HasSubscribers(string topic) => _topics.ContainsKey(topic);

    /// <summary>
    /// Hands the message to everyone subscribed to <paramref name="topic"/> now. Messages that one thread publishes, or that are
    /// published in an order the caller enforces, arrive in that order.
    /// </summary>
    public void Publish(string topic, BusMessage message)
    {
        if (!_topics.TryGetValue(topic, out var subscriptions)) return;
        foreach (var subscription in subscriptions) subscription.Offer(message);
    }

    /// <param name="capacity">Messages that may wait for the reader, 1 to 65,536. One more, and all of them are dropped and the subscription is lost.</param>
    public Subscription Subscribe(string topic, int capacity = CapacityDefault)
    {
        if (capacity is < 1 or > CapacityMost)
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, $"A subscription's capacity must be 1 to {CapacityMost}.");
        var subscription = new Subscription(this, topic, capacity);
        lock (_lock)
        {
            var others = _topics.GetValueOrDefault(topic, []);
            _topics[topic] = [.. others, subscription];
            if (others.Length == 0) _link?.Follow(topic);
        }

        StorageMetrics.Subscriptions.Add(1);
        return subscription;
    }

    /// <summary>
    /// From now on the link follows the topics that somebody is subscribed to here, and what it loses is told to them. What it
    /// receives is published by whoever opened it, because only that one knows how a topic's payloads are decoded.
    /// </summary>
    public void Join(BusLink link)
    {
        lock (_lock)
        {
            if (_link is not null) throw new InvalidOperationException("The bus has a link already.");
            _link = link;
            link.Lost += topic =>
            {
                if (topic is null) LoseAll();
                else Lose(topic);
            };
            foreach (var topic in _topics.Keys) link.Follow(topic);
        }
    }

    /// <summary>See <see cref="BusLink.RecentAsync"/>; empty without a link.</summary>
    public Task<IReadOnlyList<LinkMessage>> RecentAsync(string topic) =>
        _link?.RecentAsync(topic) ?? Task.FromResult<IReadOnlyList<LinkMessage>>([]);

    /// <summary>Whether other processes may publish what is followed here.</summary>
    public bool IsLinked => _link is not null;

    /// <summary>Tells everyone subscribed to <paramref name="topic"/> that messages may be missing. Those that wait are kept.</summary>
    public void Lose(string topic)
    {
        if (!_topics.TryGetValue(topic, out var subscriptions)) return;
        foreach (var subscription in subscriptions) subscription.Lose();
    }

    /// <summary>Tells every subscriber that messages may be missing. Those that wait are kept.</summary>
    public void LoseAll()
    {
        foreach (var topic in _topics.Keys) Lose(topic);
    }

    internal void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(subscription.Topic, out var subscriptions)) return;
            var left = Array.FindAll(subscriptions, s => !ReferenceEquals(s, subscription));
            if (left.Length < subscriptions.Length) StorageMetrics.Subscriptions.Add(-1);
            if (left.Length > 0)
            {
                _topics[subscription.Topic] = left;
            }
            else if (_topics.TryRemove(subscription.Topic, out _))
            {
                _link?.Unfollow(subscription.Topic);
            }
        }
    }
}
