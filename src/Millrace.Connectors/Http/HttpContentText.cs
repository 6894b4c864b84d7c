using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>
/// What content means as a value: JSON media types are parsed; text media types give a string; without a media type, text that is
/// valid UTF-8 gives a string; everything else gives its bytes in base64 (dsl-reference.md, HTTP Response). No content is null.
/// </summary>
internal static class HttpContentText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] TextTypes =
    [
        "application/xml", "application/yaml", "application/x-yaml", "application/javascript", "application/x-javascript",
        "application/x-www-form-urlencoded", "application/graphql", "application/sql", "application/toml", "application/x-ndjson", "application/jsonl",
    ];

    /// <exception cref="Refusal">The content says it is JSON and is not.</exception>
    public static Json ValueOf(HttpAnswer answer, Redaction redaction)
    {
        if (answer.Content.IsEmpty) return Json.Null;
        if (HttpBody.IsJson(answer.MediaType)) return ParseJson(answer, redaction);
        if (answer.MediaType is null)
            return TryUtf8(answer.Content, out var text) ? text : Convert.ToBase64String(answer.Content.Span);
        return IsText(answer.MediaType) ? TextOf(answer) : Convert.ToBase64String(answer.Content.Span);
    }

    /// <summary>The beginning of a text, on one line, for an error's detail; null when it is no text.</summary>
    public static string? Excerpt(HttpAnswer answer, int charsMax)
    {
        if (answer.Content.IsEmpty || answer.MediaType is not null && !IsText(answer.MediaType) && !HttpBody.IsJson(answer.MediaType)) return null;
        var text = new StringBuilder();
        foreach (var c in TextOf(answer))
        {
            var plain = char.IsControl(c) || char.IsWhiteSpace(c) ? ' ' : c;
            if (plain == ' ' && (text.Length == 0 || text[^1] == ' ')) continue;
            text.Append(plain);
            if (text.Length == charsMax) return text.Append('…').ToString();
        }
        return text.Length == 0 ? null : text.ToString().TrimEnd();
    }

    private static Json ParseJson(HttpAnswer answer, Redaction redaction)
    {
        try
        {
            var utf8 = EncodingOf(answer.Charset) is UTF8Encoding ? answer.Content.Span : Encoding.UTF8.GetBytes(TextOf(answer));
            return JsonText.Parse(utf8.StartsWith(Encoding.UTF8.Preamble) ? utf8[3..] : utf8);
        }
        catch (JsonTextException e)
        {
            throw Refusal.Communication(502, "Response invalid",
                $"{answer.Request.Method} {redaction.Clean(answer.Request.Uri)} answered with {answer.MediaType} that is no JSON, at line {e.Line}, column {e.Column}.");
        }
    }

    private static bool IsText(string mediaType) =>
        mediaType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+xml", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+yaml", StringComparison.OrdinalIgnoreCase)
        || TextTypes.Contains(mediaType, StringComparer.OrdinalIgnoreCase);

    private static string TextOf(HttpAnswer answer)
    {
        var encoding = EncodingOf(answer.Charset);
        var bytes = answer.Content.Span;
        return encoding.GetString(bytes.StartsWith(encoding.Preamble) ? bytes[encoding.Preamble.Length..] : bytes);
    }

    private static Encoding EncodingOf(string? charset)
    {
        try
        {
            return charset is null ? Encoding.UTF8 : Encoding.GetEncoding(charset.Trim('"'));
        }
        catch (ArgumentException)
        {
            return Encoding.UTF8;
        }
    }

    private static bool TryUtf8(ReadOnlyMemory<byte> bytes, out string text)
    {
        try
        {
            text = StrictUtf8.GetString(bytes.Span);
            return true;
        }
        catch (ArgumentException)
        {
            text = "";
            return false;
        }
    }
}
