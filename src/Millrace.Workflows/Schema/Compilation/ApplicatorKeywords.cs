using Millrace.Workflows.Schema.Keywords;

namespace Millrace.Workflows.Schema.Compilation;

/// <summary>Compiles the keywords that apply other schemas (core §10, §11).</summary>
internal static class ApplicatorKeywords
{
    /// <summary>Those that go down to members and items.</summary>
    public static void AddChildren(NodeDraft draft, PatternTable patterns)
    {
        var named = draft.Map("properties");
        var matched = draft.Map("patternProperties");
        var additional = draft.Single("additionalProperties");
        if (named.Length > 0 || matched.Length > 0 || additional is not null)
        {
            PatternMember[] members = [.. matched.Select(m => new PatternMember(patterns[m.Key], m.Value))];
            draft.Keywords.Add(new MembersKeyword(new(named, StringComparer.Ordinal), members, additional));
        }
        if (draft.Single("propertyNames") is { } names) draft.Keywords.Add(new PropertyNamesKeyword(names));

        var prefix = draft.List("prefixItems");
        var rest = draft.Single("items");
        if (prefix.Length > 0 || rest is not null) draft.Keywords.Add(new ItemsKeyword(prefix, rest));
        if (draft.Single("contains") is not { } contains) return;
        var min = draft.TryGet("minContains", out var least) ? AssertionKeywords.Count(least) : 1;
        var max = draft.TryGet("maxContains", out var most) ? AssertionKeywords.Count(most) : long.MaxValue;
        draft.Keywords.Add(new ContainsKeyword(contains, min, max));
    }

    /// <summary>Those that apply to the same value.</summary>
    public static void AddInPlace(NodeDraft draft)
    {
        if (draft.List("allOf") is { Length: > 0 } all) draft.Keywords.Add(new AllOfKeyword(all));
        if (draft.List("anyOf") is { Length: > 0 } any) draft.Keywords.Add(new AnyOfKeyword(any));
        if (draft.List("oneOf") is { Length: > 0 } one) draft.Keywords.Add(new OneOfKeyword(one));
        if (draft.Single("not") is { } not) draft.Keywords.Add(new NotKeyword(not));
        if (draft.Single("if") is { } condition)
            draft.Keywords.Add(new ConditionKeyword(condition, draft.Single("then"), draft.Single("else")));
        foreach (var name in (string[])["dependentSchemas", "dependencies"])
            if (draft.Map(name) is { Length: > 0 } dependent) draft.Keywords.Add(new DependentSchemasKeyword(name, dependent));
    }

    /// <summary>Those that depend on all others.</summary>
    public static void AddUnevaluated(NodeDraft draft)
    {
        if (draft.Single("unevaluatedItems") is { } items) draft.Keywords.Add(new UnevaluatedItemsKeyword(items));
        if (draft.Single("unevaluatedProperties") is { } members) draft.Keywords.Add(new UnevaluatedMembersKeyword(members));
    }
}
