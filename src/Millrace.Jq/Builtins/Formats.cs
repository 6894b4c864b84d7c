using System.Globalization;
using System.Text;
using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>The <c>@name</c> formats.</summary>
internal static class Formats
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    public static Json Apply(Machine m, Json value, Json format) =>
        format.StringOrNull is { } name ? Apply(m, name, value) : Fault.Type(format, "is not a valid format");

    public static Json Apply(Machine m, string format, Json value)
    {
        switch (format)
        {
            case "text": return Strings.ToText(m, value);
            case "json": return Strings.ToJson(m, value);
            case "csv": return Row(m, value, ",", "csv", static text => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
            case "tsv":
                return Row(m, value, "\t", "tsv", static text => text
                .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal)
                .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
            case "sh": return Shell(m, value);
            case "html" or "uri" or "urid" or "base64" or "base64d" or "base32" or "base32d": break;
            default: return Fault.Of($"{format} is not a valid format");
        }
        var text = Strings.ToText(m, value);
        if (text.IsSignal) return text;
        m.ChargeText(text.AsString().Length * (format == "uri" ? 9L : 3L));
        return format switch
        {
            "html" => Html(text.AsString()),
            "uri" => Uri(text.AsString()),
            "urid" => FromUri(text),
            "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(text.AsString())),
            "base64d" => FromBase64(text),
            "base32" => ToBase32(text.AsString()),
            _ => FromBase32(text),
        };
    }

    private static Json Row(Machine m, Json value, string separator, string name, Func<string, string> quote)
    {
        if (value.ArrayOrNull is not { } cells) return Fault.Type(value, $"cannot be {name}-formatted, only array");
        var row = new StringBuilder();
        for (var i = 0; i < cells.Count; i++)
        {
            if (i > 0) row.Append(separator);
            var cell = cells[i];
            if (cell.StringOrNull is { } text) row.Append(quote(text));
            else if (cell.IsArray || cell.IsObject) return Fault.Type(cell, $"is not valid in a {name} row");
            else if (!cell.IsNull && !(cell.IsNumber && double.IsNaN(cell.AsNumber()))) row.Append(JsonText.ToText(cell));
            m.Charge(2L * (cell.StringOrNull?.Length ?? 8));
        }
        m.ChargeText(row.Length);
        return row.ToString();
    }

    private static Json Shell(Machine m, Json value)
    {
        var words = value.ArrayOrNull ?? JsonArray.Empty.Append(value);
        var line = new StringBuilder();
        for (var i = 0; i < words.Count; i++)
        {
            if (i > 0) line.Append(' ');
            var word = words[i];
            if (word.StringOrNull is { } text) line.Append('\'').Append(text.Replace("'", "'\\''", StringComparison.Ordinal)).Append('\'');
            else if (word.IsArray || word.IsObject) return Fault.Type(word, "can not be escaped for shell");
            else line.Append(JsonText.ToText(word));
            m.Charge(2L * (word.StringOrNull?.Length ?? 8));
        }
        m.ChargeText(line.Length);
        return line.ToString();
    }

    private static string Html(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = c switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '\'' => escaped.Append("&apos;"),
                '"' => escaped.Append("&quot;"),
                _ => escaped.Append(c),
            };
        }
        return escaped.ToString();
    }

    private static string Uri(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (Unreserved.Contains((char)unit, StringComparison.Ordinal)) escaped.Append((char)unit);
            else escaped.Append('%').Append(unit.ToString("X2", CultureInfo.InvariantCulture));
        }
        return escaped.ToString();
    }

    private static Json FromUri(Json value)
    {
        var bytes = Encoding.UTF8.GetBytes(value.AsString());
        var count = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != (byte)'%')
            {
                bytes[count++] = bytes[i];
                continue;
            }
            if (i + 2 >= bytes.Length || !byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
                return Fault.Type(value, "is not a valid uri encoding");
            bytes[count++] = unit;
            i += 2;
        }
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    private static Json FromBase64(Json value)
    {
        var text = value.AsString().TrimEnd('=');
        if (text.Length % 4 == 1) return Fault.Type(value, "trailing base64 byte found");
        var bytes = new byte[text.Length * 3 / 4];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var count) && !text.Any(char.IsWhiteSpace)
            ? Encoding.UTF8.GetString(bytes, 0, count)
            : Fault.Type(value, "is not valid base64 data");
    }

    private static string ToBase32(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var encoded = new StringBuilder((bytes.Length + 4) / 5 * 8);
        for (var i = 0; i < bytes.Length * 8; i += 5)
        {
            var pair = (bytes[i / 8] << 8) | (i / 8 + 1 < bytes.Length ? bytes[i / 8 + 1] : 0);
            encoded.Append(Base32[(pair >> (11 - i % 8)) & 31]);
        }
        while (encoded.Length % 8 != 0) encoded.Append('=');
        return encoded.ToString();
    }

    private static Json FromBase32(Json value)
    {
        var bytes = new List<byte>();
        int bits = 0, held = 0;
        foreach (var c in value.AsString().TrimEnd('='))
        {
            var digit = Base32.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0) return Fault.Type(value, "is not valid base32 data");
            held = ((held << 5) | digit) & 0xFFFF;
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(held >> bits));
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
