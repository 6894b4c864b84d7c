using Millrace.Jq;
using Millrace.Workflows.Schema.Compilation;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema;

/// <summary>
/// A compiled JSON Schema, draft 2020-12 (draft-bhutton-json-schema-01 and -validation-01). Immutable, safe for
/// concurrent use. Nothing is ever fetched: a reference leads into the document itself, into
/// <see cref="JsonSchemaOptions.Documents"/>, or to the draft's own metaschema.
/// </summary>
public sealed class JsonSchema
{
    private readonly SchemaNode _root;

    private JsonSchema(Json source, SchemaNode root)
    {
        Source = source;
        _root = root;
    }

    public Json Source { get; }

    /// <summary>Checks the whole document, also the parts no instance may ever reach.</summary>
    /// <exception cref="JsonSchemaException">The document is no schema this compiler accepts; the pointer says where.</exception>
    public static JsonSchema Compile(Json schema, JsonSchemaOptions? options = null) =>
        new(schema, SchemaCompiler.Compile(schema, options ?? JsonSchemaOptions.Default));

    /// <summary>The fast path: stops at the first failure and, for most schemas, allocates nothing.</summary>
    /// <returns>False also when a limit of <see cref="SchemaLimits"/> was reached.</returns>
    public bool IsValid(Json instance) => Evaluation.IsValid(_root, instance);

    /// <summary>
    /// Explains why an instance is refused. Messages name kinds, sizes and numbers of the instance, but never repeat
    /// its strings, so that they can be logged. Where a limit was reached, one item has its name as
    /// <see cref="SchemaError.Keyword"/> (see <see cref="SchemaLimits"/>).
    /// </summary>
    /// <returns>No items when the instance is valid; at most <paramref name="errorsMax"/> otherwise.</returns>
    public IReadOnlyList<SchemaError> Validate(Json instance, int errorsMax = 20) =>
        Evaluation.Explain(_root, instance, Math.Clamp(errorsMax, 1, SchemaLimits.ErrorsMax));

    /// <summary>What the schema says of one place inside its instances, without an instance.</summary>
    /// <param name="path">Property names (strings), item positions (numbers), and <c>null</c> for any item.</param>
    public SchemaShape ShapeAt(params ReadOnlySpan<Json> path) => ShapeWalk.At(_root, path);
}

/// <param name="Instance">JSON pointer into the instance.</param>
/// <param name="Schema">JSON pointer into the schema document, through references.</param>
/// <param name="Keyword">The keyword that refused, or the name of a limit.</param>
public sealed record SchemaError(string Instance, string Schema, string Keyword, string Message);

/// <summary>The document is no schema. The pointer is one into the document, or <c>uri#pointer</c> for a document referred to.</summary>
public sealed class JsonSchemaException(string pointer, string message) : Exception(message)
{
    public string Pointer { get; } = pointer;
}
