using System.Globalization;
using System.Text;

namespace Millrace.Server.Telemetry;

internal enum MetricKind : byte { Counter, Gauge, Histogram }

/// <summary>All series of one metric. Finding the series of a measurement takes no lock and allocates nothing once it is there.</summary>
/// <param name="name">As the text format writes it.</param>
/// <param name="asked">True for instruments that answer when they are asked; their series begin anew with each question.</param>
internal sealed class MetricFamily(string name, string help, MetricKind kind, double[]? bounds, bool asked)
{
    /// <summary>Past it, measurements under further labels are gathered in one series, so that no caller can fill the memory.</summary>
    public const int SeriesMax = 500;

    private const string Overflow = "otel_metric_overflow=\"true\"";

    private sealed record Known(KeyValuePair<string, object?>[] Tags, MetricSeries Series);

    private readonly Lock _lock = new();
    private Known[] _known = [];

    public string Name => name;
    public string Help => help;
    public MetricKind Kind => kind;
    public double[]? Bounds => bounds;

    /// <summary>Each once, in the order of their labels.</summary>
    public IEnumerable<MetricSeries> Series => Volatile.Read(ref _known).Select(k => k.Series).Distinct().OrderBy(s => s.Labels, StringComparer.Ordinal);

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Find(tags).Add(value);

    /// <summary>Called before instruments are asked: what does not answer any more is not there any more.</summary>
    public void BeginQuestion()
    {
        if (!asked) return;
        lock (_lock) Volatile.Write(ref _known, []);
    }

    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var known in Volatile.Read(ref _known))
            if (Same(known.Tags, tags)) return known.Series;
        return Make(tags);
    }

    private MetricSeries Make(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = LabelsOf(tags);
        lock (_lock)
        {
            if (_known.Length >= SeriesMax) labels = Overflow;
            // The same labels in another order, or two values that are written alike, are one series.
            var series = Array.Find(_known, k => k.Series.Labels == labels)?.Series ?? new MetricSeries(labels, bounds);
            if (_known.Length <= SeriesMax) Volatile.Write(ref _known, [.. _known, new Known(tags.ToArray(), series)]);
            return series;
        }
    }

    private static bool Same(KeyValuePair<string, object?>[] known, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (known.Length != tags.Length) return false;
        for (var i = 0; i < known.Length; i++)
            if (!Equals(known[i].Value, tags[i].Value) || known[i].Key != tags[i].Key) return false;
        return true;
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
            if (value is not null) labels[MetricNames.Label(key)] = Convert.ToString(value is bool b ? (b ? "true" : "false") : value, CultureInfo.InvariantCulture) ?? "";
        var text = new StringBuilder();
        foreach (var (key, value) in labels)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(key).Append("=\"").Append(MetricNames.EscapeLabel(value)).Append('"');
        }
        return text.ToString();
    }
}
