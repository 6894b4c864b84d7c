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
    private HashSet<TaskCompletionSource<bool>> _waiting = [];

    /// <summary>The position from which on the durable frames are complete; a frame that is dropped moves it on.</summary>
    public long CompleteAfter
    {
        get
        {
            lock (_gate) return _completeAfter;
        }
    }

    public void Add(IReadOnlyList<Frame> frames)
    {
        if (frames.Count == 0) return;
        lock (_gate)
        {
            foreach (var frame in frames)
            {
                _frames.Enqueue(frame);
                _bytes += frame.Bytes.Length;
            }
            while (_bytes > bytesMax && _frames.Count > 1) Drop();
        }
        Wake();
    }

    /// <summary>No more frames will come.</summary>
    public void Close()
    {
        lock (_gate) _closed = true;
        Wake();
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

    /// <returns>The frames from <paramref name="index"/> on; null when the reader has fallen out behind.</returns>
    public (IReadOnlyList<Frame>? Frames, bool Closed) Read(long index)
    {
        lock (_gate)
        {
            if (index < _firstIndex) return (null, _closed);
            return (_frames.Skip((int)(index - _firstIndex)).ToArray(), _closed);
        }
    }

    /// <summary>Waits until there are frames from <paramref name="index"/> on, or none will come any more.</summary>
    /// <returns>False when neither was so within that time.</returns>
    public async Task<bool> WaitAsync(long index, TimeSpan within, TimeProvider time, CancellationToken cancel)
    {
        var wait = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed || _firstIndex + _frames.Count > index) return true;
            _waiting.Add(wait);
        }
        try
        {
            await using (time.CreateTimer(static wait => ((TaskCompletionSource<bool>)wait!).TrySetResult(false), wait, within, Timeout.InfiniteTimeSpan))
            await using (cancel.UnsafeRegister(static (wait, token) => ((TaskCompletionSource<bool>)wait!).TrySetCanceled(token), wait))
                return await wait.Task;
        }
        finally
        {
            lock (_gate) _waiting.Remove(wait);
        }
    }

    private void Wake()
    {
        HashSet<TaskCompletionSource<bool>> waiting;
        lock (_gate)
        {
            if (_waiting.Count == 0) return;
            (waiting, _waiting) = (_waiting, []);
        }
        foreach (var wait in waiting) wait.TrySetResult(true);
    }

    private void Drop()
    {
        var frame = _frames.Dequeue();
        _firstIndex++;
        _bytes -= frame.Bytes.Length;
        if (frame.Position >= 0) _completeAfter = frame.Position;
    }
}
