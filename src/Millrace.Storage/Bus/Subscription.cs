using System.Threading.Tasks.Sources;

namespace Millrace.Storage.Bus;

/// <summary>
/// One reader's place on a topic. Messages wait in a ring of fixed size. When it overflows, everything in it is dropped and the
/// reader is told by <see cref="Lost"/> that it must read the durable log again; later messages then come as before.
/// </summary>
/// <example>
/// <code>
/// await using var subscription = bus.Subscribe(topic);
/// // read the durable log up to its end here, after subscribing, so that nothing falls between
/// while (await subscription.WaitAsync(cancel))
/// {
///     if (subscription.TakeLost()) { /* read the log again from the last position shown */ }
///     while (subscription.TryRead(out var message)) { /* skip positions already shown */ }
/// }
/// </code>
/// </example>
public sealed class Subscription : IAsyncDisposable, IValueTaskSource<bool>
{
    private const int CapacityFirst = 4;

    private readonly EventBus _bus;
    private readonly int _capacity;
    private readonly Lock _lock = new();
    private BusMessage[] _ring = [];
    private int _head;
    private int _count;
    private bool _lost;
    private bool _closed;
    private bool _waiting;
    private CancellationTokenRegistration _cancellation;
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };

    internal Subscription(EventBus bus, string topic, int capacity)
    {
        _bus = bus;
        _capacity = capacity;
        Topic = topic;
    }

    public string Topic { get; }

    /// <summary>Messages were dropped, or may not have come, since <see cref="TakeLost"/> was last called.</summary>
    public bool Lost
    {
        get
        {
            lock (_lock) return _lost;
        }
    }

    /// <returns>Whether messages were dropped; the mark is cleared.</returns>
    public bool TakeLost()
    {
        lock (_lock)
        {
            var lost = _lost;
            _lost = false;
            return lost;
        }
    }

    /// <returns>False when there is no message, and also while <see cref="Lost"/>: no message is shown past a gap that was not noticed.</returns>
    public bool TryRead(out BusMessage message)
    {
        lock (_lock)
        {
            if (_count == 0 || _lost)
            {
                message = default;
                return false;
            }

            message = _ring[_head];
            _ring[_head] = default;
            _head = (_head + 1) % _ring.Length;
            _count--;
            return true;
        }
    }

    /// <summary>Waits until there is a message or something was lost. One wait at a time.</summary>
    /// <returns>False when the subscription was disposed.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancel = default)
    {
        lock (_lock)
        {
            if (_waiting) throw new InvalidOperationException("Another wait on this subscription has not ended.");
            if (cancel.IsCancellationRequested) return ValueTask.FromCanceled<bool>(cancel);
            if (_closed) return new ValueTask<bool>(false);
            if (_count > 0 || _lost) return new ValueTask<bool>(true);
            _wait.Reset();
            _waiting = true;
        }

        // Outside the lock: a token that is cancelled already calls back at once.
        var version = _wait.Version;
        if (cancel.CanBeCanceled) Register(version, cancel);
        return new ValueTask<bool>(this, version);
    }

    public ValueTask DisposeAsync()
    {
        _bus.Remove(this);
        lock (_lock)
        {
            _closed = true;
            _ring = [];
            _count = 0;
            if (StopWaiting()) _wait.SetResult(false);
        }

        return ValueTask.CompletedTask;
    }

    internal void Offer(in BusMessage message)
    {
        lock (_lock)
        {
            if (_closed) return;
            if (_count == _capacity)
            {
                _lost = true;
                StorageMetrics.MessagesLost.Add(1);
                _head = 0;
                _count = 0;
                Array.Clear(_ring);
            }
            else
            {
                if (_count == _ring.Length) Grow();
                _ring[(_head + _count) % _ring.Length] = message;
                _count++;
            }

            if (StopWaiting()) _wait.SetResult(true);
        }
    }

    public void Lose()
    {
        lock (_lock)
        {
            if (_closed) return;
            _lost = true;
            if (StopWaiting()) _wait.SetResult(true);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void Register(short version, CancellationToken cancel)
    {
        var registration = cancel.UnsafeRegister(
            static (state, token) =>
            {
                var (subscription, waited) = ((Subscription, short))state!;
                subscription.Cancel(waited, token);
            },
            (this, version));
        lock (_lock)
        {
            if (_waiting && _wait.Version == version) _cancellation = registration;
            else registration.Unregister();
        }
    }

    /// <summary>It may come so late that another wait has begun, which is none of its business.</summary>
    private void Cancel(short version, CancellationToken cancel)
    {
        lock (_lock)
        {
            if (_wait.Version == version && StopWaiting()) _wait.SetException(new OperationCanceledException(cancel));
        }
    }

    private bool StopWaiting()
    {
        if (!_waiting) return false;
        _waiting = false;

        // Not Dispose: it would wait for a callback that waits for this lock.
        _cancellation.Unregister();
        _cancellation = default;
        return true;
    }

    private void Grow()
    {
        var larger = new BusMessage[Math.Min(_capacity, Math.Max(CapacityFirst, _ring.Length * 2))];
        for (var i = 0; i < _count; i++) larger[i] = _ring[(_head + i) % _ring.Length];
        _ring = larger;
        _head = 0;
    }
}
