using System.Buffers;
using System.Text;
using System.Text.Json;
using Millrace.Jq.Text;

namespace Millrace.Jq;

/// <summary>The text is no JSON; line and column count from 1, in bytes.</summary>
public sealed class JsonTextException(string message, long line, long column) : Exception(message)
{
    public long Line { get; } = line;
    public long Column { get; } = column;
}

/// <summary>Reads and writes JSON text (RFC 8259), UTF-8.</summary>
public static class JsonText
{
    /// <summary>Nesting that is read at most.</summary>
    public const int DepthMax = 512;

    /// <exception cref="JsonTextException">The text is not exactly one JSON value.</exception>
    public static Json Parse(string text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            return Parse(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <exception cref="JsonTextException">The text is not exactly one JSON value.</exception>
    public static Json Parse(ReadOnlySpan<byte> utf8)
    {
        using var reader = new Text.JsonReader(utf8, lenient: false, DepthMax);
        if (!reader.TryRead(out var value)) throw new JsonTextException("Expected a JSON value, found nothing.", 1, 1);
        reader.ExpectEnd();
        return value;
    }

    /// <summary>Values nested deeper than 10,000 levels are replaced by the string <c>&lt;skipped: too deep&gt;</c>.</summary>
    public static byte[] ToUtf8(Json value, bool indented = false) => Written(value, indented).Written.ToArray();

    public static void Write(Json value, IBufferWriter<byte> to, bool indented = false) => to.Write(Written(value, indented).Written);

    public static void Write(Json value, Utf8JsonWriter writer) => writer.WriteRawValue(Written(value, false).Written, skipInputValidation: true);

    internal static string ToText(Json value) => Encoding.UTF8.GetString(Written(value, false).Written);

    private static JsonWriter Written(Json value, bool indented)
    {
        var writer = new JsonWriter(indented ? JsonLayout.Indented : JsonLayout.Compact);
        writer.Write(value);
        return writer;
    }
}
