using System.Globalization;
using System.Net.Http.Headers;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Events;

/// <summary>Builds events in the JSON format of CloudEvents 1.0.2 (spec.md, Context Attributes; formats/json-format.md).</summary>
internal static class CloudEvent
{
    private const int NameCharsMax = 20;
    private static readonly string[] Core = ["id", "source", "type", "specversion", "time", "subject", "datacontenttype", "dataschema", "data"];

    public static Json Build(Arguments properties, FunctionContext context)
    {
        if (properties.TextOrNull("specversion") is not (null or "1.0")) throw properties.Invalid("specversion", "has to be 1.0.");
        var built = new JsonObject.Builder()
            .Set("specversion", "1.0")
            .Set("id", Filled(properties, "id") ?? StepId.Of(context))
            .Set("source", Reference(properties, "source") ?? $"/workspaces/{context.Workspace}/runs/{context.Run}")
            .Set("type", Filled(properties, "type") ?? throw properties.Missing("type"))
            .Set("time", Time(properties) ?? context.Time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
        if (Filled(properties, "subject") is { } subject) built.Set("subject", subject);
        built.Set("datacontenttype", ContentType(properties) ?? "application/json");
        if (Reference(properties, "dataschema") is { } schema) built.Set("dataschema", schema);
        foreach (var (name, value) in properties.Value.AsObject())
            if (!Core.Contains(name, StringComparer.Ordinal) && !value.IsNull) built.Set(ExtensionName(properties, name), ExtensionValue(properties, name, value));
        if (properties.Value.AsObject().Has("data")) built.Set("data", properties["data"]);
        return built.Build();
    }

    private static string? Filled(Arguments properties, string name) =>
        properties.TextOrNull(name) is not { } text ? null : text.Length > 0 ? text : throw properties.Invalid(name, "may not be empty.");

    private static string? Reference(Arguments properties, string name) =>
        Filled(properties, name) is not { } text ? null
        : Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _) && !text.Any(char.IsWhiteSpace) ? text
        : throw properties.Invalid(name, "has to be a URI reference.");

    private static string? Time(Arguments properties)
    {
        if (Filled(properties, "time") is not { } text) return null;
        // RFC 3339 wants date, time and offset; the parser alone would take a date without them.
        return text.Length >= 20 && text[10] is 'T' or 't' && (text[^1] is 'Z' or 'z' || text[^6] is '+' or '-')
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? text : throw properties.Invalid("time", "has to be a time as RFC 3339 writes it, such as 2026-11-20T15:04:05Z.");
    }

    private static string? ContentType(Arguments properties) =>
        Filled(properties, "datacontenttype") is not { } text ? null
        : MediaTypeHeaderValue.TryParse(text, out _) ? text
        : throw properties.Invalid("datacontenttype", "has to be a media type.");

    private static string ExtensionName(Arguments properties, string name) =>
        name.Length is > 0 and <= NameCharsMax && name.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9') ? name
        : throw properties.Invalid(name, $"cannot be an attribute of an event: its name has to be 1 to {NameCharsMax} characters of a to z and 0 to 9.");

    private static Json ExtensionValue(Arguments properties, string name, Json value) => value switch
    {
        { IsString: true } or { IsBoolean: true } => value,
        { IsNumber: true } when value.AsNumber() is >= int.MinValue and <= int.MaxValue and var number && Math.Floor(number) == number => value,
        _ => throw properties.Invalid(name, "has to be a string, a boolean, or an integer of 32 bits, as attributes of events are."),
    };
}
