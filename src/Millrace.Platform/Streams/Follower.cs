namespace Millrace.Platform.Streams;

/// <summary>
/// Writes what one follower is to see: what it missed from the log, then what the broadcast brings, a heartbeat when nothing
/// does, and the end. A follower that cannot keep up is served from the log again; nothing waits for it.
/// </summary>
/// <param name="to">The follower's connection; it may fail with an <see cref="IOException"/>.</param>
/// <param name="open">Opens the log after a position.</param>
internal sealed class Follower(Stream to, Broadcast broadcast, Func<long, FollowedLog> open, TimeProvider time)
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    /// <param name="position">What the follower has seen up to.</param>
    public async Task RunAsync(long position, CancellationToken cancel)
    {
        FollowedLog? replay = null;
        long? place = null;
        while (true)
        {
            if (place is null && (place = broadcast.Ring.Join(position)) is null)
            {
                replay ??= open(position);
                // Asked before the log is read: what the log does not hold up to there is not missed, it was removed.
                var complete = broadcast.Ring.CompleteAfter;
                var missed = await replay.ReadAsync(cancel);
                await SendAsync(missed, cancel);
                position = missed.Count > 0 ? replay.Position : Math.Max(replay.Position, complete);
                continue;
            }
            replay = null;
            var (frames, closed) = broadcast.Ring.Read(place.Value);
            if (frames is null)
            {
                place = null;
                continue;
            }
            var unseen = frames.Where(f => f.Position < 0 || f.Position > position).ToList();
            await SendAsync(unseen, cancel);
            place += frames.Count;
            position = unseen.Aggregate(position, (seen, f) => Math.Max(seen, f.Position));
            if (frames.Count > 0) continue;
            if (closed)
            {
                if (broadcast.Ended) await SendAsync([new Frame(-1, Frames.End)], cancel);
                return;
            }
            if (!await broadcast.Ring.WaitAsync(place.Value, HeartbeatInterval, time, cancel)) await SendAsync([new Frame(-1, Frames.Heartbeat)], cancel);
        }
    }

    private async Task SendAsync(IReadOnlyList<Frame> frames, CancellationToken cancel)
    {
        if (frames.Count == 0) return;
        foreach (var frame in frames) await to.WriteAsync(frame.Bytes, cancel);
        await to.FlushAsync(cancel);
    }
}
