namespace Millrace.Storage.Bus;

/// <summary>
/// Joins the <see cref="EventBus"/> of this process with those of others. Like the bus it carries hints: what it may have
/// failed to bring is told by <see cref="Lost"/>, and whoever is told reads the durable log again.
/// </summary>
/// <param name="received">
/// Takes what other processes sent on topics that are followed here, one message after the other. What it throws counts as a lost message.
/// </param>
public abstract class BusLink(Action<LinkMessage> received) : IAsyncDisposable
{
    /// <summary>Bytes. A larger payload is not sent: its message arrives as a bare hint, with an empty one.</summary>
    public const int PayloadMax = 1 << 20;

    /// <summary>Whether messages come and go now.</summary>
    public abstract bool IsUp { get; }

    /// <summary>Raised in order with the new <see cref="IsUp"/>; must not block.</summary>
    public event Action<bool>? Changed;

    /// <summary>
    /// Messages of a topic, or of all topics when it is null, may be missing: the link was away, a buffer overflowed here or
    /// at a sender, or the topic has only just begun to be followed. Must not block.
    /// </summary>
    public event Action<string?>? Lost;

    /// <summary>
    /// Sends to all other processes that follow the topic. Never waits and never throws. When more is sent than the link can
    /// carry, or while it is away, the oldest messages are dropped, and those who follow their topics learn it later.
    /// </summary>
    /// <param name="payload">Must not be changed any more.</param>
    public abstract void Send(string topic, long position, ReadOnlyMemory<byte> payload);

    /// <summary>Begins to receive a topic. Never waits: <see cref="Lost"/> is raised with the topic when it is really received.</summary>
    public abstract void Follow(string topic);

    /// <summary>Ends what <see cref="Follow"/> began.</summary>
    public abstract void Unfollow(string topic);

    /// <summary>
    /// Live output that the topic had a short while ago, the oldest first, whoever sent it. Who follows the topic first and asks
    /// then misses nothing, but may get a message both ways. Empty when the link is away or keeps none.
    /// </summary>
    public virtual Task<IReadOnlyList<LinkMessage>> RecentAsync(string topic) => Task.FromResult<IReadOnlyList<LinkMessage>>([]);

    public abstract ValueTask DisposeAsync();

    protected void Deliver(LinkMessage message)
    {
        try
        {
            received(message);
        }
        catch (Exception)
        {
            RaiseLost(message.Topic);
        }
    }

    protected void RaiseChanged(bool up) => Changed?.Invoke(up);

    protected void RaiseLost(string? topic) => Lost?.Invoke(topic);
}

/// <param name="Position">Its position in the durable log; 0 for what is not in it.</param>
/// <param name="Payload">Empty in a bare hint.</param>
public readonly record struct LinkMessage(string Topic, long Position, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Output of a run that is shown and not kept. No log brings it back, so nobody is told when it was dropped.</summary>
    internal bool IsLiveOutput => Position == 0 && Topic.StartsWith("run:", StringComparison.Ordinal);
}
