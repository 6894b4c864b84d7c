using System.Globalization;
using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>Finds the schema a reference names: in the document, in the documents given, in the metaschema; never elsewhere.</summary>
internal sealed class SchemaLibrary
{
    private readonly Dictionary<string, Resource> _resources = new(StringComparer.Ordinal);
    private readonly JsonSchemaOptions _options;
    private readonly DocumentIndex _index;
    private bool _allIndexed;

    public SchemaLibrary(Json main, JsonSchemaOptions options)
    {
        _options = options;
        _index = new DocumentIndex(Add, ReadDialect);
        Main = new SchemaDocument("", main, isMain: true);
        _index.AddDocument(Main);
    }

    public SchemaDocument Main { get; }

    /// <param name="place">Where the reference stands.</param>
    /// <exception cref="JsonSchemaException">It leads nowhere.</exception>
    public Place Resolve(Place place, string keyword, string reference)
    {
        var (uri, fragment) = SchemaUri.SplitFragment(SchemaUri.Resolve(place.Resource.Uri, reference));
        var resource = Find(uri)
            ?? throw place.Wrong(keyword, $"the reference leads to the document '{uri}', which is not known; documents are not fetched");
        if (string.IsNullOrEmpty(fragment)) return resource.Document.Places[resource.Pointer];
        var name = Uri.UnescapeDataString(fragment);
        if (!name.StartsWith('/'))
        {
            return resource.Anchors.TryGetValue(name, out var anchored)
                ? anchored
                : throw place.Wrong(keyword, $"the reference leads nowhere: there is no anchor '{name}'");
        }
        return Follow(resource, name, out var fault) ?? throw place.Wrong(keyword, $"the reference leads nowhere: {fault}");
    }

    private Resource? Find(string uri)
    {
        if (_resources.TryGetValue(uri, out var known)) return known;
        if (_options.Documents.TryGetValue(uri, out var document)) return AddDocument(uri, document);
        if (MetaSchema.Find(uri) is { } metaSchema) return AddDocument(uri, metaSchema);
        if (_allIndexed) return null;
        // An $id inside a document that was not needed so far may still be the one.
        _allIndexed = true;
        foreach (var (other, root) in _options.Documents)
            if (!_resources.ContainsKey(other)) TryAddDocument(other, root);
        return _resources.GetValueOrDefault(uri);
    }

    private Resource AddDocument(string uri, Json root)
    {
        _index.AddDocument(new SchemaDocument(uri, root, isMain: false));
        return _resources[uri];
    }

    /// <summary>A document nobody named may be of another draft; then it has nothing to offer.</summary>
    private void TryAddDocument(string uri, Json root)
    {
        try
        {
            AddDocument(uri, root);
        }
        catch (JsonSchemaException)
        {
            _resources.Remove(uri);
        }
    }

    private bool Add(string uri, Resource resource) => _resources.TryAdd(uri, resource);

    /// <summary>Follows a JSON pointer from a resource; what it leads to need not lie where schemas are expected.</summary>
    private Place? Follow(Resource resource, string pointer, out string fault)
    {
        var document = resource.Document;
        var place = document.Places[resource.Pointer];
        var value = place.Value;
        var at = resource.Pointer;
        foreach (var token in pointer[1..].Split('/'))
        {
            var name = Graph.Pointer.Unescape(token);
            if (!Step(value, name, out value))
            {
                fault = $"'{pointer}' stops at '{name}', which does not exist";
                return null;
            }
            at = $"{at}/{Graph.Pointer.Escape(name)}";
            if (document.Places.TryGetValue(at, out var known)) place = known;
        }
        fault = $"what stands at '{pointer}' is no schema";
        if (place.Pointer == at) return place;
        if (!KeywordForm.IsSchema(value)) return null;
        _index.AddSchema(value, at, place.Resource);
        return document.Places[at];
    }

    private static bool Step(Json value, string name, out Json next)
    {
        if (value.ObjectOrNull is { } members) return members.TryGet(name, out next);
        next = default;
        if (value.ArrayOrNull is not { } items) return false;
        // RFC 6901 §4: digits without a leading zero.
        if (name.Length > 1 && name[0] == '0') return false;
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at >= items.Count) return false;
        next = items[at];
        return true;
    }

    /// <summary>The vocabularies of a metaschema, by its URI (core §8.1).</summary>
    /// <returns>Null when the metaschema is not known; then <paramref name="fault"/> says so.</returns>
    private Dialect? ReadDialect(string uri, out string fault)
    {
        fault = "";
        if (uri.TrimEnd('#') == MetaSchema.Uri) return Dialect.Standard;
        if (!_options.Documents.TryGetValue(uri, out var metaSchema))
        {
            fault = $"expected {MetaSchema.Uri} or a metaschema that was given; '{uri}' is another draft or unknown";
            return null;
        }
        if (metaSchema["$vocabulary"].ObjectOrNull is not { } declared) return Dialect.Standard;
        var vocabularies = Vocabularies.Core;
        foreach (var (name, required) in declared.Members)
        {
            if (MetaSchema.Vocabulary(name) is { } known) vocabularies |= known;
            else if (required.IsTruthy)
            {
                fault = $"the metaschema '{uri}' requires the vocabulary '{name}', which is not known";
                return null;
            }
        }
        return new Dialect(vocabularies);
    }
}
