namespace Millrace.Tests.Fakes;

/// <summary>The clock of one process, wrong by as much as a test says. What it measures and its timers run as everybody's.</summary>
public sealed class SkewedTime(TimeProvider right) : TimeProvider
{
    public TimeSpan Off { get; set; }

    public override DateTimeOffset GetUtcNow() => right.GetUtcNow() + Off;
    public override long GetTimestamp() => right.GetTimestamp();
    public override long TimestampFrequency => right.TimestampFrequency;
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => right.CreateTimer(callback, state, dueTime, period);
}
