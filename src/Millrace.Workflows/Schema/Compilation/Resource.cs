using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>One document: the one compiled, or one that it refers to.</summary>
/// <param name="uri">Where it was found; empty for the one compiled.</param>
internal sealed class SchemaDocument(string uri, Json root, bool isMain)
{
    public string Uri { get; } = uri;

    public Json Root { get; } = root;

    public bool IsMain { get; } = isMain;

    /// <summary>The schemas in it, by JSON pointer.</summary>
    public Dictionary<string, Place> Places { get; } = new(StringComparer.Ordinal);

    public JsonSchemaException Wrong(string pointer, string message) => new(IsMain ? pointer : $"{Uri}#{pointer}", message);
}

/// <summary>A document's root, or a schema in it that has its own <c>$id</c>: what relative references and anchors relate to.</summary>
internal sealed class Resource(SchemaDocument document, string uri, string pointer, Dialect dialect)
{
    public SchemaDocument Document { get; } = document;

    public string Uri { get; } = uri;

    /// <summary>Where it begins in its document.</summary>
    public string Pointer { get; } = pointer;

    public Dialect Dialect { get; } = dialect;

    /// <summary>Both kinds of anchors.</summary>
    public Dictionary<string, Place> Anchors { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Place> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}

/// <summary>A schema at its place in a document.</summary>
internal sealed class Place(Json value, string pointer, Resource resource)
{
    public Json Value { get; } = value;

    public string Pointer { get; } = pointer;

    public Resource Resource { get; } = resource;

    /// <summary>Set once something needs it compiled.</summary>
    public SchemaNode? Node { get; set; }

    public JsonSchemaException Wrong(string keyword, string message) =>
        Resource.Document.Wrong($"{Pointer}/{Graph.Pointer.Escape(keyword)}", message);

    public JsonSchemaException Wrong(string keyword, string member, string message) =>
        Resource.Document.Wrong($"{Pointer}/{Graph.Pointer.Escape(keyword)}/{Graph.Pointer.Escape(member)}", message);
}
