using System.Globalization;
using System.Text.Json;

namespace Millrace.Bench;

/// <summary>Prints figures: a line of text each, or with <c>--json</c> one object a line.</summary>
internal static class Figures
{
    public static bool AsJson { get; set; }

    public static void Print(string metric, double value, string unit, string settings)
    {
        var rounded = Math.Round(value, value < 10 ? 3 : value < 1000 ? 1 : 0);
        if (AsJson) Console.WriteLine(JsonSerializer.Serialize(new { metric, value = rounded, unit, settings }));
        else Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {metric,-28} {rounded,12:#,0.###} {unit,-8} {settings}"));
    }

    /// <summary>A figure that has to hold: where it does not, the command ends with exit code 1.</summary>
    /// <param name="most">The most it may be.</param>
    public static void Bound(string metric, double value, double most, string unit, string settings)
    {
        Print(metric, value, unit, settings);
        if (value > most) Missed.Add(string.Create(CultureInfo.InvariantCulture, $"{metric} is {value:#,0.###} {unit}; it may be {most:#,0.###}"));
    }

    /// <summary>Figures that did not hold, a sentence each.</summary>
    public static List<string> Missed { get; } = [];

    /// <summary>Text for people; left out of JSON output.</summary>
    public static void Say(string text)
    {
        if (!AsJson) Console.WriteLine(text);
    }

    public static double Percentile(List<double> sorted, double p) => sorted[Math.Min(sorted.Count - 1, (int)(p * sorted.Count))];
}
