namespace Millrace.Engine.Execution;

/// <summary>Calls actors when their timers are due. Only for runs this worker holds; the others stand in the database.</summary>
internal sealed class Timers : IDisposable
{
    /// <summary>Calls that nobody waits for any more, before it is looked whether they are most.</summary>
    private const int ForgottenMax = 1000;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Call, long> _due = new();
    private readonly ITimer _timer;
    private readonly Func<long> _now;
    private long _armedFor = long.MaxValue;
    private int _forgotten;

    /// <summary>Stands for an actor until its time has come: one whose run has ended meanwhile is not kept for it.</summary>
    public sealed class Call
    {
        internal RunActor? Actor { get; set; }
    }

    public Timers(TimeProvider time, Func<long> now)
    {
        _now = now;
        _timer = time.CreateTimer(static state => ((Timers)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="at">Unix microseconds.</param>
    public Call Add(RunActor actor, long at)
    {
        var call = new Call { Actor = actor };
        lock (_lock)
        {
            _due.Enqueue(call, at);
            if (at < _armedFor) Arm(at);
        }
        return call;
    }

    /// <summary>The actor need not be called any more.</summary>
    public void Forget(Call call)
    {
        lock (_lock)
        {
            if (call.Actor is null) return;
            call.Actor = null;
            if (++_forgotten < ForgottenMax || _forgotten < _due.Count / 2) return;
            List<(Call, long)> left = [.. _due.UnorderedItems.Where(i => i.Element.Actor is not null)];
            _due.Clear();
            _due.EnqueueRange(left);
            _forgotten = 0;
        }
    }

    /// <summary>Actors that are to be called.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock) return _due.Count - _forgotten;
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
            while (_due.TryPeek(out var call, out var at) && at <= now)
            {
                _due.Dequeue();
                if (call.Actor is { } actor) due.Add(actor);
                else _forgotten--;
                call.Actor = null;
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
