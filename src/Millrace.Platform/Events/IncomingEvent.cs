using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Millrace.Engine.Events;
using Millrace.Jq;
using Millrace.Platform.Http;

namespace Millrace.Platform.Events;

/// <summary>Checks one event in the JSON format of CloudEvents 1.0.2 and brings it into the form in which it is kept (spec.md, formats/json-format.md).</summary>
/// <param name="place">Where the event stands: a JSON pointer into the body, or, for one in headers, null.</param>
internal sealed class IncomingEvent(Json given, string? place, List<ProblemError> errors)
{
    /// <summary>Bytes of one event in its JSON format.</summary>
    public const int BytesMax = 1 << 20;

    private const int NameCharsMax = 100;
    private static readonly string[] Core = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"];

    private readonly JsonObject.Builder _built = new(12);

    /// <returns>Null when something is wrong, which has been added to the errors.</returns>
    public Json? Checked()
    {
        var before = errors.Count;
        if (given.ObjectOrNull is not { } members)
        {
            Add("", "An event is an object.", "an object with specversion, id, source and type");
            return null;
        }
        if (Text("specversion", 10, required: true) is { } version && version != "1.0") Add("specversion", $"Version {version} of CloudEvents is not known here.", "1.0");
        Text("id", EventLog.IdBytesMax, required: true);
        if (Text("source", EventLog.SourceBytesMax, required: true) is { } source && !IsReference(source, UriKind.RelativeOrAbsolute)) Add("source", "This is no URI reference.", "a URI reference");
        Text("type", EventLog.TypeBytesMax, required: true);
        Text("subject", EventLog.SubjectBytesMax, required: false);
        if (Text("time", 64, required: false) is { } time && !IsTime(time)) Add("time", $"'{time}' is no time.", "a time as RFC 3339 writes it, such as 2026-11-20T15:04:05Z");
        if (Text("datacontenttype", 255, required: false) is { } type && !MediaTypeHeaderValue.TryParse(type, out _)) Add("datacontenttype", $"'{type}' is no media type.", "a media type");
        if (Text("dataschema", 2048, required: false) is { } schema && !IsReference(schema, UriKind.Absolute)) Add("dataschema", "This is no URI.", "an absolute URI");
        foreach (var (name, value) in members.Members)
            if (!Core.Contains(name, StringComparer.Ordinal) && !value.IsNull) Extension(name, value);
        Data(members);
        if (errors.Count > before) return null;
        Json built = _built.Build();
        var bytes = JsonText.ToUtf8(built).Length;
        if (bytes <= BytesMax) return built;
        Add("", string.Create(CultureInfo.InvariantCulture, $"The event has {bytes} bytes; at most {BytesMax} are taken."), null);
        return null;
    }

    private void Data(JsonObject members)
    {
        var (hasData, hasBytes) = (members.TryGet("data", out var data), members.TryGet("data_base64", out var bytes));
        if (hasData) _built.Set("data", data);
        if (!hasBytes) return;
        if (hasData) Add("data_base64", "An event has data or data_base64, not both.", "one of data and data_base64");
        else if (bytes.StringOrNull is { } text && Convert.TryFromBase64String(text, new byte[text.Length], out _)) _built.Set("data_base64", bytes);
        else Add("data_base64", "This is no Base64.", "bytes in Base64");
    }

    private void Extension(string name, Json value)
    {
        if (name.Length > NameCharsMax || !name.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9'))
            Add(name, $"The name of an attribute is 1 to {NameCharsMax} characters of a to z and 0 to 9.", "an attribute such as orderid");
        else if (value.StringOrNull is { } text ? IsClean(text) : value.IsBoolean || (value.IsNumber && value.AsNumber() is >= int.MinValue and <= int.MaxValue and var n && Math.Floor(n) == n)) _built.Set(name, value);
        else Add(name, "The value of an attribute is a text without control characters, a boolean, or an integer of 32 bits.", "a string, true, false or an integer");
    }

    private string? Text(string name, int bytesMax, bool required)
    {
        var value = given[name];
        if (value.IsNull)
        {
            if (required) Add(name, $"'{name}' is missing.", "a string that is not empty");
            return null;
        }
        if (value.StringOrNull is not { } text) Add(name, $"'{name}' is no string.", "a string");
        else if (text.Length == 0) Add(name, $"'{name}' is empty.", "a string that is not empty");
        else if (!IsClean(text)) Add(name, $"'{name}' holds control characters.", "a string without control characters");
        else if (Encoding.UTF8.GetByteCount(text) > bytesMax) Add(name, $"'{name}' is too long.", $"at most {bytesMax} bytes of UTF-8");
        else
        {
            _built.Set(name, value);
            return text;
        }
        return null;
    }

    private void Add(string name, string message, string? expected) => errors.Add(place is null
        ? new ProblemError { Code = "event.invalid", Message = message, Parameter = name.Length == 0 ? null : $"ce-{name}", Expected = expected }
        : new ProblemError { Code = "event.invalid", Message = message, Pointer = name.Length == 0 ? place : $"{place}/{Workflows.Graph.Pointer.Escape(name)}", Expected = expected });

    /// <summary>What an attribute may hold.</summary>
    internal static bool IsClean(string text) => !text.Any(char.IsControl) && IsPaired(text);

    /// <summary>A half of a pair alone is no character, and cannot be written as UTF-8.</summary>
    private static bool IsPaired(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }
        return true;
    }

    private static bool IsReference(string text, UriKind kind) => !text.Any(char.IsWhiteSpace) && Uri.TryCreate(text, kind, out _);

    /// <summary>RFC 3339 wants date, time and offset; the parser alone would take a date without them.</summary>
    private static bool IsTime(string text) => text.Length >= 20 && text[10] is 'T' or 't' && (text[^1] is 'Z' or 'z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
