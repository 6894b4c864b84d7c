using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cronos;

namespace Millrace.Workflows.Schedules;

/// <summary>
/// The moments that a schedule names, in Unix microseconds. Times of a cron expression are those of the clock on the wall of its zone:
/// a time that the clock leaps over happens when it has leapt, one that it shows twice happens once, unless the expression names an
/// interval (<c>*</c>, <c>*/5</c>), which goes on through both.
/// </summary>
public sealed class Ticks
{
    /// <summary>The finest that a schedule may be.</summary>
    public static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);

    private static readonly ConcurrentDictionary<string, CronExpression> Parsed = new(StringComparer.Ordinal);
    private static readonly DateTime Epoch = DateTime.UnixEpoch;

    private readonly CronExpression? _cron;
    private readonly TimeZoneInfo _zone;
    private readonly long _every, _anchor, _jitter;

    /// <param name="anchor">Where counting an interval begins.</param>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public Ticks(WorkflowSchedule schedule, long anchor)
    {
        _every = (long)(schedule.Every?.TotalMicroseconds ?? 0);
        _jitter = (long)schedule.Jitter.TotalMicroseconds;
        _anchor = anchor;
        _cron = schedule.Cron is { } cron ? Parse(cron) : null;
        _zone = _cron is null ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(schedule.TimeZone);
    }

    /// <exception cref="CronFormatException">It is no cron expression.</exception>
    public static CronExpression Parse(string cron)
    {
        if (Parsed.TryGetValue(cron, out var known)) return known;
        var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        var parsed = CronExpression.Parse(cron, fields == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);
        // Few are in use at a time; a flood of others must not stay.
        if (Parsed.Count > 10_000) Parsed.Clear();
        return Parsed[cron] = parsed;
    }

    /// <summary>The first tick after a moment; null when there is none, or when it hangs on the end of a run.</summary>
    public long? Next(long after)
    {
        // The same both ways from the anchor: what is filled afterwards may lie before it.
        if (_every > 0) return after + _every - ((after - _anchor) % _every + _every) % _every;
        if (_cron?.GetNextOccurrence(Epoch.AddTicks(after * TimeSpan.TicksPerMicrosecond), _zone) is not { } next) return null;
        return (next - Epoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }

    /// <summary>The ticks from a moment to another, both included, at most so many.</summary>
    public IEnumerable<long> Between(long from, long to, int max)
    {
        var at = from - 1;
        for (var i = 0; i < max && Next(at) is { } tick && tick <= to; i++) yield return at = tick;
    }

    /// <summary>When the run of a tick begins: the tick, and its share of the jitter.</summary>
    /// <param name="schedule">Whose tick it is: others that are due at the same moment have another share.</param>
    public long Due(Guid schedule, long tick)
    {
        if (_jitter == 0) return tick;
        Span<byte> seed = stackalloc byte[24], hash = stackalloc byte[32];
        schedule.TryWriteBytes(seed, bigEndian: true, out _);
        BitConverter.TryWriteBytes(seed[16..], tick);
        SHA256.HashData(seed, hash);
        return tick + (long)(BitConverter.ToUInt64(hash) % (ulong)_jitter);
    }
}
