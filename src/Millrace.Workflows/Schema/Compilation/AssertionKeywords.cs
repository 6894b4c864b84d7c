using Millrace.Jq;
using Millrace.Workflows.Schema.Formats;
using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>Compiles the keywords that look at one value only, and those that look at names (validation §6, §7).</summary>
internal static class AssertionKeywords
{
    public static void Add(NodeDraft draft, PatternTable patterns, bool assertFormats)
    {
        if (draft.TryGet("type", out var type)) draft.Keywords.Add(new TypeKeyword(Types(type)));
        if (draft.TryGet("const", out var only)) draft.Keywords.Add(new ChoiceKeyword("const", [only]));
        if (draft.TryGet("enum", out var choices)) draft.Keywords.Add(new ChoiceKeyword("enum", choices.AsArray().Span.ToArray()));
        AddBounds(draft);
        AddSizes(draft);
        if (draft.TryGet("pattern", out var pattern)) draft.Keywords.Add(new PatternKeyword(patterns[pattern.AsString()]));
        if (assertFormats && draft.TryGet("format", out var name) && Format.Find(name.AsString()) is { } format)
            draft.Keywords.Add(new FormatKeyword(format));
        if (draft.TryGet("required", out var required)) draft.Keywords.Add(new RequiredKeyword(Names(required)));
        AddDependencies(draft, "dependentRequired");
        AddDependencies(draft, "dependencies");
        if (draft.TryGet("uniqueItems", out var unique) && unique.IsTruthy) draft.Keywords.Add(new UniqueKeyword());
    }

    private static void AddBounds(NodeDraft draft)
    {
        Bound("minimum", 1, false);
        Bound("exclusiveMinimum", 1, true);
        Bound("maximum", -1, false);
        Bound("exclusiveMaximum", -1, true);
        if (draft.TryGet("multipleOf", out var divisor)) draft.Keywords.Add(new MultipleKeyword(divisor));

        void Bound(string name, int sign, bool exclusive)
        {
            if (draft.TryGet(name, out var bound)) draft.Keywords.Add(new BoundKeyword(name, bound, sign, exclusive));
        }
    }

    private static void AddSizes(NodeDraft draft)
    {
        Size("minLength", Counted.Characters, false);
        Size("maxLength", Counted.Characters, true);
        Size("minItems", Counted.Items, false);
        Size("maxItems", Counted.Items, true);
        Size("minProperties", Counted.Properties, false);
        Size("maxProperties", Counted.Properties, true);

        void Size(string name, Counted counted, bool isMaximum)
        {
            if (draft.TryGet(name, out var limit)) draft.Keywords.Add(new SizeKeyword(name, counted, Count(limit), isMaximum));
        }
    }

    private static void AddDependencies(NodeDraft draft, string name)
    {
        if (!draft.TryGet(name, out var map)) return;
        var rules = new List<KeyValuePair<string, string[]>>();
        foreach (var (when, needed) in map.AsObject().Members)
            if (needed.IsArray) rules.Add(new(when, Names(needed)));
        if (rules.Count > 0) draft.Keywords.Add(new DependentRequiredKeyword(name, [.. rules]));
    }

    /// <summary>Counts beyond any size are all the same.</summary>
    public static long Count(Json value) => value.AsNumber() >= long.MaxValue ? long.MaxValue : (long)value.AsNumber();

    private static string[] Names(Json list) => [.. list.AsArray().Select(i => i.AsString())];

    private static JsonTypes Types(Json value) => value.StringOrNull is { } one
        ? JsonTypeNames.Parse(one)
        : value.AsArray().Aggregate(JsonTypes.None, (types, name) => types | JsonTypeNames.Parse(name.AsString()));
}
