namespace Millrace.Workflows.Schema.Compilation;

[Flags]
internal enum Vocabularies
{
    Core = 1,
    Applicator = 2,
    Unevaluated = 4,
    Validation = 8,
    MetaData = 16,
    FormatAnnotation = 32,
    FormatAssertion = 64,
    Content = 128,

    /// <summary>What the metaschema of the draft itself declares.</summary>
    Standard = Core | Applicator | Unevaluated | Validation | MetaData | FormatAnnotation | Content,
}

/// <summary>What the value of a keyword has to be.</summary>
internal enum Form
{
    Any, Boolean, Text, Number, PositiveNumber, Count, Schema, SchemaList, SchemaMap, PatternMap, Names, NamesMap,
    Types, Values, Pattern, Uri, UriReference, Id, Anchor, VocabularyMap, Dependencies,
}

/// <summary>Which vocabularies count for a resource: its <c>$schema</c> says so.</summary>
internal sealed record Dialect(Vocabularies Vocabularies)
{
    public static readonly Dialect Standard = new(Vocabularies.Standard);

    public bool Knows(KeywordRule rule) => (Vocabularies & rule.Vocabularies) != 0;

    public bool AssertsFormats => Vocabularies.HasFlag(Vocabularies.FormatAssertion);
}

/// <summary>One keyword: where it belongs and what it takes.</summary>
internal sealed record KeywordRule(string Name, Vocabularies Vocabularies, Form Form)
{
    private const Vocabularies Format = Vocabularies.FormatAnnotation | Vocabularies.FormatAssertion;

    public static readonly IReadOnlyList<KeywordRule> All =
    [
        .. In(Vocabularies.Core,
            ("$id", Form.Id), ("$schema", Form.Uri), ("$ref", Form.UriReference), ("$anchor", Form.Anchor),
            ("$dynamicRef", Form.UriReference), ("$dynamicAnchor", Form.Anchor), ("$vocabulary", Form.VocabularyMap),
            ("$comment", Form.Text), ("$defs", Form.SchemaMap)),
        .. In(Vocabularies.Applicator,
            ("prefixItems", Form.SchemaList), ("items", Form.Schema), ("contains", Form.Schema),
            ("additionalProperties", Form.Schema), ("properties", Form.SchemaMap), ("patternProperties", Form.PatternMap),
            ("dependentSchemas", Form.SchemaMap), ("propertyNames", Form.Schema), ("if", Form.Schema), ("then", Form.Schema),
            ("else", Form.Schema), ("allOf", Form.SchemaList), ("anyOf", Form.SchemaList), ("oneOf", Form.SchemaList),
            ("not", Form.Schema)),
        .. In(Vocabularies.Unevaluated, ("unevaluatedItems", Form.Schema), ("unevaluatedProperties", Form.Schema)),
        .. In(Vocabularies.Validation,
            ("type", Form.Types), ("const", Form.Any), ("enum", Form.Values), ("multipleOf", Form.PositiveNumber),
            ("maximum", Form.Number), ("exclusiveMaximum", Form.Number), ("minimum", Form.Number), ("exclusiveMinimum", Form.Number),
            ("maxLength", Form.Count), ("minLength", Form.Count), ("pattern", Form.Pattern), ("maxItems", Form.Count),
            ("minItems", Form.Count), ("uniqueItems", Form.Boolean), ("maxContains", Form.Count), ("minContains", Form.Count),
            ("maxProperties", Form.Count), ("minProperties", Form.Count), ("required", Form.Names), ("dependentRequired", Form.NamesMap)),
        .. In(Vocabularies.MetaData,
            ("title", Form.Text), ("description", Form.Text), ("default", Form.Any), ("deprecated", Form.Boolean),
            ("readOnly", Form.Boolean), ("writeOnly", Form.Boolean), ("examples", Form.Values)),
        .. In(Format, ("format", Form.Text)),
        .. In(Vocabularies.Content, ("contentEncoding", Form.Text), ("contentMediaType", Form.Text), ("contentSchema", Form.Schema)),
        // Of earlier drafts; the draft's metaschema still gives them a form, and lets implementations support them.
        .. In(Vocabularies.Applicator, ("definitions", Form.SchemaMap), ("dependencies", Form.Dependencies)),
    ];

    private static readonly Dictionary<string, KeywordRule> ByName = All.ToDictionary(r => r.Name, StringComparer.Ordinal);

    public static KeywordRule? Find(string name) => ByName.GetValueOrDefault(name);

    private static IEnumerable<KeywordRule> In(Vocabularies vocabularies, params (string Name, Form Form)[] keywords) =>
        keywords.Select(k => new KeywordRule(k.Name, vocabularies, k.Form));
}
