using Millrace.Jq;

namespace Millrace.Workflows.Schema;

/// <summary>A compiled JSON Schema, draft 2020-12. Immutable, safe for concurrent use.</summary>
public sealed class JsonSchema
{
    private JsonSchema(Json source) => Source = source;

    public Json Source { get; }

    /// <exception cref="JsonSchemaException">The document is no schema this compiler accepts; the pointer says where.</exception>
    public static JsonSchema Compile(Json schema) => throw new NotSupportedException(schema.ToString());

    /// <returns>No items when the instance is valid; at most <paramref name="errorsMax"/> otherwise.</returns>
    public IReadOnlyList<SchemaError> Validate(Json instance, int errorsMax = 20) => throw new NotSupportedException();
}

/// <param name="Instance">JSON pointer into the instance.</param>
/// <param name="Schema">JSON pointer into the schema document, through references.</param>
public sealed record SchemaError(string Instance, string Schema, string Keyword, string Message);

public sealed class JsonSchemaException(string pointer, string message) : Exception(message)
{
    public string Pointer { get; } = pointer;
}
