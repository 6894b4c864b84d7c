using Millrace.Jq;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>
/// The draft's metaschema and its vocabularies, for schemas that refer to them. They are built from
/// <see cref="KeywordRule"/>, the same table that the compiler checks schemas by: the same schemas are valid under them
/// as under the published documents, titles and defaults apart.
/// </summary>
internal static class MetaSchema
{
    public const string Uri = "https://json-schema.org/draft/2020-12/schema";

    private const string VocabularyBase = "https://json-schema.org/draft/2020-12/vocab/";

    private static readonly (string Name, Vocabularies Vocabulary)[] Names =
    [
        ("core", Vocabularies.Core), ("applicator", Vocabularies.Applicator), ("unevaluated", Vocabularies.Unevaluated),
        ("validation", Vocabularies.Validation), ("meta-data", Vocabularies.MetaData),
        ("format-annotation", Vocabularies.FormatAnnotation), ("format-assertion", Vocabularies.FormatAssertion),
        ("content", Vocabularies.Content),
    ];

    private static readonly Lazy<Dictionary<string, Json>> Documents = new(BuildAll);

    private static readonly Json Meta = Json.Object("$dynamicRef", "#meta");
    private static readonly Json Text = Json.Object("type", "string");
    private static readonly Json NameList = Json.Object(
        new("type", "array"), new("items", Text), new("uniqueItems", true));

    public static Json? Find(string uri) => Documents.Value.TryGetValue(uri, out var document) ? document : default(Json?);

    /// <returns>Null for a vocabulary that is not known.</returns>
    public static Vocabularies? Vocabulary(string uri)
    {
        foreach (var (name, vocabulary) in Names)
            if (uri == VocabularyBase + name) return vocabulary;
        return null;
    }

    private static Dictionary<string, Json> BuildAll()
    {
        var documents = new Dictionary<string, Json>(StringComparer.Ordinal) { [Uri] = BuildRoot() };
        foreach (var (name, vocabulary) in Names) documents[MetaUri(name)] = BuildVocabulary(name, vocabulary);
        return documents;
    }

    private static string MetaUri(string name) => $"https://json-schema.org/draft/2020-12/meta/{name}";

    private static Json BuildRoot()
    {
        var names = Names.Where(n => Vocabularies.Standard.HasFlag(n.Vocabulary)).Select(n => n.Name).ToArray();
        return Json.Object(
            new("$schema", Uri),
            new("$id", Uri),
            new("$vocabulary", JsonObject.Of([.. names.Select(n => new KeyValuePair<string, Json>(VocabularyBase + n, true))])),
            new("$dynamicAnchor", "meta"),
            new("allOf", Json.Array([.. names.Select(n => Json.Object("$ref", MetaUri(n)))])),
            new("type", Json.Array("object", "boolean")),
            new("properties", JsonObject.Of(
                [
                    new("$recursiveAnchor", FormSchema(Form.Anchor)),
                    new("$recursiveRef", FormSchema(Form.UriReference)),
                    new("definitions", FormSchema(Form.SchemaMap)),
                    new("dependencies", FormSchema(Form.Dependencies)),
                ])));
    }

    private static Json BuildVocabulary(string name, Vocabularies vocabulary)
    {
        var properties = KeywordRule.All
            .Where(r => r.Vocabularies.HasFlag(vocabulary) && r.Name is not ("definitions" or "dependencies"))
            .Select(r => new KeyValuePair<string, Json>(r.Name, FormSchema(r.Form)));
        return Json.Object(
            new("$schema", Uri),
            new("$id", MetaUri(name)),
            new("$vocabulary", Json.Object(VocabularyBase + name, true)),
            new("$dynamicAnchor", "meta"),
            new("type", Json.Array("object", "boolean")),
            new("properties", JsonObject.Of([.. properties])));
    }

    private static Json FormSchema(Form form) => form switch
    {
        Form.Any => true,
        Form.Boolean => Json.Object("type", "boolean"),
        Form.Text => Text,
        Form.Number => Json.Object("type", "number"),
        Form.PositiveNumber => Json.Object("type", "number", "exclusiveMinimum", 0),
        Form.Count => Json.Object("type", "integer", "minimum", 0),
        Form.Schema => Meta,
        Form.SchemaList => Json.Object(new("type", "array"), new("minItems", 1), new("items", Meta)),
        Form.SchemaMap => MapOf(Meta),
        Form.PatternMap => Json.Object(
            new("type", "object"), new("additionalProperties", Meta), new("propertyNames", Json.Object("format", "regex"))),
        Form.Names => NameList,
        Form.NamesMap => MapOf(NameList),
        Form.Types => TypesSchema(),
        Form.Values => Json.Object("type", "array"),
        Form.Pattern => Json.Object("type", "string", "format", "regex"),
        Form.Uri => Json.Object("type", "string", "format", "uri"),
        Form.UriReference => Json.Object("type", "string", "format", "uri-reference"),
        Form.Id => Json.Object(new("type", "string"), new("format", "uri-reference"), new("pattern", "^[^#]*#?$")),
        Form.Anchor => Json.Object("type", "string", "pattern", "^[A-Za-z_][-A-Za-z0-9._]*$"),
        Form.VocabularyMap => Json.Object(
            new("type", "object"), new("propertyNames", FormSchema(Form.Uri)), new("additionalProperties", FormSchema(Form.Boolean))),
        _ => MapOf(Json.Object("anyOf", Json.Array(Meta, NameList))),
    };

    private static Json MapOf(Json values) => Json.Object("type", "object", "additionalProperties", values);

    private static Json TypesSchema()
    {
        var one = Json.Object("enum", Json.Array([.. JsonTypeNames.All.Select(n => Json.Of(n))]));
        return Json.Object("anyOf", Json.Array(one, JsonObject.Of(
            [new("type", "array"), new("items", one), new("minItems", 1), new("uniqueItems", true)])));
    }
}
