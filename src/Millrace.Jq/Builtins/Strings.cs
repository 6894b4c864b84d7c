using System.Text;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Text;

namespace Millrace.Jq.Builtins;

internal static class Strings
{
    /// <summary>Characters a string may have; more would not fit a .NET string.</summary>
    public const int LengthMax = 1_000_000_000;

    public static Json Concat(Machine m, string left, string right)
    {
        if ((long)left.Length + right.Length > LengthMax) return Fault.Of("String result too long");
        if (left.Length == 0) return right;
        if (right.Length == 0) return left;
        m.ChargeText((long)left.Length + right.Length);
        return string.Concat(left, right);
    }

    public static Json Repeat(Machine m, string text, double times)
    {
        if (times < 0 || double.IsNaN(times)) return default;
        if (text.Length == 0 || times < 1) return "";
        if (text.Length * Math.Truncate(times) > int.MaxValue) return Fault.Of("Repeat string result too long");
        var count = (int)times;
        if (count == 1) return text;
        m.ChargeText((long)text.Length * count);
        if ((long)text.Length * count > LengthMax) return Fault.Of("Repeat string result too long");
        return string.Create(text.Length * count, text, static (to, from) =>
        {
            from.CopyTo(to);
            for (var done = from.Length; done < to.Length; done *= 2) to[..Math.Min(done, to.Length - done)].CopyTo(to[done..]);
        });
    }

    public static Json Slice(Machine m, string text, int start, int end)
    {
        m.Spend(text.Length / 32);
        var from = Surrogates.Offset(text, start);
        var upto = Surrogates.Offset(text, end - start, from);
        if (upto - from == text.Length) return text;
        m.ChargeText(upto - from);
        return text[from..upto];
    }

    public static Json Length(Machine m, Json value) => value.Kind switch
    {
        JsonKind.Null => 0,
        JsonKind.Number => Maths.Abs(m, value),
        JsonKind.String => CountPoints(m, value.AsString()),
        JsonKind.Array => value.AsArray().Count,
        JsonKind.Object => value.AsObject().Count,
        _ => Fault.Type(value, "has no length"),
    };

    private static int CountPoints(Machine m, string text)
    {
        m.Spend(text.Length / 32);
        return Surrogates.Count(text);
    }

    public static Json ByteLength(Machine m, Json value) =>
        value.StringOrNull is { } text ? Encoding.UTF8.GetByteCount(text) : Fault.Type(value, "only strings have UTF-8 byte length");

    public static Json Split(Machine m, Json value, Json separator) => value.StringOrNull is { } text && separator.StringOrNull is { } mark
        ? Split(m, text, mark)
        : Fault.Of("split input and separator must be strings");

    public static Json Split(Machine m, string text, string separator)
    {
        m.ChargeCopy(text.Length * 2L);
        var parts = new Gathering();
        if (text.Length == 0) return parts.ToJson();
        if (separator.Length == 0)
        {
            foreach (var rune in text.EnumerateRunes())
            {
                m.Charge(32);
                parts.Add(m, rune.ToString());
            }
            return parts.ToJson();
        }
        var from = 0;
        while (true)
        {
            var at = text.IndexOf(separator, from, StringComparison.Ordinal);
            m.Charge(32);
            if (at < 0) break;
            parts.Add(m, text[from..at]);
            from = at + separator.Length;
        }
        parts.Add(m, text[from..]);
        return parts.ToJson();
    }

    public static Json Join(Machine m, Json value, Json separator)
    {
        if (value.ArrayOrNull is not { } items) return Signal.Error(Iteration.Refusal(value));
        if (items.Count == 0) return "";
        if (separator.StringOrNull is not { } mark) return JoinOther(m, items, separator);
        var joined = new StringBuilder();
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) joined.Append(mark);
            var item = items[i];
            if (item.IsArray || item.IsObject) return Fault.Types(joined.ToString(), item, "cannot be added");
            if (item.StringOrNull is { } text) joined.Append(text);
            else if (!item.IsNull) joined.Append(JsonText.ToText(item));
            if (joined.Length > LengthMax) return Fault.Of("String result too long");
            m.ChargeCopy(2L * ((item.StringOrNull?.Length ?? 8) + mark.Length));
        }
        return joined.ToString();
    }

    /// <summary>jq adds item and separator in turn, so a separator of another kind fails as the addition does.</summary>
    private static Json JoinOther(Machine m, JsonArray items, Json separator)
    {
        Json joined = "";
        for (var i = 0; i < items.Count; i++)
        {
            var item = items[i];
            if (item.IsNumber || item.IsBoolean) item = JsonText.ToText(item);
            if (item.IsNull) item = "";
            if (i > 0) joined = Arithmetic.Add(m, joined, separator);
            if (!joined.IsSignal) joined = Arithmetic.Add(m, joined, item);
            if (joined.IsSignal) return joined;
        }
        return joined;
    }

    public static Json StartsWith(Machine m, Json value, Json part) => value.StringOrNull is { } text && part.StringOrNull is { } start
        ? text.StartsWith(start, StringComparison.Ordinal)
        : Fault.Of("startswith() requires string inputs");

    public static Json EndsWith(Machine m, Json value, Json part) => value.StringOrNull is { } text && part.StringOrNull is { } end
        ? text.EndsWith(end, StringComparison.Ordinal)
        : Fault.Of("endswith() requires string inputs");

    public static Json TrimStart(Machine m, Json value, Json part)
    {
        if (value.StringOrNull is not { } text || part.StringOrNull is not { } start) return Fault.Of("startswith() requires string inputs");
        return text.StartsWith(start, StringComparison.Ordinal) ? Part(m, text, start.Length, text.Length) : value;
    }

    public static Json TrimEnd(Machine m, Json value, Json part)
    {
        if (value.StringOrNull is not { } text || part.StringOrNull is not { } end) return Fault.Of("endswith() requires string inputs");
        return text.EndsWith(end, StringComparison.Ordinal) ? Part(m, text, 0, text.Length - end.Length) : value;
    }

    public static Json TrimBoth(Machine m, Json value, Json part)
    {
        var left = TrimStart(m, value, part);
        return left.IsSignal ? left : TrimEnd(m, left, part);
    }

    public static Json Trim(Machine m, Json value) => value.StringOrNull is { } text ? Counted(m, text.Trim()) : NoTrim();

    public static Json TrimLeft(Machine m, Json value) => value.StringOrNull is { } text ? Counted(m, text.TrimStart()) : NoTrim();

    public static Json TrimRight(Machine m, Json value) => value.StringOrNull is { } text ? Counted(m, text.TrimEnd()) : NoTrim();

    private static Json Part(Machine m, string text, int from, int upto)
    {
        m.ChargeText(upto - from);
        return text[from..upto];
    }

    private static string Counted(Machine m, string text)
    {
        m.ChargeText(text.Length);
        return text;
    }

    private static Json NoTrim() => Fault.Of("trim input must be a string");

    public static Json Explode(Machine m, Json value)
    {
        if (value.StringOrNull is not { } text) return Fault.Of("explode input must be a string");
        var points = new Gathering();
        foreach (var rune in text.EnumerateRunes()) points.Add(m, rune.Value);
        return points.ToJson();
    }

    public static Json Implode(Machine m, Json value)
    {
        if (value.ArrayOrNull is not { } points) return Fault.Of("implode input must be an array");
        m.ChargeText(points.Count);
        var text = new StringBuilder(points.Count);
        foreach (var point in points.Span)
        {
            if (!point.IsNumber || double.IsNaN(point.AsNumber()))
                return Fault.Type(point, "can't be imploded, unicode codepoint needs to be numeric");
            var code = (int)Math.Clamp(point.AsNumber(), -1, 0x110000);
            text.Append(Rune.IsValid(code) ? new Rune(code).ToString() : "\uFFFD");
        }
        return text.ToString();
    }

    public static Json Downcase(Machine m, Json value) => value.StringOrNull is { } text
        ? Convert(m, text, static c => char.IsAsciiLetterUpper(c) ? (char)(c + 32) : c)
        : Fault.Of("ascii_downcase input must be a string");

    public static Json Upcase(Machine m, Json value) => value.StringOrNull is { } text
        ? Convert(m, text, static c => char.IsAsciiLetterLower(c) ? (char)(c - 32) : c)
        : Fault.Of("ascii_upcase input must be a string");

    private static Json Convert(Machine m, string text, Func<char, char> each)
    {
        m.ChargeText(text.Length);
        return string.Create(text.Length, (text, each), static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = from.each(from.text[i]);
        });
    }

    /// <summary>Offsets in code points of every, also overlapping, occurrence.</summary>
    public static Json Indices(Machine m, Json value, Json part)
    {
        if (value.StringOrNull is not { } text) return Fault.Type(value, "cannot be searched, as it is not a string");
        if (part.StringOrNull is not { } wanted) return Fault.Type(part, "is not a string");
        var places = new Gathering();
        if (wanted.Length == 0) return places.ToJson();
        int at = -1, counted = 0, points = 0;
        while ((at = text.IndexOf(wanted, at + 1, StringComparison.Ordinal)) >= 0)
        {
            for (; counted < at; counted++)
                if (!char.IsLowSurrogate(text[counted])) points++;
            places.Add(m, points);
        }
        m.Spend(text.Length / 16);
        return places.ToJson();
    }

    public static Json ToText(Machine m, Json value) => value.IsString ? value : ToJson(m, value);

    public static Json ToJson(Machine m, Json value)
    {
        if (!value.IsArray && !value.IsObject && !value.IsString) return JsonText.ToText(value);
        // Values may share parts, so that the text is far longer than the value: stop when it is more than may be built.
        var writer = new JsonWriter(JsonLayout.Compact, m.BytesMax);
        writer.Write(value);
        m.Spend(writer.Written.Length / 8);
        m.ChargeText(writer.Written.Length);
        return Encoding.UTF8.GetString(writer.Written);
    }

    public static Json FromJson(Machine m, Json value)
    {
        if (value.StringOrNull is not { } text) return Fault.Type(value, "only strings can be parsed");
        m.ChargeCopy(text.Length * 4L);
        m.Spend(text.Length / 8);
        return LenientJson.Parse(text, out var error) is { } parsed ? parsed : Fault.Of(error);
    }

    public static Json ToNumber(Machine m, Json value)
    {
        if (value.IsNumber) return value;
        return value.StringOrNull is { } text && NumberText.TryParse(text, out var number)
            ? number
            : Fault.Type(value, "cannot be parsed as a number");
    }

    public static Json ToBoolean(Machine m, Json value) => value switch
    {
        { IsBoolean: true } => value,
        { StringOrNull: "true" } => true,
        { StringOrNull: "false" } => false,
        _ => Fault.Type(value, "cannot be parsed as a boolean"),
    };

    /// <summary>A code point as a string.</summary>
    public static Json Ascii(Machine m, Json value) => Implode(m, Json.Array(value));
}
