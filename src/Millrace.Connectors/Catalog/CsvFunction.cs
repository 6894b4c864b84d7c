using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Catalog;

/// <summary>
/// Reads comma-separated text (RFC 4180). Arguments: <c>text</c>; <c>header</c> (default true: the first record names the columns and rows are objects;
/// false: rows are lists); <c>delimiter</c> (default a comma). Output: <c>rows</c>, all fields as strings, and <c>errors</c>, a list of
/// <c>{line, reason}</c> with the line of the text on which the record starts. A record with an error is not among the rows; the others are.
/// </summary>
internal sealed class CsvFunction(CatalogSettings settings) : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("csv", "1.0.0", Capability.Compute, Idempotency.Pure, Lane.Cpu)
    {
        Summary = "Reads comma-separated text.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["text"],
              "additionalProperties": false,
              "properties": {
                "text": {"type": "string"},
                "header": {"type": "boolean"},
                "delimiter": {"type": "string", "minLength": 1, "maxLength": 1}
              }
            }
            """),
        OutputSchema = JsonText.Parse("""{"type": "object", "required": ["rows", "errors"]}"""),
    };

    protected override ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var delimiter = arguments.TextOrNull("delimiter") ?? ",";
        if (delimiter.Length != 1 || delimiter[0] is '"' or '\r' or '\n') throw arguments.Invalid("delimiter", "has to be one character, and neither a quote nor a line break.");
        var rows = new List<Json>();
        var errors = new List<Json>();
        string[]? names = null;
        var width = -1;
        var header = arguments.Flag("header", otherwise: true);
        foreach (var record in CsvText.Read(arguments.Text("text"), delimiter[0]))
        {
            cancel.ThrowIfCancellationRequested();
            if (rows.Count + errors.Count >= settings.CsvRowsMax) throw Refusal.Configuration("Text too long", $"The text has more than {settings.CsvRowsMax} records.");
            if (header && names is null)
            {
                names = Header(record);
                width = names.Length;
                continue;
            }
            if (width < 0 && record.Error is null) width = record.Fields.Count;
            if ((record.Error ?? Ragged(record, width)) is { } reason) errors.Add(Json.Object("line", record.Line, "reason", reason));
            else rows.Add(names is null ? JsonArray.Of(record.Fields.Select(f => Json.Of(f)).ToArray()) : Row(names, record.Fields));
        }
        return ValueTask.FromResult(Json.Object("rows", JsonArray.Of(rows), "errors", JsonArray.Of(errors)));
    }

    /// <exception cref="Refusal">Without names for the columns no row can be read.</exception>
    private static string[] Header(CsvRecord record)
    {
        var names = record.Fields.ToArray();
        var twice = names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
        var reason = record.Error
            ?? (names.Contains("") ? $"column {Array.IndexOf(names, "") + 1} has no name" : null)
            ?? (twice is null ? null : $"the column '{twice}' stands twice");
        return reason is null ? names : throw Refusal.Configuration("Header invalid", $"The header at line {record.Line} cannot be used: {reason}.");
    }

    private static string? Ragged(CsvRecord record, int width) =>
        record.Fields.Count == width ? null : $"{record.Fields.Count} fields where {width} are expected";

    private static JsonObject Row(string[] names, IReadOnlyList<string> fields)
    {
        var row = new JsonObject.Builder(names.Length);
        for (var i = 0; i < names.Length; i++) row.Set(names[i], fields[i]);
        return row.Build();
    }
}
