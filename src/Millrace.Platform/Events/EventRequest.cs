using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Millrace.Jq;
using Millrace.Platform.Http;

namespace Millrace.Platform.Events;

/// <summary>
/// Reads a request in one of the three modes of the HTTP binding of CloudEvents 1.0.2: one event as JSON, a batch of them, or one whose
/// attributes are headers and whose data is the body.
/// </summary>
internal static class EventRequest
{
    public const string One = "application/cloudevents+json";
    public const string Batch = "application/cloudevents-batch+json";
    public const int BatchMax = 1000;

    private const string Prefix = "ce-";

    /// <exception cref="Problem">415, 413, or 400 with the place of each error.</exception>
    public static async Task<IReadOnlyList<Json>> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        var errors = new List<ProblemError>();
        var events = await ReadAsync(request, errors, cancel);
        if (errors.Count > 0) throw Problem.Body400(errors.Count > 20 ? errors[..20] : errors);
        return events;
    }

    private static async Task<IReadOnlyList<Json>> ReadAsync(HttpRequest request, List<ProblemError> errors, CancellationToken cancel)
    {
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed.MediaType.Value?.ToLowerInvariant() : null;
        if (type == Batch)
        {
            var batch = await RequestBody.JsonAsync(request, RequestBody.JsonBytesMax, cancel, Batch);
            if (batch.ArrayOrNull is not { } list) throw Wrong("A batch is an array of events.", "an array of events");
            if (list.Count > BatchMax) throw Wrong($"The batch holds {list.Count} events.", $"at most {BatchMax} events");
            return [.. list.Select((e, i) => new IncomingEvent(e, $"/{i}", errors).Checked()).OfType<Json>()];
        }
        if (type == One || !request.Headers.Keys.Any(k => k.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)))
            return Single(new IncomingEvent(await RequestBody.JsonAsync(request, IncomingEvent.BytesMax, cancel, One, Batch), "", errors));
        var body = await RequestBody.BytesAsync(request, IncomingEvent.BytesMax, cancel);
        return Single(new IncomingEvent(OfHeaders(request, type, body, errors), null, errors));
    }

    private static IReadOnlyList<Json> Single(IncomingEvent one) => one.Checked() is { } json ? [json] : [];

    private static Json OfHeaders(HttpRequest request, string? type, byte[] body, List<ProblemError> errors)
    {
        var built = new JsonObject.Builder();
        foreach (var (name, values) in request.Headers)
        {
            if (!name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;
            var attribute = name[Prefix.Length..].ToLowerInvariant();
            if (values.Count == 1) built.Set(attribute, Decoded(values.ToString()));
            else errors.Add(new ProblemError { Code = "event.invalid", Message = "It is given more than once.", Parameter = name });
        }
        if (!string.IsNullOrEmpty(request.ContentType)) built.Set("datacontenttype", request.ContentType);
        if (body.Length == 0) return built.Build();
        if (type is null or "application/json" || type.EndsWith("+json", StringComparison.Ordinal)) built.Set("data", RequestBody.ParseJson(body));
        else if (type.StartsWith("text/", StringComparison.Ordinal) && Utf8.IsValid(body)) built.Set("data", Encoding.UTF8.GetString(body));
        else built.Set("data_base64", Convert.ToBase64String(body));
        return built.Build();
    }

    /// <summary>Headers hold ASCII, and all else percent-encoded as UTF-8 (HTTP binding, 3.1.3.2).</summary>
    private static string Decoded(string value)
    {
        var text = value.Trim();
        if (text is ['"', .., '"']) text = text[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        return Uri.UnescapeDataString(text);
    }

    private static Problem Wrong(string message, string expected) =>
        Problem.Body400([new ProblemError { Code = "event.invalid", Message = message, Pointer = "", Expected = expected }]);
}
