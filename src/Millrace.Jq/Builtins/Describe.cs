using System.Text;

namespace Millrace.Jq.Builtins;

/// <summary>Values as error texts show them.</summary>
internal static class Describe
{
    /// <summary>jq cuts a value's text in an error to this many bytes of UTF-8.</summary>
    private const int BytesMax = 29;

    public static string Kind(Json value) => value.Kind switch
    {
        JsonKind.Null => "null",
        JsonKind.False or JsonKind.True => "boolean",
        JsonKind.Number => "number",
        JsonKind.String => "string",
        JsonKind.Array => "array",
        _ => "object",
    };

    /// <summary>Type and value: <c>number (1)</c>.</summary>
    public static string Shown(Json value) => $"{Kind(value)} ({Short(value)})";

    /// <summary>The value's JSON text, cut short with three dots and the closing mark of its kind.</summary>
    public static string Short(Json value)
    {
        var text = Head(value);
        if (Encoding.UTF8.GetByteCount(text) <= BytesMax) return text;
        var closing = value.Kind switch { JsonKind.String => "\"", JsonKind.Array => "]", JsonKind.Object => "}", _ => "" };
        var room = BytesMax - 3 - closing.Length;
        var cut = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0) break;
            cut.Append(rune.ToString());
        }
        return cut.Append("...").Append(closing).ToString();
    }

    /// <summary>The text's beginning, without writing out what is cut anyway.</summary>
    private static string Head(Json value)
    {
        if (value.StringOrNull is { Length: > 200 } text) return JsonText.ToText(text[..100]);
        var writer = new Text.JsonWriter(Text.JsonLayout.Compact, bytesEnough: 256);
        writer.Write(value);
        return Encoding.UTF8.GetString(writer.Written);
    }
}
