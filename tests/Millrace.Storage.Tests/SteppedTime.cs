namespace Millrace.Storage.Tests;

/// <summary>Time that passes only when told to.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _ticks = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public void Step(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
