using System.Net.Http.Headers;
using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>
/// Turns a body into bytes: a string goes as it is (<c>text/plain</c> unless the author says otherwise), anything else as JSON,
/// or, for an object, as <c>application/x-www-form-urlencoded</c> or <c>multipart/form-data</c> where Content-Type says so.
/// </summary>
internal static class HttpBody
{
    public const string Json = "application/json";
    public const string Form = "application/x-www-form-urlencoded";
    public const string Multipart = "multipart/form-data";

    public static (byte[] Bytes, string ContentType) Encode(Json body, string? contentType, string pointer)
    {
        if (contentType is null)
            return body.StringOrNull is { } plain ? (Encoding.UTF8.GetBytes(plain), "text/plain; charset=utf-8") : (JsonText.ToUtf8(body), Json);
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
            throw Refusal.Configuration("Argument invalid", $"The Content-Type of {pointer} is no media type.");
        if (body.StringOrNull is { } text) return (EncodingOf(type.CharSet, pointer).GetBytes(text), contentType);
        if (IsJson(type.MediaType)) return (JsonText.ToUtf8(body), contentType);
        if (body.IsObject && Is(type.MediaType, Form)) return (Encoding.UTF8.GetBytes(FormText(body.AsObject(), pointer)), contentType);
        if (body.IsObject && Is(type.MediaType, Multipart)) return MultipartOf(body.AsObject(), pointer);
        if (Arguments.TryScalarText(body, out var scalar)) return (Encoding.UTF8.GetBytes(scalar), contentType);
        throw Refusal.Configuration("Argument invalid",
            $"The body at {pointer} is {body.Kind.ToString().ToLowerInvariant()}; sent as {type.MediaType} it has to be a string.");
    }

    public static bool IsJson(string? mediaType) => mediaType is not null
        && (Is(mediaType, Json) || Is(mediaType, "text/json") || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    /// <summary>Name and value pairs as a query or a form writes them; lists repeat their name, null leaves it out.</summary>
    public static string FormText(JsonObject members, string pointer)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in Fields(members, pointer))
            text.Append(text.Length == 0 ? "" : "&").Append(Uri.EscapeDataString(key)).Append('=').Append(Uri.EscapeDataString(value));
        return text.ToString();
    }

    private static IEnumerable<KeyValuePair<string, string>> Fields(JsonObject members, string pointer)
    {
        foreach (var (key, value) in members)
        {
            if (value.IsNull) continue;
            IEnumerable<Json> items = value.ArrayOrNull is { } list ? list : [value];
            foreach (var item in items)
                yield return Arguments.TryScalarText(item, out var text)
                    ? new(key, text)
                    : throw Arguments.Wrong($"{pointer}/{key}", "a string, number, boolean, or a list of those", item);
        }
    }

    private static (byte[] Bytes, string ContentType) MultipartOf(JsonObject members, string pointer)
    {
        using var content = new MultipartFormDataContent();
        foreach (var (key, value) in Fields(members, pointer))
            content.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(value)), '"' + key.Replace("\"", "%22", StringComparison.Ordinal) + '"');
        using var buffer = new MemoryStream();
        content.CopyTo(buffer, null, CancellationToken.None);
        return (buffer.ToArray(), content.Headers.ContentType!.ToString());
    }

    private static Encoding EncodingOf(string? charset, string pointer)
    {
        if (charset is null) return Encoding.UTF8;
        try
        {
            var encoding = Encoding.GetEncoding(charset.Trim('"'));
            return encoding.CodePage == Encoding.UTF8.CodePage ? Encoding.UTF8 : encoding;
        }
        catch (ArgumentException)
        {
            throw Refusal.Configuration("Argument invalid", $"The charset that Content-Type names for {pointer} is not known.");
        }
    }

    private static bool Is(string? mediaType, string other) => other.Equals(mediaType, StringComparison.OrdinalIgnoreCase);
}
