namespace Millrace.Workflows.Kernel;

internal enum TimerKind : byte { Timeout, Wake, Attempt }

internal readonly record struct Timer(long At, int Step, TimerKind Kind) : IComparable<Timer>
{
    public int CompareTo(Timer other) => (At, Step, Kind).CompareTo((other.At, other.Step, other.Kind));
}

/// <summary>Moments at which time alone changes something in a run, each said by a step.</summary>
internal sealed class StepTimers
{
    private readonly SortedSet<Timer> _all = [];

    public long? Next => _all.Count == 0 ? null : _all.Min.At;

    public Timer? Due(long now) => _all.Count > 0 && _all.Min.At <= now ? _all.Min : null;

    public void Add(long? at, Step step, TimerKind kind)
    {
        if (at is { } due) _all.Add(new Timer(due, step.Id, kind));
    }

    public void Drop(long? at, Step step, TimerKind kind)
    {
        if (at is { } due) _all.Remove(new Timer(due, step.Id, kind));
    }

    public void AddAll(Step step)
    {
        Add(step.TimeoutAt, step, TimerKind.Timeout);
        Add(step.WakeAt, step, TimerKind.Wake);
        Add(step.AttemptTimeoutAt, step, TimerKind.Attempt);
    }

    public void DropAll(Step step)
    {
        Drop(step.TimeoutAt, step, TimerKind.Timeout);
        Drop(step.WakeAt, step, TimerKind.Wake);
        Drop(step.AttemptTimeoutAt, step, TimerKind.Attempt);
    }

    public void Clear() => _all.Clear();
}
