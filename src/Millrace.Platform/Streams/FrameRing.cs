namespace Millrace.Platform.Streams;

/// <summary>
/// The latest frames of one stream, bounded in bytes. Readers keep their own place in it and wait for more; one that falls out
/// behind finds out and reads the log instead, so a slow reader costs nobody anything.
/// </summary>
/// <param name="after">The position from which on the durable frames are complete.</param>
internal sealed class FrameRing(long after, long bytesMax = FrameRing.BytesMaxDefault)
{
    public const long BytesMaxDefault = 4 << 20;

    private readonly Lock _gate = new();
    private readonly Queue<Frame> _frames = new();
    private long _completeAfter = after;
    private long _firstIndex;
    private long _bytes;
    private bool _closed;
    private TaskCompletionSource _changed = New();

    public void Add(IReadOnlyList<Frame> frames)
    {
        if (frames.Count == 0) return;
        TaskCompletionSource changed;
        lock (_gate)
        {
            foreach (var frame in frames)
            {
                _frames.Enqueue(frame);
                _bytes += frame.Bytes.Length;
            }
            while (_bytes > bytesMax && _frames.Count > 1) Drop();
            (changed, _changed) = (_changed, New());
        }
        changed.SetResult();
    }

    /// <summary>No more frames will come.</summary>
    public void Close()
    {
        lock (_gate) _closed = true;
        _changed.TrySetResult();
    }

    /// <summary>A place from which a reader that has seen everything up to <paramref name="position"/> misses nothing; null when that is not in the ring any more.</summary>
    public long? Join(long position)
    {
        lock (_gate)
        {
            if (position < _completeAfter) return null;
            var index = _firstIndex;
            foreach (var frame in _frames)
            {
                if (frame.Position > position) return index;
                index++;
            }
            return index;
        }
    }

    /// <returns>The frames from <paramref name="index"/> on; null when the reader has fallen out behind. <c>More</c> ends when there are further ones.</returns>
    public (IReadOnlyList<Frame>? Frames, bool Closed, Task More) Read(long index)
    {
        lock (_gate)
        {
            if (index < _firstIndex) return (null, _closed, Task.CompletedTask);
            return (_frames.Skip((int)(index - _firstIndex)).ToArray(), _closed, _changed.Task);
        }
    }

    private void Drop()
    {
        var frame = _frames.Dequeue();
        _firstIndex++;
        _bytes -= frame.Bytes.Length;
        if (frame.Position >= 0) _completeAfter = frame.Position;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
