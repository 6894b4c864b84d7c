using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

internal delegate Dialect? DialectReader(string uri, out string fault);

/// <summary>Walks a document once and notes its schemas, resources and anchors, wherever a known keyword holds a schema.</summary>
/// <param name="register">Takes a resource under its URI; false when another has it.</param>
internal sealed class DocumentIndex(Func<string, Resource, bool> register, DialectReader readDialect)
{
    public void AddDocument(SchemaDocument document)
    {
        Measure(document, document.Root, "", 0, 0);
        if (!KeywordForm.IsSchema(document.Root)) throw document.Wrong("", $"expected a schema (an object or a boolean), found {document.Root.Kind}");
        var dialect = document.Root["$schema"].StringOrNull is { } uri ? ReadDialect(document, "", uri) : Dialect.Standard;
        var resource = new Resource(document, document.Root["$id"].StringOrNull is { } id ? Identify(document.Uri, id) : document.Uri, "", dialect);
        register(document.Uri, resource);
        register(resource.Uri, resource);
        Note(document.Root, "", resource);
    }

    /// <summary>Notes a schema, and all in it, at a place where no known keyword holds one.</summary>
    public void AddSchema(Json value, string pointer, Resource around) => Walk(value, pointer, around);

    private void Walk(Json value, string pointer, Resource around)
    {
        var document = around.Document;
        if (!KeywordForm.IsSchema(value) || document.Places.ContainsKey(pointer)) return;
        var resource = around;
        // An $id with a fragment is refused when the schema is compiled.
        if (value["$id"].StringOrNull is { } id && !HasFragment(id))
        {
            var dialect = value["$schema"].StringOrNull is { } uri ? ReadDialect(document, pointer, uri) : around.Dialect;
            resource = new Resource(document, Identify(around.Uri, id), pointer, dialect);
            if (!register(resource.Uri, resource)) throw document.Wrong($"{pointer}/$id", $"another schema has the $id '{resource.Uri}'");
        }
        Note(value, pointer, resource);
    }

    private void Note(Json value, string pointer, Resource resource)
    {
        var place = new Place(value, pointer, resource);
        resource.Document.Places[pointer] = place;
        if (value.ObjectOrNull is not { } schema) return;
        NoteAnchor(place, "$anchor", isDynamic: false);
        NoteAnchor(place, "$dynamicAnchor", isDynamic: true);
        foreach (var (name, argument) in schema.Members)
        {
            if (KeywordRule.Find(name) is not { } rule) continue;
            var below = $"{pointer}/{name}";
            switch (rule.Form)
            {
                case Form.Schema:
                    Walk(argument, below, resource);
                    break;
                case Form.SchemaList when argument.ArrayOrNull is { } list:
                    for (var i = 0; i < list.Count; i++) Walk(list[i], $"{below}/{i}", resource);
                    break;
                case Form.SchemaMap or Form.PatternMap or Form.Dependencies when argument.ObjectOrNull is { } map:
                    foreach (var (key, member) in map.Members) Walk(member, $"{below}/{Graph.Pointer.Escape(key)}", resource);
                    break;
            }
        }
    }

    private static void NoteAnchor(Place place, string keyword, bool isDynamic)
    {
        if (place.Value[keyword].StringOrNull is not { } name) return;
        var anchors = place.Resource.Anchors;
        if (!anchors.TryAdd(name, place) && anchors[name] != place)
            throw place.Wrong(keyword, $"another schema has the anchor '{name}'");
        if (isDynamic) place.Resource.DynamicAnchors.TryAdd(name, place);
    }

    private Dialect ReadDialect(SchemaDocument document, string pointer, string uri) =>
        readDialect(uri, out var fault) ?? throw document.Wrong($"{pointer}/$schema", fault);

    /// <summary>An empty fragment, as earlier drafts wrote it, is none.</summary>
    public static bool HasFragment(string id) => !string.IsNullOrEmpty(SchemaUri.SplitFragment(id).Fragment);

    private static string Identify(string @base, string id) => SchemaUri.SplitFragment(SchemaUri.Resolve(@base, id)).Uri;

    private static int Measure(SchemaDocument document, Json value, string pointer, int depth, int count)
    {
        if (depth > SchemaLimits.NestingMax) throw document.Wrong(pointer, $"the schema nests deeper than {SchemaLimits.NestingMax}");
        if (++count > SchemaLimits.ValuesMax) throw document.Wrong("", $"the schema has more than {SchemaLimits.ValuesMax} values");
        if (value.ArrayOrNull is { } array)
            foreach (var item in array.Span) count = Measure(document, item, pointer, depth + 1, count);
        if (value.ObjectOrNull is { } members)
            foreach (var (key, member) in members.Members)
                count = Measure(document, member, depth == 0 ? $"/{Graph.Pointer.Escape(key)}" : pointer, depth + 1, count);
        return count;
    }
}
