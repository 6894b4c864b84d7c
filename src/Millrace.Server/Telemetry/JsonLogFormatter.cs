using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Millrace.Server.Telemetry;

/// <summary>
/// One JSON object a line: <c>time level category message</c>, then the fields of the message and of its scopes in camelCase (<c>run step
/// workspace traceId …</c>), each once, and <c>exception</c>. Values are text, numbers and booleans.
/// </summary>
internal sealed class JsonLogFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "millrace-json";

    private static readonly string[] Levels = ["trace", "debug", "information", "warning", "error", "critical"];
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            var fields = new Fields(json);
            json.WriteStartObject();
            fields.Write("time", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            fields.Write("level", Levels[Math.Min((int)logEntry.LogLevel, Levels.Length - 1)]);
            fields.Write("category", logEntry.Category);
            fields.Write("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            fields.WriteAll(logEntry.State);
            scopeProvider?.ForEachScope(static (scope, fields) => fields.WriteAll(scope), fields);
            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Source.Name.Length: > 0 } span) fields.Write("TraceId", span.TraceId.ToHexString());
            if (logEntry.Exception is { } e) fields.Write("exception", e.ToString());
            json.WriteEndObject();
        }
        textWriter.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>Writes members, and each name once: the message's own field wins over a scope's.</summary>
    private sealed class Fields(Utf8JsonWriter json)
    {
        private readonly HashSet<string> _written = new(StringComparer.Ordinal);

        public void WriteAll(object? state)
        {
            if (state is not IEnumerable<KeyValuePair<string, object?>> fields) return;
            foreach (var (name, value) in fields)
                if (name != "{OriginalFormat}" && value is not null) Write(name, value);
        }

        public void Write(string name, object value)
        {
            name = JsonNamingPolicy.CamelCase.ConvertName(name);
            if (!_written.Add(name)) return;
            switch (value)
            {
                case bool b: json.WriteBoolean(name, b); break;
                case int or long or short or byte or uint: json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
                case double d when double.IsFinite(d): json.WriteNumber(name, d); break;
                default: json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture)); break;
            }
        }
    }
}
