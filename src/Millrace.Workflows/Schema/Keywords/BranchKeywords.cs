using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

internal sealed class AllOfKeyword(SchemaNode[] branches) : Keyword("allOf")
{
    public ReadOnlySpan<SchemaNode> Branches => branches;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        var valid = true;
        for (var i = 0; i < branches.Length; i++)
        {
            valid &= run.InPlace(Name, i, branches[i], value, seen);
            if (!valid && run.IsQuiet) return false;
        }
        return valid;
    }
}

internal sealed class AnyOfKeyword(SchemaNode[] branches) : Keyword("anyOf")
{
    public ReadOnlySpan<SchemaNode> Branches => branches;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (!run.IsQuiet) return BranchMatches.Explain(Name, branches, value, run, seen).First >= 0;
        var valid = false;
        for (var i = 0; i < branches.Length; i++)
        {
            if (!run.InPlace(Name, i, branches[i], value, seen)) continue;
            valid = true;
            // Whoever asks what was evaluated wants the marks of every branch that holds.
            if (seen is null) return true;
        }
        return valid;
    }
}

internal sealed class OneOfKeyword(SchemaNode[] branches) : Keyword("oneOf")
{
    public ReadOnlySpan<SchemaNode> Branches => branches;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        var matches = run.IsQuiet ? Count(value, run, seen) : BranchMatches.Explain(Name, branches, value, run, seen);
        if (matches.Second < 0) return matches.First >= 0;
        var (first, second) = (matches.First + 1, matches.Second + 1);
        return run.Fail(Name, $"must match exactly one of {branches.Length} alternatives, but matches alternatives {first} and {second}");
    }

    private BranchMatches Count(Json value, Evaluation run, Evaluated? seen)
    {
        var matches = BranchMatches.None;
        for (var i = 0; i < branches.Length && matches.Second < 0; i++)
            if (run.InPlace(Name, i, branches[i], value, seen)) matches = matches.With(i);
        return matches;
    }
}

internal sealed class NotKeyword(SchemaNode node) : Keyword("not")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen) =>
        !run.Silently(Name, node, value, null) || run.Fail(Name, $"must not match the schema under 'not'");
}

/// <summary><c>if</c>, <c>then</c>, <c>else</c>.</summary>
internal sealed class ConditionKeyword(SchemaNode condition, SchemaNode? then, SchemaNode? otherwise) : Keyword("if")
{
    public SchemaNode Condition { get; } = condition;

    public SchemaNode? Then { get; } = then;

    public SchemaNode? Otherwise { get; } = otherwise;

    public override bool Check(Json value, Evaluation run, Evaluated? seen) =>
        run.Silently(Name, Condition, value, seen)
            ? Then is null || run.InPlace("then", default, Then, value, seen)
            : Otherwise is null || run.InPlace("else", default, Otherwise, value, seen);
}
