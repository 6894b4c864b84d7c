using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>
/// Durations of the language (dsl-reference.md, Duration): an object of days, hours, minutes, seconds and milliseconds,
/// or an ISO 8601 duration with designators. Months and years are refused: they have no fixed length.
/// </summary>
public static partial class Duration
{
    public static readonly TimeSpan Max = TimeSpan.FromDays(36_500);

    private static readonly (string Name, double Milliseconds)[] Units =
        [("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("milliseconds", 1)];

    /// <returns>False with the reason when the value is no duration, is negative or longer than <see cref="Max"/>.</returns>
    public static bool TryParse(Json value, out TimeSpan duration, out string? reason)
    {
        duration = default;
        reason = null;
        double? milliseconds = value.Kind switch
        {
            JsonKind.String => FromIso(value.AsString()),
            JsonKind.Object => FromMembers(value.AsObject(), ref reason),
            _ => null,
        };
        reason ??= milliseconds switch
        {
            null => $"{value} is no duration: expected an ISO 8601 duration such as PT1M30S, or an object of days, hours, minutes, seconds, milliseconds.",
            < 0 => $"{value} is negative.",
            _ when milliseconds > Max.TotalMilliseconds => $"{value} is longer than {Max.TotalDays} days.",
            _ => null,
        };
        if (reason is not null) return false;
        duration = TimeSpan.FromTicks((long)Math.Round(milliseconds!.Value * TimeSpan.TicksPerMillisecond));
        return true;
    }

    private static double? FromMembers(JsonObject members, ref string? reason)
    {
        var sum = 0.0;
        foreach (var (key, value) in members.Members)
        {
            var unit = System.Array.Find(Units, u => u.Name == key);
            if (unit.Name is null || !value.IsNumber)
            {
                reason = $"'{key}' is no part of a duration: expected days, hours, minutes, seconds or milliseconds, each a number.";
                return null;
            }
            sum += value.AsNumber() * unit.Milliseconds;
        }
        return members.Count == 0 ? null : sum;
    }

    private static double? FromIso(string text)
    {
        var match = Iso().Match(text);
        if (!match.Success || text.EndsWith('P') || text.EndsWith('T')) return null;
        double Part(string name, double unit) =>
            match.Groups[name] is { Success: true } g ? double.Parse(g.ValueSpan, CultureInfo.InvariantCulture) * unit : 0;
        return Part("w", 7 * 86_400_000.0) + Part("d", 86_400_000) + Part("h", 3_600_000) + Part("m", 60_000) + Part("s", 1000);
    }

    [GeneratedRegex(@"^P(?:(?<w>\d+(?:\.\d+)?)W)?(?:(?<d>\d+(?:\.\d+)?)D)?(?:T(?:(?<h>\d+(?:\.\d+)?)H)?(?:(?<m>\d+(?:\.\d+)?)M)?(?:(?<s>\d+(?:\.\d+)?)S)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Iso();
}
