using System.Globalization;

namespace Millrace.Cli.Views;

internal static class Times
{
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>Local time of day, to the millisecond.</summary>
    public static string Clock(string? text) =>
        Parse(text) is { } time ? time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture) : "--:--:--.---";

    public static string Date(string? text) =>
        Parse(text) is { } time ? time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "";

    public static string Between(string? from, string? to, DateTimeOffset now)
    {
        if (Parse(from) is not { } start) return "";
        return Text((Parse(to) ?? now) - start);
    }

    public static string Text(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero) duration = TimeSpan.Zero;
        return duration switch
        {
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0} ms"),
            { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.Minutes} min {duration.Seconds:00} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(int)duration.TotalHours} h {duration.Minutes:00} min"),
        };
    }
}
