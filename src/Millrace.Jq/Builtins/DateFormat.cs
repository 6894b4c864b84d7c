using System.Globalization;
using System.Text;

namespace Millrace.Jq.Builtins;

/// <summary>C's <c>strftime</c> in the C locale.</summary>
internal static class DateFormat
{
    public static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    public static readonly string[] Months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    public static string Write(string pattern, double[] fields, int offset, string zone)
    {
        var text = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%' || i + 1 == pattern.Length)
            {
                text.Append(pattern[i]);
                continue;
            }
            i++;
            var pad = '\0';
            if (pattern[i] is '-' or '_' or '0' or 'E' or 'O' && i + 1 < pattern.Length) pad = pattern[i++];
            text.Append(Part(pattern[i], pad, fields, offset, zone) ?? $"%{pattern[i]}");
        }
        return text.ToString();
    }

    private static string? Part(char code, char pad, double[] f, int offset, string zone)
    {
        double year = f[0], month = f[1], day = f[2], hour = f[3], minute = f[4], second = Math.Floor(f[5]), weekday = f[6], ofYear = f[7];
        var hour12 = hour % 12 == 0 ? 12 : hour % 12;
        return code switch
        {
            'a' => Name(Days, weekday)[..3],
            'A' => Name(Days, weekday),
            'b' or 'h' => Name(Months, month)[..3],
            'B' => Name(Months, month),
            'C' => Number(Math.Floor(year / 100), 2, pad),
            'd' => Number(day, 2, pad),
            'e' => Number(day, 2, pad == '\0' ? '_' : pad),
            'G' => Number(IsoWeek(year, ofYear, weekday).Year, 4, pad),
            'g' => Number(IsoWeek(year, ofYear, weekday).Year % 100, 2, pad),
            'H' => Number(hour, 2, pad),
            'I' => Number(hour12, 2, pad),
            'j' => Number(ofYear + 1, 3, pad),
            'k' => Number(hour, 2, pad == '\0' ? '_' : pad),
            'l' => Number(hour12, 2, pad == '\0' ? '_' : pad),
            'm' => Number(month + 1, 2, pad),
            'M' => Number(minute, 2, pad),
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            'p' => hour < 12 ? "AM" : "PM",
            'P' => hour < 12 ? "am" : "pm",
            's' => (Dates.Seconds(f) - offset).ToString("0", CultureInfo.InvariantCulture),
            'S' => Number(second, 2, pad),
            'u' => Number(weekday == 0 ? 7 : weekday, 1, pad),
            'w' => Number(weekday, 1, pad),
            'U' => Number(Math.Floor((ofYear + 7 - weekday) / 7), 2, pad),
            'W' => Number(Math.Floor((ofYear + 7 - (weekday + 6) % 7) / 7), 2, pad),
            'V' => Number(IsoWeek(year, ofYear, weekday).Week, 2, pad),
            'y' => Number(((year % 100) + 100) % 100, 2, pad),
            'Y' => Number(year, pad == '0' ? 4 : 1, pad),
            'z' => Zone(offset),
            'Z' => zone,
            'c' => Write("%a %b %e %H:%M:%S %Y", f, offset, zone),
            'D' or 'x' => Write("%m/%d/%y", f, offset, zone),
            'F' => Write("%Y-%m-%d", f, offset, zone),
            'r' => Write("%I:%M:%S %p", f, offset, zone),
            'R' => Write("%H:%M", f, offset, zone),
            'T' or 'X' => Write("%H:%M:%S", f, offset, zone),
            '+' => Write("%a %b %e %H:%M:%S %Z %Y", f, offset, zone),
            _ => null,
        };
    }

    private static string Number(double value, int width, char pad)
    {
        var text = value.ToString("0", CultureInfo.InvariantCulture);
        return pad switch { '-' => text, '_' => text.PadLeft(width), _ => text.PadLeft(width, '0') };
    }

    private static string Name(string[] names, double at) => at >= 0 && at < names.Length ? names[(int)at] : "?????????";

    private static string Zone(int offset)
    {
        var minutes = Math.Abs(offset) / 60;
        return string.Create(CultureInfo.InvariantCulture, $"{(offset < 0 ? '-' : '+')}{minutes / 60:00}{minutes % 60:00}");
    }

    /// <summary>ISO 8601: weeks start on Monday, the first has the year's first Thursday.</summary>
    private static (double Year, double Week) IsoWeek(double year, double ofYear, double weekday)
    {
        var week = Math.Floor((ofYear - (weekday + 6) % 7 + 10) / 7);
        if (week < 1)
        {
            var before = DaysIn(year - 1);
            return (year - 1, Math.Floor((ofYear + before - (weekday + 6) % 7 + 10) / 7));
        }
        return week == 53 && (ofYear - (weekday + 6) % 7 + 3) >= DaysIn(year) ? (year + 1, 1) : (year, week);
    }

    private static int DaysIn(double year) => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
}
