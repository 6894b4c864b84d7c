using System.Diagnostics.Metrics;
using Millrace.Server.Telemetry;
using Millrace.Server.Tests.Support;

namespace Millrace.Server.Tests.Telemetry;

/// <summary>Instruments of a meter of the test's own, written as text and read back strictly.</summary>
public sealed class MetricStoreTests : IDisposable
{
    private readonly Meter _meter = new($"test.{Guid.NewGuid():N}");
    private readonly MetricStore _store;

    public MetricStoreTests() => _store = new MetricStore(_meter.Name);

    public void Dispose()
    {
        _store.Dispose();
        _meter.Dispose();
    }

    private PrometheusText Read() => PrometheusText.Parse(_store.Write());

    [Fact]
    public void A_counter_ends_in_total_and_counts_by_its_labels()
    {
        var counter = _meter.CreateCounter<long>("app.things.done", "{thing}");
        counter.Add(2, new KeyValuePair<string, object?>("kind", "a"));
        counter.Add(3, new KeyValuePair<string, object?>("kind", "a"));
        counter.Add(1, new KeyValuePair<string, object?>("kind", "b"));

        var read = Read();

        Assert.Equal("counter", read.Types["app_things_done_total"]);
        Assert.Equal((5, 1), (read.Value("app_things_done_total", ("kind", "a")), read.Value("app_things_done_total", ("kind", "b"))));
    }

    [Theory]
    [InlineData("a \"quoted\" one")]
    [InlineData(@"C:\new\""")]
    [InlineData("two\nlines")]
    [InlineData("{brace}, =\"x\"")]
    public void A_label_says_what_it_said_before(string value)
    {
        _meter.CreateCounter<int>("odd").Add(1, new KeyValuePair<string, object?>("a.dotted-name", value));

        Assert.Equal(value, Read().Samples.Single().Labels["a_dotted_name"]);
    }

    [Fact]
    public void A_histogram_has_rising_buckets_a_sum_and_a_count()
    {
        var histogram = _meter.CreateHistogram("wait", "s", "How \\ long\nit took.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (var value in (double[])[0.05, 0.1, 0.5, 7]) histogram.Record(value);

        var read = Read();

        Assert.Equal("histogram", read.Types["wait_seconds"]);
        Assert.Equal([2, 3, 4], read.Samples.Where(s => s.Name == "wait_seconds_bucket").Select(s => s.Value));
        Assert.Equal((7.65, 4), (read.Value("wait_seconds_sum"), read.Value("wait_seconds_count")));
    }

    [Fact]
    public void A_gauge_that_is_asked_tells_what_is_and_not_what_was()
    {
        var value = 5;
        _meter.CreateObservableGauge("level", () => value);
        Assert.Equal(5, Read().Value("level"));

        value = 3;

        Assert.Equal(3, Read().Value("level"));
    }

    [Fact]
    public void Two_meters_of_one_name_are_added_up_until_one_is_gone()
    {
        _meter.CreateObservableGauge("held", () => 5);
        var second = new Meter(_meter.Name);
        second.CreateObservableGauge("held", () => 2);
        Assert.Equal(7, Read().Value("held"));

        second.Dispose();

        Assert.Equal(5, Read().Value("held"));
    }

    [Fact]
    public void The_same_labels_in_another_order_are_one_series()
    {
        var counter = _meter.CreateCounter<int>("c");
        counter.Add(1, new("a", "1"), new("b", 2));
        counter.Add(1, new("b", "2"), new("a", "1"));

        Assert.Equal(2, Read().Value("c_total", ("a", "1"), ("b", "2")));
    }

    [Fact]
    public void Labels_without_end_do_not_fill_the_memory()
    {
        var counter = _meter.CreateCounter<int>("many");
        for (var i = 0; i < 2000; i++) counter.Add(1, new KeyValuePair<string, object?>("id", i));

        var samples = Read().Samples;

        Assert.Equal(MetricFamily.SeriesMax + 1, samples.Count);
        Assert.Equal(2000, samples.Sum(s => s.Value));
    }

    [Fact]
    public async Task What_many_threads_count_is_counted_once_each()
    {
        var histogram = _meter.CreateHistogram<int>("busy", advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2] });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++) histogram.Record(1 + i % 3);
        })));

        Assert.Equal((40_000, 80_000 - 4), (Read().Value("busy_count"), Read().Value("busy_sum")));
    }
}
