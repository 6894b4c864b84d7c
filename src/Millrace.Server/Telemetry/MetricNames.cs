using System.Text;

namespace Millrace.Server.Telemetry;

/// <summary>
/// Names of instruments as the Prometheus text format takes them (exposition formats 0.0.4; OpenTelemetry, Prometheus compatibility): dots
/// become underscores, the unit is spelt out at the end, and counters end in <c>_total</c>.
/// </summary>
internal static class MetricNames
{
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["By"] = "bytes",
        ["1"] = "ratio",
    };

    public static string Of(string instrument, string? unit, MetricKind kind)
    {
        var name = Clean(instrument, colon: true);
        // A unit in braces only says what is counted.
        if (unit is { Length: > 0 } && unit[0] != '{' && !(unit == "1" && kind == MetricKind.Counter))
        {
            var spelt = Units.TryGetValue(unit, out var known) ? known : Clean(unit, colon: false);
            if (!name.EndsWith("_" + spelt, StringComparison.Ordinal)) name += "_" + spelt;
        }
        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    public static string Label(string key) => Clean(key, colon: false);

    public static string EscapeLabel(string value) => value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    public static string EscapeHelp(string text) => text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    private static string Clean(string name, bool colon)
    {
        var clean = new StringBuilder(name.Length + 1);
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) clean.Append('_');
        foreach (var c in name) clean.Append(char.IsAsciiLetterOrDigit(c) || c == '_' || colon && c == ':' ? c : '_');
        return clean.ToString();
    }
}
