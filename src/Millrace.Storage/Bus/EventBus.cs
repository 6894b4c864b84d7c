using System.Collections.Concurrent;

namespace Millrace.Storage.Bus;

/// <summary>
/// Live events inside one process. It carries hints, not truth: whoever must not miss anything reads the durable log, and uses
/// the bus to learn when. Publishing never waits for a subscriber and throws nothing on its account.
/// </summary>
public sealed class EventBus
{
    public const int CapacityDefault = 256;
    private const int CapacityMost = 65_536;

    private readonly ConcurrentDictionary<string, Subscription[]> _topics = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

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
        lock (_lock) _topics[topic] = [.. _topics.GetValueOrDefault(topic, []), subscription];
        StorageMetrics.Subscriptions.Add(1);
        return subscription;
    }

    internal void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(subscription.Topic, out var subscriptions)) return;
            var left = Array.FindAll(subscriptions, s => !ReferenceEquals(s, subscription));
            if (left.Length < subscriptions.Length) StorageMetrics.Subscriptions.Add(-1);
            if (left.Length > 0) _topics[subscription.Topic] = left;
            else _topics.TryRemove(subscription.Topic, out _);
        }
    }
}
