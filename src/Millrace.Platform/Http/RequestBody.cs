using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Millrace.Jq;

namespace Millrace.Platform.Http;

/// <summary>Reads bodies with a limit, and says where they are wrong.</summary>
public static class RequestBody
{
    /// <summary>A run's input, as bytes of JSON text.</summary>
    public const int JsonBytesMax = 16 << 20;

    /// <exception cref="Problem">415, 413, or 400 <c>request.malformed</c> with line and column.</exception>
    internal static Task<Json> JsonAsync(HttpRequest request, int bytesMax, CancellationToken cancel) => JsonAsync(request, bytesMax, cancel, "application/json");

    internal static async Task<Json> JsonAsync(HttpRequest request, int bytesMax, CancellationToken cancel, params string[] types)
    {
        RequireType(request, types);
        return ParseJson(await BytesAsync(request, bytesMax, cancel));
    }

    /// <exception cref="Problem">400 <c>request.malformed</c> with line and column.</exception>
    internal static Json ParseJson(byte[] bytes)
    {
        if (bytes.Length == 0) throw Malformed("Expected a JSON value, found an empty body.", 1, 1);
        RequireUtf8(bytes);
        try
        {
            return JsonText.Parse(bytes);
        }
        catch (JsonTextException e)
        {
            throw Malformed(e.Message, e.Line, e.Column);
        }
    }

    /// <summary>Like <see cref="JsonAsync"/>, but a request without a body is an empty object.</summary>
    internal static async Task<Json> OptionalJsonAsync(HttpRequest request, int bytesMax, CancellationToken cancel) =>
        request.ContentLength is null or 0 && request.ContentType is null ? Json.EmptyObject : await JsonAsync(request, bytesMax, cancel);

    /// <exception cref="Problem">415, 413, or 400 when the text is no UTF-8.</exception>
    internal static async Task<string> TextAsync(HttpRequest request, int bytesMax, CancellationToken cancel, params string[] types)
    {
        RequireType(request, types);
        var bytes = await BytesAsync(request, bytesMax, cancel);
        RequireUtf8(bytes);
        var text = bytes.AsSpan();
        return Encoding.UTF8.GetString(text.StartsWith(Encoding.UTF8.Preamble) ? text[3..] : text);
    }

    private static void RequireType(HttpRequest request, params string[] types)
    {
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && types.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
            && (type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))) return;
        throw ProblemHandler.UnsupportedType(
            $"Expected {string.Join(", ", types)} in UTF-8, found {(string.IsNullOrEmpty(request.ContentType) ? "no content type" : request.ContentType)}.", types);
    }

    internal static async Task<byte[]> BytesAsync(HttpRequest request, int bytesMax, CancellationToken cancel)
    {
        if (request.ContentLength > bytesMax) throw TooLarge(bytesMax);
        using var buffer = new MemoryStream((int)(request.ContentLength ?? 4096));
        var chunk = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(chunk, cancel)) > 0;)
        {
            if (buffer.Length + read > bytesMax) throw TooLarge(bytesMax);
            buffer.Write(chunk, 0, read);
        }
        return buffer.ToArray();
    }

    private static void RequireUtf8(byte[] bytes)
    {
        if (Utf8.IsValid(bytes)) return;
        var (line, column, at) = (1L, 1L, 0);
        while (Rune.DecodeFromUtf8(bytes.AsSpan(at), out var rune, out var length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + length);
        }
        throw Malformed("The text is no UTF-8.", line, column);
    }

    private static Problem TooLarge(int bytesMax) => new(413, "request.too_large", "The body is too long.", $"This route takes at most {bytesMax} bytes.");

    private static Problem Malformed(string message, long line, long column) =>
        new(400, "request.malformed", "The body cannot be read.", $"line {line}, column {column}: {message}",
            [new ProblemError { Code = "request.malformed", Message = message, Line = (int)line, Column = (int)column }]);
}
