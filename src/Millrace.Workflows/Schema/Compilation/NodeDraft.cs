using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>The keywords of one schema as they are collected. Their forms were checked before.</summary>
internal sealed class NodeDraft(Place place, JsonObject source, Func<Place, SchemaNode> nodeOf)
{
    public List<Keyword> Keywords { get; } = [];

    /// <summary>False also for a keyword that the dialect does not know.</summary>
    public bool TryGet(string keyword, out Json value)
    {
        value = default;
        return KeywordRule.Find(keyword) is { } rule && place.Resource.Dialect.Knows(rule) && source.TryGet(keyword, out value);
    }

    /// <summary>The schema that is the argument of a keyword.</summary>
    public SchemaNode? Single(string keyword) => TryGet(keyword, out _) ? At($"{place.Pointer}/{keyword}") : null;

    public SchemaNode[] List(string keyword) => TryGet(keyword, out var list)
        ? [.. Enumerable.Range(0, list.AsArray().Count).Select(i => At($"{place.Pointer}/{keyword}/{i}"))]
        : [];

    public KeyValuePair<string, SchemaNode>[] Map(string keyword)
    {
        if (!TryGet(keyword, out var map)) return [];
        var nodes = new List<KeyValuePair<string, SchemaNode>>();
        foreach (var (name, value) in map.AsObject().Members)
            if (KeywordForm.IsSchema(value)) nodes.Add(new(name, At($"{place.Pointer}/{keyword}/{Graph.Pointer.Escape(name)}")));
        return [.. nodes];
    }

    private SchemaNode At(string pointer) => nodeOf(place.Resource.Document.Places[pointer]);
}
