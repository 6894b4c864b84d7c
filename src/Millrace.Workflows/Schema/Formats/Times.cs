using System.Globalization;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>Dates and times of RFC 3339 §5.6.</summary>
internal static class Times
{
    private const int MinutesOfDay = 24 * 60;

    public static bool IsDateTime(string text) =>
        text.Length > 10 && text[10] is 'T' or 't' && IsDate(text.AsSpan(0, 10)) && IsTime(text.AsSpan(11));

    public static bool IsDate(string text) => IsDate(text.AsSpan());

    public static bool IsTime(string text) => IsTime(text.AsSpan());

    private static bool IsDate(ReadOnlySpan<char> text)
    {
        if (text.Length != 10 || text[4] != '-' || text[7] != '-') return false;
        var (year, month, day) = (Number(text[..4]), Number(text[5..7]), Number(text[8..]));
        if (year < 0 || month is < 1 or > 12 || day < 1) return false;
        // The year 0 is a leap year, which DateTime does not know; any other leap year stands in.
        return day <= DateTime.DaysInMonth(year == 0 ? 2000 : year, month);
    }

    private static bool IsTime(ReadOnlySpan<char> text)
    {
        if (text.Length < 9 || text[2] != ':' || text[5] != ':') return false;
        var (hour, minute, second) = (Number(text[..2]), Number(text[3..5]), Number(text[6..8]));
        if (hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60) return false;
        var at = 8;
        if (text[at] == '.')
        {
            var digits = text[++at..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0) return false;
            at += digits;
        }
        if (!TryOffset(text[at..], out var offset)) return false;
        // A leap second is inserted at the end of a day of UTC.
        return second < 60 || (hour * 60 + minute - offset + MinutesOfDay) % MinutesOfDay == MinutesOfDay - 1;
    }

    private static bool TryOffset(ReadOnlySpan<char> text, out int minutes)
    {
        minutes = 0;
        if (text is "Z" or "z") return true;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':') return false;
        var (hour, minute) = (Number(text[1..3]), Number(text[4..]));
        minutes = (hour * 60 + minute) * (text[0] == '-' ? -1 : 1);
        return hour is >= 0 and <= 23 && minute is >= 0 and <= 59;
    }

    /// <returns>-1 unless all are ASCII digits.</returns>
    private static int Number(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1;
}
