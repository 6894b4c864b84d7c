using Millrace.Jq;
using Millrace.Workflows.Schema.Formats;
using Millrace.Workflows.Schema.Keywords;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>Checks the value of one keyword before it is compiled, so that what compiles it can trust the shape.</summary>
internal static class KeywordForm
{
    /// <exception cref="JsonSchemaException"/>
    public static void Check(KeywordRule rule, Json value, Place place, PatternTable patterns)
    {
        var name = rule.Name;
        switch (rule.Form)
        {
            case Form.Any: break;
            case Form.Boolean: Expect(value.IsBoolean, "a boolean"); break;
            case Form.Text or Form.Uri: Expect(value.IsString, "a string"); break;
            case Form.Number: Expect(value.IsNumber, "a number"); break;
            case Form.PositiveNumber: Expect(value.IsNumber && value.AsNumber() > 0, "a number greater than 0"); break;
            case Form.Count: Expect(IsCount(value), "a whole number that is not negative"); break;
            case Form.Schema: Expect(IsSchema(value), "a schema (an object or a boolean)"); break;
            case Form.SchemaList: CheckSchemaList(name, value, place); break;
            case Form.SchemaMap: CheckMap(name, value, place, IsSchema, "a schema (an object or a boolean)"); break;
            case Form.PatternMap: CheckPatternMap(name, value, place, patterns); break;
            case Form.Names: Expect(IsNames(value), "an array of different strings"); break;
            case Form.NamesMap: CheckMap(name, value, place, IsNames, "an array of different strings"); break;
            case Form.Types: CheckTypes(name, value, place); break;
            case Form.Values: Expect(value.IsArray, "an array"); break;
            case Form.Pattern:
                Expect(value.IsString, "a string");
                if (patterns.Explain(value.AsString()) is { } fault)
                    throw place.Wrong(name, $"expected a regular expression of ECMA-262: {fault}");
                break;
            case Form.UriReference: Expect(IsReference(value), "a URI reference"); break;
            case Form.Id: Expect(IsReference(value) && !DocumentIndex.HasFragment(value.AsString()), "a URI reference without a fragment"); break;
            case Form.Anchor: Expect(IsAnchor(value), "a name of letters, digits, '-', '_' and '.' that begins with a letter or '_'"); break;
            case Form.VocabularyMap: CheckMap(name, value, place, v => v.IsBoolean, "a boolean"); break;
            default: CheckMap(name, value, place, v => IsSchema(v) || IsNames(v), "a schema or an array of different strings"); break;
        }

        void Expect(bool holds, string what)
        {
            if (!holds) throw place.Wrong(name, Expected(what, value));
        }
    }

    private static void CheckSchemaList(string name, Json value, Place place)
    {
        if (value.ArrayOrNull is not { Count: > 0 } list) throw place.Wrong(name, Expected("an array of at least one schema", value));
        for (var i = 0; i < list.Count; i++)
            if (!IsSchema(list[i])) throw place.Wrong(name, $"{i}", Expected("a schema (an object or a boolean)", list[i]));
    }

    private static void CheckMap(string name, Json value, Place place, Func<Json, bool> isRight, string what)
    {
        if (value.ObjectOrNull is not { } map) throw place.Wrong(name, Expected("an object", value));
        foreach (var (key, member) in map.Members)
            if (!isRight(member)) throw place.Wrong(name, key, Expected(what, member));
    }

    private static void CheckPatternMap(string name, Json value, Place place, PatternTable patterns)
    {
        CheckMap(name, value, place, IsSchema, "a schema (an object or a boolean)");
        foreach (var (key, _) in value.AsObject().Members)
            if (patterns.Explain(key) is { } fault) throw place.Wrong(name, key, $"expected a regular expression of ECMA-262 as the name: {fault}");
    }

    private static void CheckTypes(string name, Json value, Place place)
    {
        var known = string.Join(", ", JsonTypeNames.All);
        if (value.ArrayOrNull is { } list)
        {
            if (list.Count == 0) throw place.Wrong(name, "expected at least one type");
            for (var i = 0; i < list.Count; i++)
                if (!IsType(list[i])) throw place.Wrong(name, $"{i}", $"expected one of {known}; found {Shown(list[i])}");
            if (!IsNames(value)) throw place.Wrong(name, "expected different types");
        }
        else if (!IsType(value)) throw place.Wrong(name, $"expected one of {known}, or an array of them; found {Shown(value)}");
    }

    public static bool IsSchema(Json value) => value.IsObject || value.IsBoolean;

    private static bool IsType(Json value) => value.StringOrNull is { } text && JsonTypeNames.Parse(text) != JsonTypes.None;

    private static bool IsCount(Json value) => value.IsNumber && value.AsNumber() >= 0 && ExactNumber.IsInteger(value);

    private static bool IsNames(Json value) =>
        value.ArrayOrNull is { } list && list.All(i => i.IsString)
        && list.Select(i => i.AsString()).Distinct(StringComparer.Ordinal).Count() == list.Count;

    private static bool IsReference(Json value) => value.StringOrNull is { } text && UriText.IsReference(text, allowUnicode: true);

    private static bool IsAnchor(Json value) =>
        value.StringOrNull is { Length: > 0 } text && (char.IsAsciiLetter(text[0]) || text[0] == '_')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static string Expected(string what, Json found) => $"expected {what}, found {Shown(found)}";

    private static string Shown(Json value) => value.Kind switch
    {
        JsonKind.String when value.AsString().Length <= 40 => value.ToString(),
        JsonKind.Number or JsonKind.Null or JsonKind.True or JsonKind.False => value.ToString(),
        JsonKind.String => "a string",
        JsonKind.Array when value.AsArray().Count == 0 => "an empty array",
        JsonKind.Array => "an array",
        _ => "an object",
    };
}

/// <summary>The regular expressions of one compilation, each parsed once.</summary>
internal sealed class PatternTable
{
    private readonly Dictionary<string, (EcmaPattern? Pattern, string? Fault)> _known = new(StringComparer.Ordinal);

    public EcmaPattern this[string source] => Parse(source).Pattern!;

    /// <returns>Null when it is a regular expression.</returns>
    public string? Explain(string source) => Parse(source).Fault;

    private (EcmaPattern? Pattern, string? Fault) Parse(string source)
    {
        if (_known.TryGetValue(source, out var known)) return known;
        try
        {
            known = (EcmaPattern.Parse(source), null);
        }
        catch (EcmaPatternException e)
        {
            known = (null, e.Message);
        }
        return _known[source] = known;
    }
}
