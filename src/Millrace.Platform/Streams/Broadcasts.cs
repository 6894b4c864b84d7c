using Microsoft.Extensions.Logging;
using Millrace.Engine.Execution;
using Millrace.Storage;
using Millrace.Storage.Bus;

namespace Millrace.Platform.Streams;

/// <summary>Streams that somebody follows now: each log is read, folded and encoded once, however many follow it.</summary>
internal sealed class Broadcasts(EventBus bus, TimeProvider time, ILogger<Broadcasts> log)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Broadcast> _open = new(StringComparer.Ordinal);

    /// <summary>How much each broadcast keeps in memory for followers that are not as quick as the others.</summary>
    public long RingBytesMax { get; init; } = FrameRing.BytesMaxDefault;

    /// <summary>Serves one follower until the log ends or fails.</summary>
    /// <param name="to">Its connection, where frames are written as they come.</param>
    /// <param name="open">Opens the log after a position.</param>
    public async Task FollowAsync(Stream to, long after, Func<long, FollowedLog> open, CancellationToken cancel)
    {
        using var broadcast = Join(open(after));
        await new Follower(to, broadcast, open, time).RunAsync(after, cancel);
    }

    /// <summary>Takes part in the broadcast of a log; whoever comes first begins it where it wants to begin. Leave it by disposing.</summary>
    private Broadcast Join(FollowedLog source)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(source.Topic, out var broadcast)) _open[source.Topic] = broadcast = new Broadcast(this, bus, source, time, log);
            broadcast.Followers++;
            return broadcast;
        }
    }

    public bool IsOpen(string topic)
    {
        lock (_gate) return _open.ContainsKey(topic);
    }

    /// <summary>Ends when nobody follows the topic any more.</summary>
    public Task ClosedAsync(string topic)
    {
        lock (_gate) return _open.TryGetValue(topic, out var broadcast) ? broadcast.Closed : Task.CompletedTask;
    }

    internal bool Leave(Broadcast broadcast)
    {
        lock (_gate)
        {
            if (--broadcast.Followers > 0) return false;
            if (_open.GetValueOrDefault(broadcast.Topic) == broadcast) _open.Remove(broadcast.Topic);
            return true;
        }
    }

    /// <summary>A broadcast that failed takes no new followers.</summary>
    internal void Forget(Broadcast broadcast)
    {
        lock (_gate)
            if (_open.GetValueOrDefault(broadcast.Topic) == broadcast) _open.Remove(broadcast.Topic);
    }
}

/// <summary>Reads one log for all its followers: to its end, and again whenever the bus says that there may be more.</summary>
internal sealed class Broadcast : IDisposable
{
    private readonly Broadcasts _owner;
    private readonly EventBus _bus;
    /// <summary>A transaction of another process that is older than what is told of may still add something before it; then it is looked again.</summary>
    private static readonly TimeSpan Unsettled = TimeSpan.FromMilliseconds(40);

    /// <summary>How long silence is believed where hints come from other processes and may be lost.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly FollowedLog _source;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _toldOf;
    private long _shownUntil;

    internal Broadcast(Broadcasts owner, EventBus bus, FollowedLog source, TimeProvider time, ILogger log)
    {
        (_owner, _bus, _source, _time, _log) = (owner, bus, source, time, log);
        Ring = new FrameRing(source.Position, owner.RingBytesMax);
        _ = PumpAsync();
    }

    public string Topic => _source.Topic;
    public FrameRing Ring { get; }

    /// <summary>True when the log has ended and all of it is in the ring; a ring that closed without it has failed.</summary>
    public bool Ended => _source.Ended;

    internal int Followers { get; set; }
    internal Task Closed => _closed.Task;

    public void Dispose()
    {
        if (!_owner.Leave(this)) return;
        _stop.Cancel();
        _stop.Dispose();
        _closed.SetResult();
    }

    private async Task PumpAsync()
    {
        // Who opened it holds a lock.
        await Task.Yield();
        try
        {
            var cancel = _stop.Token;
            // Subscribed before the first read, so that nothing falls between.
            await using var hints = _bus.Subscribe(Topic, capacity: 1024);
            await using var reminder = _bus.IsLinked ? _time.CreateTimer(_ => hints.Lose(), null, Silence, Silence) : null;
            if (_bus.IsLinked) await ShowRecentAsync();
            while (true)
            {
                while (!_source.Ended && await _source.ReadAsync(cancel) is { Count: > 0 } frames) Ring.Add(frames);
                if (_source.Ended) break;
                if (_toldOf > _source.Position) reminder?.Change(Unsettled, Silence);
                while (!await HasNewsAsync(hints, cancel))
                {
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Nobody follows any more.
        }
        catch (StorageUnavailableException e)
        {
            // Each of its followers comes again and finds it so; one line for each is enough.
            _log.LogWarning("The stream of {Topic} ends, its followers connect again: {Cause}", Topic, e.Message);
            _owner.Forget(this);
        }
        catch (Exception e)
        {
            _log.LogError(e, "The stream of {Topic} failed; its followers connect again", Topic);
            _owner.Forget(this);
        }
        finally
        {
            Ring.Close();
        }
    }

    /// <summary>Waits for hints, passes on what is only shown, and says whether the log may have grown.</summary>
    private async Task<bool> HasNewsAsync(Subscription hints, CancellationToken cancel)
    {
        if (!await hints.WaitAsync(cancel)) throw new OperationCanceledException(cancel);
        var news = hints.TakeLost();
        var shown = new List<Frame>();
        while (hints.TryRead(out var message))
        {
            if (message.Payload is LiveOutput live && live.At <= _shownUntil) continue;
            if (_source.Show(message.Payload) is { } frame)
            {
                shown.Add(frame);
                continue;
            }

            _toldOf = Math.Max(_toldOf, message.Position);
            news |= message.Position > _source.Position;
        }
        Ring.Add(shown);
        return news;
    }

    /// <summary>Output that another process has shown shortly before somebody followed here.</summary>
    private async Task ShowRecentAsync()
    {
        var recent = await BusMessages.RecentAsync(_bus, Topic);
        if (recent.Count == 0) return;
        _shownUntil = recent[^1].At;
        Ring.Add([.. recent.Select(live => _source.Show(live)).OfType<Frame>()]);
    }
}
