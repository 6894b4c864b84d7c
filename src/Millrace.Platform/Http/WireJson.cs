using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Http;

/// <summary>How values look on the wire: camelCase, absent instead of null, times in UTC with microseconds, JSON values unchanged.</summary>
public static class WireJson
{
    public static readonly JsonSerializerOptions Options = Configure(new JsonSerializerOptions());

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DictionaryKeyPolicy = null;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = JsonText.DepthMax + 16;
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { TellNulls } };
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.Converters.Add(new JsonValueConverter());
        options.Converters.Add(new TimeConverter());
        return options;
    }

    /// <summary>Whether a member is there even when its value is null; others are absent then.</summary>
    internal static bool TellsNull(JsonPropertyInfo property) =>
        (property.DeclaringType == typeof(GraphEdge) && property.Name != "label") || (property.DeclaringType == typeof(GraphNode) && property.Name == "parent")
        || property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), false) is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.Never }];

    /// <summary>In a graph null means something: the top, the way in, the way out. Its types belong to the workflow language, which knows nothing of the wire.</summary>
    private static void TellNulls(JsonTypeInfo type)
    {
        if (type.Type != typeof(GraphNode) && type.Type != typeof(GraphEdge)) return;
        foreach (var property in type.Properties.Where(TellsNull)) property.ShouldSerialize = static (_, _) => true;
    }

    /// <summary>A JSON value as itself; numbers keep their text.</summary>
    private sealed class JsonValueConverter : JsonConverter<Json>
    {
        public override bool HandleNull => true;

        public override Json Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return JsonText.Parse(document.RootElement.GetRawText());
        }

        public override void Write(Utf8JsonWriter writer, Json value, JsonSerializerOptions options) => JsonText.Write(value, writer);
    }

    /// <summary>RFC 3339, UTC, microseconds: what the store keeps, no more and no less.</summary>
    private sealed class TimeConverter : JsonConverter<DateTimeOffset>
    {
        private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            DateTimeOffset.Parse(reader.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture));
    }
}

/// <summary>Unix microseconds, as the store keeps times.</summary>
public static class Micros
{
    public static DateTimeOffset ToTime(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    public static long Of(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
