using System.Buffers.Binary;
using System.Threading.Channels;

namespace Millrace.Storage.Bus;

/// <summary>
/// A link by Redis or Valkey pub/sub: one channel for each topic, so that a process gets only what somebody follows there.
/// Sessions follow one another; each that begins subscribes to everything anew and then says that messages may be lost.
/// </summary>
public sealed class RedisLink : BusLink
{
    private const int BufferMessages = 16_384;
    private const long BufferBytes = 32L << 20;
    private const int BatchMax = 512;
    private const int FrameHeadBytes = 1 + 16 + 8;
    private const byte MessageFrame = 1;
    private const byte LostFrame = 2;

    private static readonly TimeSpan PauseFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PauseLongest = TimeSpan.FromSeconds(3);

    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly Guid _sender = Guid.NewGuid();
    private readonly LinkBuffer _outgoing = new(BufferMessages, BufferBytes);
    private readonly LinkBuffer _incoming = new(BufferMessages, BufferBytes);
    private readonly Lock _lock = new();
    private readonly HashSet<string> _followed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private readonly Channel<bool> _touch = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private volatile RedisSession? _session;
    private bool _disposed;

    private RedisLink(RedisOptions options, Action<LinkMessage> received, TimeProvider time)
        : base(received)
    {
        (_options, _time) = (options, time);
        StorageMetrics.LinksDown.Add(1);
        _running = Task.WhenAll(Task.Run(ConnectAsync), Task.Run(DeliverAsync));
    }

    public override bool IsUp => _session is not null;

    /// <summary>Begins to connect, and goes on trying for as long as the link lives; it does not wait for the server.</summary>
    /// <param name="received">See <see cref="BusLink"/>.</param>
    public static RedisLink Open(RedisOptions options, Action<LinkMessage> received, TimeProvider? time = null) =>
        new(options, received, time ?? TimeProvider.System);

    public override void Send(string topic, long position, ReadOnlyMemory<byte> payload) =>
        _outgoing.Add(new LinkMessage(topic, position, payload.Length <= PayloadMax ? payload : default));

    public override void Follow(string topic)
    {
        lock (_lock)
        {
            _followed.Add(topic);
            _touched.Add(topic);
        }

        _touch.Writer.TryWrite(true);
    }

    public override void Unfollow(string topic)
    {
        lock (_lock)
        {
            _followed.Remove(topic);
            _touched.Add(topic);
        }

        _touch.Writer.TryWrite(true);
    }

    public override async Task<IReadOnlyList<LinkMessage>> RecentAsync(string topic)
    {
        if (_session is not { } session) return [];
        try
        {
            var frames = await session.RecentAsync(topic);
            return [.. frames.Where(f => IsFrame(f, MessageFrame)).Select(f => Message(topic, f))];
        }
        catch (Exception)
        {
            // Away, or going.
            return [];
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        await _stop.CancelAsync();
        await _running;
        StorageMetrics.LinksDown.Add(-1);
        _stop.Dispose();
    }

    private async Task ConnectAsync()
    {
        var pause = PauseFirst;
        var began = 0L;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var session = await RedisSession.OpenAsync(_options, Arrived, _stop.Token);
                var topics = await BeginAsync(session);
                began = _time.GetTimestamp();
                await ServeAsync(session, topics);
            }
            catch (Exception)
            {
                // Whatever it was, there will be another session.
            }

            if (IsUp)
            {
                _session = null;
                StorageMetrics.LinksDown.Add(1);
                RaiseChanged(false);

                // A session that ends as soon as it has begun is no reason to hurry.
                if (_time.GetElapsedTime(began) > PauseLongest) pause = PauseFirst;
            }

            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _time, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            pause = pause * 2 < PauseLongest ? pause * 2 : PauseLongest;
        }
    }

    /// <returns>The topics that the session receives.</returns>
    private async Task<HashSet<string>> BeginAsync(RedisSession session)
    {
        HashSet<string> topics;
        lock (_lock)
        {
            topics = new HashSet<string>(_followed, StringComparer.Ordinal);
            _touched.Clear();
        }

        await session.SubscribeAsync([LinkBuffer.Everything, .. topics], _stop.Token);
        _session = session;
        StorageMetrics.LinksDown.Add(-1);
        RaiseChanged(true);
        RaiseLost(null);
        return topics;
    }

    private async Task ServeAsync(RedisSession session, HashSet<string> topics)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task[] parts = [session.WatchAsync(_time, end.Token), SendAsync(session, end.Token), FollowAsync(session, topics, end.Token)];
        await Task.WhenAny(parts);
        await end.CancelAsync();
        await Task.WhenAll(parts);
    }

    private async Task SendAsync(RedisSession session, CancellationToken cancel)
    {
        while (true)
        {
            var (messages, lost) = _outgoing.Take(BatchMax);
            if (messages.Count == 0 && lost.Length == 0)
            {
                await _outgoing.WaitAsync(cancel);
                continue;
            }

            try
            {
                await session.SendAsync(
                    [.. lost.Select(t => (t, Frame(LostFrame, 0, default), false)), .. messages.Select(m => (m.Topic, Frame(MessageFrame, m.Position, m.Payload.Span), m.IsLiveOutput))],
                    cancel);
            }
            catch (Exception)
            {
                _outgoing.Lose(messages, lost);
                throw;
            }
        }
    }

    private async Task FollowAsync(RedisSession session, HashSet<string> topics, CancellationToken cancel)
    {
        while (true)
        {
            List<string> opened, closed;
            lock (_lock)
            {
                opened = [.. _touched.Where(_followed.Contains)];
                closed = [.. _touched.Where(t => !_followed.Contains(t) && topics.Contains(t))];
                _touched.Clear();
            }

            // One that closed and opened again meanwhile has been received all the time.
            await session.UnsubscribeAsync(closed, cancel);
            await session.SubscribeAsync(opened.Where(t => !topics.Contains(t)), cancel);
            topics.ExceptWith(closed);
            topics.UnionWith(opened);

            // Something may have been sent between the local subscription and this moment.
            foreach (var topic in opened) RaiseLost(topic);
            await _touch.Reader.ReadAsync(cancel);
        }
    }

    /// <summary>The client library buffers without limit for whoever is slow, so nothing slow is done here.</summary>
    private void Arrived(string topic, byte[] frame)
    {
        if (frame.Length < FrameHeadBytes || new Guid(frame.AsSpan(1, 16)) == _sender) return;
        if (IsFrame(frame, MessageFrame)) _incoming.Add(Message(topic, frame));
        else if (IsFrame(frame, LostFrame)) _incoming.Lose([], [topic]);
    }

    private async Task DeliverAsync()
    {
        try
        {
            while (true)
            {
                await _incoming.WaitAsync(_stop.Token);
                var (messages, lost) = _incoming.Take(BatchMax);
                foreach (var topic in lost) RaiseLost(topic == LinkBuffer.Everything ? null : topic);
                foreach (var message in messages) Deliver(message);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private static bool IsFrame(byte[] frame, byte kind) => frame.Length >= FrameHeadBytes && frame[0] == kind;

    private static LinkMessage Message(string topic, byte[] frame) =>
        new(topic, BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(17)), frame.AsMemory(FrameHeadBytes));

    /// <summary>A kind, the sender, the position and the payload. Kinds that a process does not know it passes over.</summary>
    private byte[] Frame(byte kind, long position, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[FrameHeadBytes + payload.Length];
        frame[0] = kind;
        _sender.TryWriteBytes(frame.AsSpan(1));
        BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(17), position);
        payload.CopyTo(frame.AsSpan(FrameHeadBytes));
        return frame;
    }
}
