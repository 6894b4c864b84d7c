using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Millrace.Engine.Telemetry;
using Millrace.Platform.Status;
using Millrace.Storage;

namespace Millrace.Server.Telemetry;

/// <summary>Gathers what the meters of this process measure, and writes it as Prometheus text.</summary>
public sealed class MetricStore : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>
    /// Ours, and of the framework the requests and the runtime. Not the outgoing requests (<c>System.Net.Http</c>): their labels name
    /// every host that workflows call.
    /// </summary>
    public static readonly string[] Meters =
        [EngineMetrics.MeterName, StorageMetrics.MeterName, PlatformMetrics.MeterName, QueueWatch.MeterName, "Microsoft.AspNetCore.Hosting", "System.Runtime"];

    private static readonly double[] BoundsDefault = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly Lock _asking = new();

    public MetricStore(params ReadOnlySpan<string> meters)
    {
        var names = meters.ToArray().ToHashSet(StringComparer.Ordinal);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (names.Contains(instrument.Meter.Name)) listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Asks the gauges, and writes every metric with its help and type.</summary>
    public string Write()
    {
        // One question at a time, since each begins with empty answers.
        lock (_asking)
        {
            foreach (var family in _families.Values) family.BeginQuestion();
            _listener.RecordObservableInstruments();
            var text = new StringBuilder(16 << 10);
            foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal)) Write(text, family);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void Write(StringBuilder text, MetricFamily family)
    {
        var type = family.Kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        text.Append("# HELP ").Append(family.Name).Append(' ').Append(MetricNames.EscapeHelp(family.Help)).Append('\n');
        text.Append("# TYPE ").Append(family.Name).Append(' ').Append(type).Append('\n');
        foreach (var series in family.Series)
        {
            if (family.Bounds is { } bounds) WriteHistogram(text, family.Name, bounds, series);
            else Line(text, family.Name, series.Labels, Number(series.Value));
        }
    }

    private static void WriteHistogram(StringBuilder text, string name, double[] bounds, MetricSeries series)
    {
        var counts = series.Cumulative();
        var before = series.Labels.Length == 0 ? "" : series.Labels + ",";
        for (var i = 0; i < counts.Length; i++)
            Line(text, name + "_bucket", $"{before}le=\"{(i < bounds.Length ? Number(bounds[i]) : "+Inf")}\"", counts[i].ToString(CultureInfo.InvariantCulture));
        Line(text, name + "_sum", series.Labels, Number(series.Value));
        Line(text, name + "_count", series.Labels, counts[^1].ToString(CultureInfo.InvariantCulture));
    }

    private static void Line(StringBuilder text, string name, string labels, string value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Instruments of the same name are one metric, such as the gauges of two engines in one process.</summary>
    private MetricFamily FamilyOf(Instrument instrument)
    {
        var form = instrument.GetType().GetGenericTypeDefinition();
        var kind = form == typeof(Histogram<>) ? MetricKind.Histogram
            : form == typeof(Counter<>) || form == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
        var name = MetricNames.Of(instrument.Name, instrument.Unit, kind);
        return _families.GetOrAdd(name, _ => new MetricFamily(name, instrument.Description ?? "", kind, kind == MetricKind.Histogram ? BoundsOf(instrument) : null, instrument.IsObservable));
    }

    private static double[] BoundsOf(Instrument instrument) => (instrument switch
    {
        Histogram<double> h => h.Advice?.HistogramBucketBoundaries?.ToArray(),
        Histogram<int> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray(),
        Histogram<long> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray(),
        _ => null,
    }) ?? BoundsDefault;
}
