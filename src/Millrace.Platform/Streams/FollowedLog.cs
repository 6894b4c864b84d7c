namespace Millrace.Platform.Streams;

/// <summary>One message of a stream, encoded once for everyone who gets it.</summary>
/// <param name="Position">In the durable log; -1 for what is shown and not kept.</param>
internal readonly record struct Frame(long Position, ReadOnlyMemory<byte> Bytes);

/// <summary>A durable log as a stream tells it, read from a position on. One reader at a time.</summary>
internal abstract class FollowedLog(long after)
{
    /// <summary>Everything up to here has been handed out, or lies before where the reader wanted to begin.</summary>
    public long Position { get; protected set; } = after;

    /// <summary>Nothing will ever follow.</summary>
    public bool Ended { get; protected set; }

    /// <summary>The event bus says on this topic that there may be more.</summary>
    public abstract string Topic { get; }

    /// <returns>The frames that follow, a page at most; none at the log's end.</returns>
    public abstract Task<IReadOnlyList<Frame>> ReadAsync(CancellationToken cancel);

    /// <summary>The frame of something published that is not in the log; null when it is, or is not for this stream.</summary>
    public virtual Frame? Show(object payload) => null;
}
