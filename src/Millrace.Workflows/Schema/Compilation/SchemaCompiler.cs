using Millrace.Jq;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>
/// Turns places into nodes: all of the document compiled, and of other documents what is reached. It works from a
/// queue, so a chain of references costs no stack.
/// </summary>
internal sealed class SchemaCompiler
{
    private readonly SchemaLibrary _library;
    private readonly bool _assertFormats;
    private readonly PatternTable _patterns = new();
    private readonly Queue<Place> _waiting = new();

    private SchemaCompiler(SchemaLibrary library, bool assertFormats)
    {
        _library = library;
        _assertFormats = assertFormats;
    }

    /// <exception cref="JsonSchemaException"/>
    public static SchemaNode Compile(Json schema, JsonSchemaOptions options)
    {
        var library = new SchemaLibrary(schema, options);
        var compiler = new SchemaCompiler(library, options.AssertFormats);
        foreach (var place in library.Main.Places.Values.ToArray()) compiler.NodeOf(place);
        while (compiler._waiting.TryDequeue(out var place)) compiler.Build(place);
        return library.Main.Places[""].Node!;
    }

    private SchemaNode NodeOf(Place place)
    {
        if (place.Node is { } known) return known;
        var node = new SchemaNode(place.Resource);
        place.Node = node;
        _waiting.Enqueue(place);
        // A dynamic reference may come out at any of these.
        foreach (var anchored in place.Resource.DynamicAnchors.Values) NodeOf(anchored);
        return node;
    }

    private void Build(Place place)
    {
        var node = place.Node!;
        if (place.Value.ObjectOrNull is not { } source)
        {
            node.Always = place.Value.AsBoolean();
            return;
        }
        var draft = new NodeDraft(place, source, NodeOf);
        foreach (var (name, value) in source.Members)
            if (KeywordRule.Find(name) is { } rule && place.Resource.Dialect.Knows(rule)) KeywordForm.Check(rule, value, place, _patterns);
        AssertionKeywords.Add(draft, _patterns, _assertFormats || place.Resource.Dialect.AssertsFormats);
        ApplicatorKeywords.AddChildren(draft, _patterns);
        AddReferences(draft, place);
        ApplicatorKeywords.AddInPlace(draft);
        ApplicatorKeywords.AddUnevaluated(draft);
        node.Keywords = [.. draft.Keywords];
        node.AsksEvaluated = node.Keywords.Any(k => k.IsLast);
    }

    private void AddReferences(NodeDraft draft, Place place)
    {
        if (draft.TryGet("$ref", out var reference))
            draft.Keywords.Add(new ReferenceKeyword("$ref", NodeOf(_library.Resolve(place, "$ref", reference.AsString()))));
        if (!draft.TryGet("$dynamicRef", out var dynamic)) return;
        var target = _library.Resolve(place, "$dynamicRef", dynamic.AsString());
        var node = NodeOf(target);
        var name = SchemaUri.SplitFragment(dynamic.AsString()).Fragment ?? "";
        var isDynamic = target.Resource.DynamicAnchors.TryGetValue(name, out var anchored) && anchored == target;
        draft.Keywords.Add(isDynamic ? new DynamicReferenceKeyword(name, node) : new ReferenceKeyword("$dynamicRef", node));
    }
}
