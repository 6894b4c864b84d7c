using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Server.Tests.Support;

/// <summary>One sample, with its labels unescaped.</summary>
public sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>Reads Prometheus text (exposition formats 0.0.4) and refuses whatever a strict reader would.</summary>
public sealed partial class PrometheusText
{
    private readonly Dictionary<string, string> _types = [];
    private readonly List<Sample> _samples = [];

    public IReadOnlyDictionary<string, string> Types => _types;
    public IReadOnlyList<Sample> Samples => _samples;

    public static async Task<PrometheusText> FetchAsync(HttpClient http)
    {
        using var answer = await http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        return Parse(await answer.Content.ReadAsStringAsync());
    }

    public static PrometheusText Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var read = new PrometheusText();
        var (family, helped) = ("", "");
        var seen = new HashSet<string>();
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                helped = help.Groups[1].Value;
                Assert.True(seen.Add($"family {helped}"), $"{helped} comes twice");
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                Assert.Equal(helped, family);
                read._types.Add(family, type.Groups[2].Value);
            }
            else
            {
                var sample = SampleOf(line);
                Assert.True(read.Belongs(sample.Name, family), $"{line} stands under {family}");
                Assert.True(seen.Add(line[..line.LastIndexOf(' ')]), $"{line} comes twice");
                read._samples.Add(sample);
            }
        }
        read.CheckHistograms();
        return read;
    }

    public double Value(string name, params (string Key, string Value)[] labels) =>
        Find(name, labels) ?? throw new KeyNotFoundException($"{name} {string.Join(' ', labels)} is not among {string.Join('\n', _samples.Where(s => s.Name == name))}");

    /// <summary>The sample that has at least these labels.</summary>
    public double? Find(string name, params (string Key, string Value)[] labels) =>
        _samples.SingleOrDefault(s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Key) == l.Value))?.Value;

    private bool Belongs(string sample, string family) => _types.GetValueOrDefault(family) switch
    {
        null => false,
        "histogram" => sample == family + "_bucket" || sample == family + "_sum" || sample == family + "_count",
        "counter" => sample == family && family.EndsWith("_total", StringComparison.Ordinal),
        _ => sample == family,
    };

    private void CheckHistograms()
    {
        var buckets = from s in _samples
                      where s.Name.EndsWith("_bucket", StringComparison.Ordinal)
                      group s by (s.Name, string.Join(',', s.Labels.Where(l => l.Key != "le").Select(l => $"{l.Key}={l.Value}")));
        foreach (var series in buckets)
        {
            var bounds = series.Select(s => s.Labels["le"] == "+Inf" ? double.PositiveInfinity : double.Parse(s.Labels["le"], CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(bounds.Order(), bounds);
            Assert.Equal(double.PositiveInfinity, bounds[^1]);
            Assert.Equal(series.Select(s => s.Value).Order(), series.Select(s => s.Value));
            // Exactly these labels: those of another series may be among its own and more.
            var labels = series.First().Labels.Where(l => l.Key != "le").ToHashSet();
            Assert.Equal(series.Last().Value, Assert.Single(_samples, s => s.Name == series.Key.Name[..^"_bucket".Length] + "_count" && labels.SetEquals(s.Labels)).Value);
        }
    }

    private static Sample SampleOf(string line)
    {
        var match = Line().Match(line);
        Assert.True(match.Success, $"This is no sample: {line}");
        var labels = new Dictionary<string, string>();
        var place = 0;
        foreach (Match label in Label().Matches(match.Groups[2].Value))
        {
            Assert.Equal(place, label.Index);
            place += label.Length;
            labels.Add(label.Groups[1].Value, Escape().Replace(label.Groups[2].Value, m => m.Value == "\\n" ? "\n" : m.Value[1..]));
        }
        Assert.Equal(match.Groups[2].Length, place);
        var value = match.Groups[3].Value;
        return new Sample(match.Groups[1].Value, labels, value == "+Inf" ? double.PositiveInfinity : double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)*$")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"([a-zA-Z_][a-zA-Z0-9_]*)=""((?:[^""\\]|\\\\|\\""|\\n)*)""(?:,(?!$)|$)")]
    private static partial Regex Label();

    [GeneratedRegex(@"\\.")]
    private static partial Regex Escape();
}
