using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Jq;

namespace Millrace.Connectors.Grpc;

/// <summary>The messages of google.protobuf that JSON writes in a form of their own (ProtoJSON Format), turned into their fields and back.</summary>
internal static partial class WellKnown
{
    public const string NullValue = "google.protobuf.NullValue";

    private const string Prefix = "google.protobuf.";
    private const string TypeKey = "@type";
    private static readonly string[] Wrappers = ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"];

    public static bool TakesNull(ProtoField field) => field is { IsRepeated: false, Message.Name: "google.protobuf.Value" } || field.Enum?.Name == NullValue;

    public static Json ToMessage(ProtoSchema schema, ProtoMessage message, Json value, string pointer)
    {
        if (!message.Name.StartsWith(Prefix, StringComparison.Ordinal)) return value;
        switch (message.Name[Prefix.Length..])
        {
            case "Timestamp": return Instant(value, pointer);
            case "Duration": return Length(value, pointer);
            case "FieldMask":
                var paths = value.StringOrNull ?? throw Arguments.Wrong(pointer, "paths of fields, with commas between", value);
                return Json.Object("paths", JsonArray.Of(paths.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(p => (Json)Snake(p.Trim())).ToList()));
            case "Struct": return Json.Object("fields", value.IsObject ? value : throw Arguments.Wrong(pointer, "an object", value));
            case "ListValue": return Json.Object("values", value.IsArray ? value : throw Arguments.Wrong(pointer, "a list", value));
            case "Value": return Json.Object(MemberFor(value), value.IsNull ? 0 : value);
            case "Any": return Any(schema, value, pointer);
            case var name when IsWrapper(name): return Json.Object("value", value);
            default: return value;
        }
    }

    /// <param name="fields">The message by its fields, defaults included.</param>
    public static Json ToJson(ProtoSchema schema, ProtoMessage message, Json fields, bool any)
    {
        if (!message.Name.StartsWith(Prefix, StringComparison.Ordinal)) return fields;
        switch (message.Name[Prefix.Length..])
        {
            case "Timestamp": return Instant(fields);
            case "Duration": return Length(fields);
            case "FieldMask": return string.Join(',', fields["paths"].AsArray().Select(p => Camel(p.AsString())));
            case "Struct": return fields["fields"];
            case "ListValue": return fields["values"];
            case "Value": return any ? fields.AsObject().Members[0].Value : Json.Null;
            case "Any": return Any(schema, fields);
            case var name when IsWrapper(name): return fields["value"];
            default: return fields;
        }
    }

    private static bool IsWrapper(string name) => name.EndsWith("Value", StringComparison.Ordinal) && Wrappers.Contains(name[..^5], StringComparer.Ordinal);

    private static bool HasOwnForm(string name) => name.StartsWith(Prefix, StringComparison.Ordinal)
        && (IsWrapper(name[Prefix.Length..]) || name[Prefix.Length..] is "Timestamp" or "Duration" or "FieldMask" or "Struct" or "ListValue" or "Value" or "Any");

    private static string MemberFor(Json value) => value.Kind switch
    {
        JsonKind.Null => "nullValue",
        JsonKind.Number => "numberValue",
        JsonKind.String => "stringValue",
        JsonKind.True or JsonKind.False => "boolValue",
        JsonKind.Object => "structValue",
        _ => "listValue",
    };

    private static Json Instant(Json value, string pointer)
    {
        var match = Rfc3339().Match(value.StringOrNull ?? "");
        if (!match.Success || !DateTimeOffset.TryParse($"{match.Groups[1].Value}{match.Groups[3].Value}", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            throw Arguments.Wrong(pointer, "a time as RFC 3339 writes it", value);
        return Json.Object("seconds", time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), "nanos", Nanos(match.Groups[2].Value));
    }

    private static string Instant(Json fields)
    {
        var seconds = long.Parse(fields["seconds"].AsString(), CultureInfo.InvariantCulture);
        if (seconds is < -62135596800 or > 253402300799)
            throw Refusal.Communication(502, "Response invalid", "The server sent a time that is not of the years 1 to 9999.");
        return DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) + Fraction((int)fields["nanos"].AsNumber()) + "Z";
    }

    private static Json Length(Json value, string pointer)
    {
        var match = Seconds().Match(value.StringOrNull ?? "");
        if (!match.Success) throw Arguments.Wrong(pointer, "a duration in seconds, such as 1.5s", value);
        var sign = match.Groups[1].Value;
        var nanos = Nanos(match.Groups[3].Value);
        return Json.Object("seconds", sign + match.Groups[2].Value, "nanos", sign.Length > 0 ? -nanos : nanos);
    }

    private static string Length(Json fields)
    {
        var (seconds, nanos) = (fields["seconds"].AsString(), (int)fields["nanos"].AsNumber());
        var sign = seconds.StartsWith('-') || nanos < 0 ? "-" : "";
        return $"{sign}{seconds.TrimStart('-')}{Fraction(Math.Abs(nanos))}s";
    }

    private static int Nanos(string digits) => digits.Length == 0 ? 0 : int.Parse(digits.PadRight(9, '0'), CultureInfo.InvariantCulture);

    private static string Fraction(int nanos) => nanos == 0 ? ""
        : nanos % 1_000_000 == 0 ? $".{nanos / 1_000_000:000}" : nanos % 1000 == 0 ? $".{nanos / 1000:000000}" : $".{nanos:000000000}";

    private static Json Any(ProtoSchema schema, Json value, string pointer)
    {
        var url = value[TypeKey].StringOrNull ?? throw Refusal.Configuration("Argument missing", $"The argument {pointer}/{TypeKey} is missing.");
        var message = schema.Message(url[(url.LastIndexOf('/') + 1)..])
            ?? throw Refusal.Configuration("Argument invalid", $"The message '{url}' of {pointer} is in no file of the proto.");
        var inner = HasOwnForm(message.Name) ? value["value"] : Json.Of(value.AsObject().Without(TypeKey));
        return Json.Object("typeUrl", url, "value", Convert.ToBase64String(ProtoWriter.Write(schema, message, inner, pointer)));
    }

    private static Json Any(ProtoSchema schema, Json fields)
    {
        var url = fields["typeUrl"].AsString();
        // One whose message nobody has described stays as it came.
        if (schema.Message(url[(url.LastIndexOf('/') + 1)..]) is not { } message) return url.Length == 0 ? Json.EmptyObject : Json.Object(TypeKey, url, "value", fields["value"]);
        var inner = ProtoReader.Read(schema, message, Convert.FromBase64String(fields["value"].AsString()), 1);
        if (HasOwnForm(message.Name)) return Json.Object(TypeKey, url, "value", inner);
        return Json.Object([new(TypeKey, url), .. inner.AsObject()]);
    }

    private static string Snake(string path) => Upper().Replace(path, m => $"_{m.Value.ToLowerInvariant()}");

    private static string Camel(string path) => Underscore().Replace(path, m => m.Groups[1].Value.ToUpperInvariant());

    [GeneratedRegex(@"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();

    [GeneratedRegex(@"^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$", RegexOptions.CultureInvariant)]
    private static partial Regex Seconds();

    [GeneratedRegex("[A-Z]", RegexOptions.CultureInvariant)]
    private static partial Regex Upper();

    [GeneratedRegex("_([a-z])", RegexOptions.CultureInvariant)]
    private static partial Regex Underscore();
}
