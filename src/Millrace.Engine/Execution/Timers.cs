namespace Millrace.Engine.Execution;

/// <summary>Calls actors when their timers are due. Only for runs this worker holds; the others stand in the database.</summary>
internal sealed class Timers : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<RunActor, long> _due = new();
    private readonly ITimer _timer;
    private readonly Func<long> _now;
    private long _armedFor = long.MaxValue;

    public Timers(TimeProvider time, Func<long> now)
    {
        _now = now;
        _timer = time.CreateTimer(static state => ((Timers)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="at">Unix microseconds.</param>
    public void Add(RunActor actor, long at)
    {
        lock (_lock)
        {
            _due.Enqueue(actor, at);
            if (at < _armedFor) Arm(at);
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>The clock was set: what is due by it now is called, and the timer set anew.</summary>
    public void Look() => Fire();

    private void Fire()
    {
        var due = new List<RunActor>();
        lock (_lock)
        {
            var now = _now();
            while (_due.TryPeek(out var actor, out var at) && at <= now)
            {
                _due.Dequeue();
                due.Add(actor);
            }
            _armedFor = long.MaxValue;
            if (_due.TryPeek(out _, out var next)) Arm(next);
        }
        foreach (var actor in due) actor.Post(RunEvent.Tick.Instance);
    }

    private void Arm(long at)
    {
        _armedFor = at;
        // One day at most: a timer takes no longer span, and looks again then.
        var micros = Math.Clamp(at - _now(), 0, 86_400_000_000);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(micros / 1000.0)), Timeout.InfiniteTimeSpan);
    }
}
