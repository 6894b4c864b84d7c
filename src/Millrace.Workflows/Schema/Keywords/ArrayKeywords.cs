using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary><c>prefixItems</c> and <c>items</c>, which depend on one another, in one pass.</summary>
internal sealed class ItemsKeyword(SchemaNode[] prefix, SchemaNode? rest) : Keyword("items")
{
    public ReadOnlySpan<SchemaNode> Prefix => prefix;

    public SchemaNode? Rest { get; } = rest;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ArrayOrNull is not { } array) return true;
        var items = array.Span;
        var valid = true;
        for (var i = 0; i < items.Length; i++)
        {
            if (i >= prefix.Length && Rest is null) break;
            var holds = i < prefix.Length
                ? run.Below("prefixItems", i, prefix[i], items[i], i)
                : run.Below(Name, default, Rest!, items[i], i);
            valid &= holds;
            if (!holds && run.IsQuiet) return false;
            seen?.Mark(i);
        }
        return valid;
    }
}

internal sealed class ContainsKeyword(SchemaNode node, long min, long max) : Keyword("contains")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ArrayOrNull is not { } array) return true;
        var items = array.Span;
        var found = 0L;
        for (var i = 0; i < items.Length; i++)
        {
            if (!run.Silently(Name, node, items[i], null)) continue;
            found++;
            seen?.Mark(i);
            if (seen is null && found >= min && max == long.MaxValue) return true;
            if (found > max) return run.Fail("maxContains", $"at most {Items(max)} may match, found {found} or more");
        }
        if (found >= min) return true;
        return min == 1
            ? run.Fail(Name, $"at least one item must match, found none")
            : run.Fail("minContains", $"at least {Items(min)} must match, found {found}");
    }

    private static string Items(long count) => count == 1 ? "1 item" : $"{count} items";
}

internal sealed class UniqueKeyword() : Keyword("uniqueItems")
{
    private const int PairsMax = 16;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ArrayOrNull is not { } array || array.Count < 2) return true;
        var items = array.Span;
        return items.Length <= PairsMax ? CheckPairs(items, run) : CheckSet(items, run);
    }

    private bool CheckPairs(ReadOnlySpan<Json> items, Evaluation run)
    {
        for (var i = 1; i < items.Length; i++)
            for (var j = 0; j < i; j++)
                if (JsonEquality.Same(items[i], items[j])) return Refuse(run, j, i);
        return true;
    }

    private bool CheckSet(ReadOnlySpan<Json> items, Evaluation run)
    {
        var positions = new Dictionary<Json, int>(items.Length, JsonEquality.Instance);
        for (var i = 0; i < items.Length; i++)
            if (!positions.TryAdd(items[i], i)) return Refuse(run, positions[items[i]], i);
        return true;
    }

    private bool Refuse(Evaluation run, int first, int second) =>
        run.Fail(Name, $"items must differ, but items {first} and {second} are equal");
}

internal sealed class UnevaluatedItemsKeyword(SchemaNode node) : Keyword("unevaluatedItems")
{
    public SchemaNode Node { get; } = node;

    public override bool IsLast => true;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (value.ArrayOrNull is not { } array) return true;
        var items = array.Span;
        var valid = true;
        for (var i = 0; i < items.Length; i++)
        {
            if (seen!.Has(i)) continue;
            valid &= run.Below(Name, default, Node, items[i], i);
            if (!valid && run.IsQuiet) return false;
            seen.Mark(i);
        }
        return valid;
    }
}
