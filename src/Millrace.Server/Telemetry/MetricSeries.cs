namespace Millrace.Server.Telemetry;

/// <summary>The measurements of one instrument under one set of labels.</summary>
/// <param name="labels">As the text format writes them, without braces; empty for none.</param>
/// <param name="bounds">Upper bounds of a histogram's buckets, rising; null for everything else.</param>
internal sealed class MetricSeries(string labels, double[]? bounds)
{
    private readonly long[] _buckets = bounds is null ? [] : new long[bounds.Length + 1];
    private double _value;

    public string Labels => labels;

    /// <summary>The sum of what was recorded; for gauges that are asked, the last answer.</summary>
    public double Value => Volatile.Read(ref _value);

    public void Add(double value)
    {
        if (bounds is not null) Interlocked.Increment(ref _buckets[BucketOf(value)]);
        var seen = Volatile.Read(ref _value);
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _value, seen + value, seen);
            if (before.Equals(seen)) return;
            seen = before;
        }
    }

    public void Reset() => Volatile.Write(ref _value, 0);

    /// <summary>Measurements at most as large as each bound, and all of them at the end: what the text format wants.</summary>
    public long[] Cumulative()
    {
        var counts = new long[_buckets.Length];
        var sum = 0L;
        for (var i = 0; i < counts.Length; i++) counts[i] = sum += Volatile.Read(ref _buckets[i]);
        return counts;
    }

    private int BucketOf(double value)
    {
        var place = 0;
        while (place < bounds!.Length && value > bounds[place]) place++;
        return place;
    }
}
