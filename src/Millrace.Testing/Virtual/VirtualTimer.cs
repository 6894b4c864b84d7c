namespace Millrace.Testing.Virtual;

/// <summary>A timer of a process. It calls back in the process's queue, where other work may overtake it.</summary>
internal sealed class VirtualTimer(Process process, TimerCallback callback, object? state) : ITimer
{
    private long _due = long.MaxValue;
    private TimeSpan _period;
    private bool _disposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        process.Scheduler.CheckThread();
        if (_disposed) return false;
        _period = period;
        Arm(dueTime);
        return true;
    }

    public void Fire(long at)
    {
        // Changed or disposed since it was armed.
        if (_disposed || at != _due || process.IsDead) return;
        _due = long.MaxValue;
        if (_period > TimeSpan.Zero) Arm(_period);
        process.Post(static timer => ((VirtualTimer)timer!).Call(), this);
    }

    public void Dispose() => _disposed = true;

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Arm(TimeSpan dueTime)
    {
        if (dueTime < TimeSpan.Zero)
        {
            _due = long.MaxValue;
            return;
        }

        _due = process.Scheduler.Now + (long)Math.Ceiling(dueTime.TotalMicroseconds);
        process.Scheduler.Arm(this, _due);
    }

    private void Call()
    {
        if (!_disposed) callback(state);
    }
}
