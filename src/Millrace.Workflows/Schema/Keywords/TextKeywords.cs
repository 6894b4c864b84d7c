using Millrace.Jq;
using Millrace.Workflows.Schema.Formats;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>What a size keyword counts.</summary>
internal enum Counted { Characters, Items, Properties }

/// <summary><c>minLength</c> to <c>maxProperties</c>. Characters are Unicode code points.</summary>
internal sealed class SizeKeyword(string name, Counted counted, long limit, bool isMaximum) : Keyword(name)
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        var size = counted switch
        {
            Counted.Characters => value.StringOrNull is { } text ? CodePoints(text) : -1,
            Counted.Items => value.ArrayOrNull?.Count ?? -1,
            _ => value.ObjectOrNull?.Count ?? -1,
        };
        return size < 0
            || (isMaximum ? size <= limit : size >= limit)
            || run.Fail(Name, $"must have {(isMaximum ? "at most" : "at least")} {limit} {Unit}, found {size}");
    }

    private string Unit => (counted, limit == 1) switch
    {
        (Counted.Characters, true) => "character",
        (Counted.Characters, _) => "characters",
        (Counted.Items, true) => "item",
        (Counted.Items, _) => "items",
        (_, true) => "property",
        _ => "properties",
    };

    private static int CodePoints(string text)
    {
        var count = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (!char.IsSurrogatePair(text[i], text[i + 1])) continue;
            count--;
            i++;
        }
        return count;
    }
}

internal sealed class PatternKeyword(EcmaPattern pattern) : Keyword("pattern")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen) =>
        value.StringOrNull is not { } text
        || run.Matches(pattern, text)
        || run.Fail(Name, $"must match the pattern {pattern.Source}");
}

internal sealed class FormatKeyword(Format format) : Keyword("format")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen) =>
        value.StringOrNull is not { } text
        || format.Test(text)
        || run.Fail(Name, $"must be {format.Words}");
}
