using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>Broken down times: <c>[year, month from 0, day, hours, minutes, seconds, weekday from Sunday, day of the year from 0]</c>.</summary>
internal static class Dates
{
    /// <summary>Seconds a time may lie from 1970; years stay within what the formats can show.</summary>
    private const double SecondsMax = 8e15;

    private static readonly int[] DaysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

    public static Json UtcTime(Machine m, Json value)
    {
        if (!value.IsNumber) return Fault.Of("gmtime() requires numeric inputs");
        return Broken(value.AsNumber(), 0) is { } broken ? broken : CannotConvert();
    }

    public static Json LocalTime(Machine m, Json value)
    {
        if (!value.IsNumber) return Fault.Of("localtime() requires numeric inputs");
        return Broken(value.AsNumber(), Offset(m, value.AsNumber())) is { } broken ? broken : CannotConvert();
    }

    private static Json CannotConvert() => Fault.Of("error converting number of seconds since epoch to datetime");

    public static Json ToSeconds(Machine m, Json value)
    {
        if (!value.IsArray) return Fault.Of("mktime requires array of 6 numbers");
        return Fields(value) is { } fields ? Seconds(fields) : Fault.Of("mktime requires parsed datetime inputs");
    }

    public static Json Format(Machine m, Json value, Json format) => Format(m, value, format, "strftime/1", local: false);

    public static Json FormatLocal(Machine m, Json value, Json format) => Format(m, value, format, "strflocaltime/1", local: true);

    private static Json Format(Machine m, Json value, Json format, string name, bool local)
    {
        var offset = 0;
        if (value.IsNumber)
        {
            offset = local ? Offset(m, value.AsNumber()) : 0;
            if (Broken(value.AsNumber(), offset) is not { } broken) return CannotConvert();
            value = broken;
        }
        else if (!value.IsArray)
        {
            return Fault.Of($"{name} requires parsed datetime inputs");
        }
        if (format.StringOrNull is not { } pattern) return Fault.Of($"{name} requires a string format");
        if (Fields(value) is not { } fields) return Fault.Of($"{name} requires parsed datetime inputs");
        if (local && offset == 0) offset = Offset(m, Seconds(fields));
        m.ChargeText(pattern.Length * 8L);
        return DateFormat.Write(pattern, fields, local ? offset : 0, local ? Zone(m, Seconds(fields)) : "UTC");
    }

    public static Json Parse(Machine m, Json value, Json format)
    {
        if (value.StringOrNull is not { } text) return Fault.Of($"strptime/1 requires string inputs and arguments");
        if (format.StringOrNull is not { } pattern) return Fault.Of($"strptime/1 requires string inputs and arguments");
        return DateParser.Parse(text, pattern) is { } fields
            ? ToJson(fields)
            : Fault.Of($"date \"{text}\" does not match format \"{pattern}\"");
    }

    public static double Seconds(double[] f)
    {
        // Months beyond a year carry over, as timegm does; the rest is plain addition.
        var months = f[0] * 12 + f[1];
        var year = Math.Floor(months / 12);
        return (Days(year, (int)(months - year * 12)) + f[2] - 1) * 86400 + f[3] * 3600 + f[4] * 60 + Math.Floor(f[5]);
    }

    /// <summary>Days from 1970-01-01 to the first of a month (Howard Hinnant's days_from_civil).</summary>
    private static double Days(double year, int month)
    {
        var y = month < 2 ? year - 1 : year;
        var era = Math.Floor(y / 400);
        var ofEra = y - era * 400;
        var ofYear = Math.Floor((153.0 * (month + (month > 1 ? -2 : 10)) + 2) / 5);
        return era * 146097 + ofEra * 365 + Math.Floor(ofEra / 4) - Math.Floor(ofEra / 100) + ofYear - 719468;
    }

    private static Json? Broken(double seconds, int offset)
    {
        if (double.IsNaN(seconds) || Math.Abs(seconds) > SecondsMax) return null;
        var whole = Math.Floor(seconds);
        var local = whole + offset;
        var day = Math.Floor(local / 86400);
        var rest = local - day * 86400;
        var (year, month, date) = Civil(day);
        double[] fields =
        [
            year, month, date, Math.Floor(rest / 3600), Math.Floor(rest % 3600 / 60), rest % 60 + (seconds - whole),
            Weekday(day), DayOfYear(year, month, date),
        ];
        return ToJson(fields);
    }

    private static (double Year, int Month, int Day) Civil(double day)
    {
        day += 719468;
        var era = Math.Floor(day / 146097);
        var ofEra = day - era * 146097;
        var year = Math.Floor((ofEra - Math.Floor(ofEra / 1460) + Math.Floor(ofEra / 36524) - Math.Floor(ofEra / 146096)) / 365);
        var ofYear = ofEra - (365 * year + Math.Floor(year / 4) - Math.Floor(year / 100));
        var shifted = (int)((5 * ofYear + 2) / 153);
        var date = (int)(ofYear - Math.Floor((153.0 * shifted + 2) / 5)) + 1;
        var month = shifted < 10 ? shifted + 2 : shifted - 10;
        return (year + era * 400 + (month <= 1 ? 1 : 0), month, date);
    }

    private static int Weekday(double day) => (int)((((day + 4) % 7) + 7) % 7);

    private static int DayOfYear(double year, int month, int date) =>
        DaysBefore[month] + (month > 1 && IsLeap(year) ? 1 : 0) + date - 1;

    private static bool IsLeap(double year) => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    /// <summary>Weekday and day of the year of a date.</summary>
    public static void Complete(double[] fields)
    {
        var day = Days(fields[0], (int)fields[1]) + fields[2] - 1;
        fields[6] = Weekday(day);
        fields[7] = DayOfYear(fields[0], (int)fields[1], (int)fields[2]);
    }

    public static Json ToJson(double[] fields)
    {
        var items = new Json[fields.Length];
        for (var i = 0; i < items.Length; i++) items[i] = fields[i];
        return JsonArray.Own(items, items.Length);
    }

    /// <summary>Missing fields are zero; null when one is no number or out of all bounds.</summary>
    private static double[]? Fields(Json value)
    {
        var fields = new double[8];
        var items = value.AsArray();
        for (var i = 0; i < fields.Length && i < items.Count; i++)
        {
            if (!items[i].IsNumber || !(Math.Abs(items[i].AsNumber()) <= int.MaxValue)) return null;
            fields[i] = i == 5 ? items[i].AsNumber() : Math.Truncate(items[i].AsNumber());
        }
        if (fields[1] is < 0 or > 11) return items.Count > 1 ? Normalized(fields) : fields;
        return fields;
    }

    private static double[] Normalized(double[] fields)
    {
        var months = fields[0] * 12 + fields[1];
        fields[0] = Math.Floor(months / 12);
        fields[1] = months - fields[0] * 12;
        return fields;
    }

    private static int Offset(Machine m, double seconds) =>
        Moment(seconds) is { } moment ? (int)m.Options.LocalTimeZone.GetUtcOffset(moment).TotalSeconds : 0;

    private static string Zone(Machine m, double seconds)
    {
        var zone = m.Options.LocalTimeZone;
        if (zone.Equals(TimeZoneInfo.Utc)) return "UTC";
        return Moment(seconds) is { } moment && zone.IsDaylightSavingTime(moment) ? zone.DaylightName : zone.StandardName;
    }

    private static DateTimeOffset? Moment(double seconds) =>
        seconds is > -62_135_596_800 and < 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Floor(seconds)) : null;
}
