using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

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

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = DepthMax };
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly JsonWriterOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, Indented = true };

    /// <exception cref="JsonTextException">The text is not exactly one JSON value.</exception>
    public static Json Parse(string text) => Parse(Encoding.UTF8.GetBytes(text));

    /// <exception cref="JsonTextException">The text is not exactly one JSON value.</exception>
    public static Json Parse(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, Strict);
        try
        {
            if (!reader.Read()) throw new JsonTextException("Expected a JSON value, found nothing.", 1, 1);
            var value = ReadValue(ref reader);
            if (reader.Read()) throw new JsonTextException("Expected the end of the text.", 1, reader.TokenStartIndex + 1);
            return value;
        }
        catch (JsonException e)
        {
            throw new JsonTextException(e.Message.Split(" LineNumber:")[0], (e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1);
        }
    }

    public static byte[] ToUtf8(Json value, bool indented = false)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        Write(value, buffer, indented);
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Json value, IBufferWriter<byte> to, bool indented = false)
    {
        using var writer = new Utf8JsonWriter(to, indented ? Indented : Compact);
        Write(value, writer);
    }

    public static void Write(Json value, Utf8JsonWriter writer)
    {
        switch (value.Kind)
        {
            case JsonKind.Null: writer.WriteNullValue(); break;
            case JsonKind.False: writer.WriteBooleanValue(false); break;
            case JsonKind.True: writer.WriteBooleanValue(true); break;
            case JsonKind.Number: writer.WriteRawValue(NumberText(value), skipInputValidation: true); break;
            case JsonKind.String: writer.WriteStringValue(value.AsString()); break;
            case JsonKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.AsArray().Span) Write(item, writer);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteStartObject();
                foreach (var (key, member) in value.AsObject().Members)
                {
                    writer.WritePropertyName(key);
                    Write(member, writer);
                }
                writer.WriteEndObject();
                break;
        }
    }

    /// <summary>A number as jq 1.8 prints it: 17 significant digits, NaN as null, infinities as the largest double.</summary>
    internal static string NumberText(Json value)
    {
        if (value.Literal is { } literal) return literal.Text;
        var number = value.AsNumber();
        if (double.IsNaN(number)) return "null";
        number = Math.Clamp(number, double.MinValue, double.MaxValue);
        return number is >= -1e17 and <= 1e17 && Math.Floor(number) == number
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);
    }

    private static Json ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null: return Json.Null;
            case JsonTokenType.True: return Json.True;
            case JsonTokenType.False: return Json.False;
            case JsonTokenType.Number: return reader.GetDouble();
            case JsonTokenType.String: return reader.GetString();
            case JsonTokenType.StartArray:
                var items = new List<Json>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(ReadValue(ref reader));
                return JsonArray.Of(items);
            default:
                var members = new JsonObject.Builder();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = reader.GetString()!;
                    reader.Read();
                    members.Set(key, ReadValue(ref reader));
                }
                return members.Build();
        }
    }
}
