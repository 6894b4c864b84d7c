using Millrace.Storage;

namespace Millrace.Engine.Execution;

/// <summary>
/// The time that a worker writes and compares. Where several processes share a database it is the database's, asked for with every heartbeat
/// and carried on by the process's own steady clock: one whose clock is wrong or jumps is neither early nor late for the others.
/// </summary>
internal sealed class SharedClock(Database database, TimeProvider time)
{
    private Mark? _mark;

    /// <summary>Unix microseconds.</summary>
    public long Now => Volatile.Read(ref _mark) is { } mark
        ? mark.At + Micros(mark.Since, time.GetTimestamp())
        : (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public DateTimeOffset Time => DateTimeOffset.UnixEpoch.AddTicks(Now * TimeSpan.TicksPerMicrosecond);

    /// <summary>Asks the database.</summary>
    /// <returns>Whether it is another time than was believed.</returns>
    public async Task<bool> SetAsync()
    {
        var asked = time.GetTimestamp();
        if (await database.ClockAsync() is not { } told) return false;
        var answered = time.GetTimestamp();
        // It was that late at some moment between the question and the answer, so this much is not known.
        var unknown = Micros(asked, answered);
        if (Volatile.Read(ref _mark) is { } mark && mark.At + Micros(mark.Since, answered) is var believed && believed >= told && believed <= told + unknown) return false;
        Volatile.Write(ref _mark, new Mark(told + (unknown / 2), answered));
        return true;
    }

    private long Micros(long from, long to) => time.GetElapsedTime(from, to).Ticks / TimeSpan.TicksPerMicrosecond;

    private sealed record Mark(long At, long Since);
}
