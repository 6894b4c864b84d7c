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
        if (!run.IsQuiet) return ClosestBranch.CheckAny(Name, branches, value, run, seen);
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
        var first = -1;
        for (var i = 0; i < branches.Length; i++)
        {
            if (!run.Silently(Name, branches[i], value, seen)) continue;
            if (first >= 0)
                return run.Fail(Name, $"must match exactly one of {branches.Length} alternatives, but matches alternatives {first + 1} and {i + 1}");
            first = i;
        }
        if (first >= 0) return true;
        return !run.IsQuiet && ClosestBranch.CheckAny(Name, branches, value, run, seen);
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

/// <summary>
/// Of several alternatives that all fail, the one the author most likely meant: not of another type altogether, not of
/// another kind by its discriminator (<c>const</c> or <c>enum</c>), and with the fewest failures.
/// </summary>
internal static class ClosestBranch
{
    private const int WrongType = 10_000, WrongKind = 1_000;

    public static bool CheckAny(string keyword, SchemaNode[] branches, Json value, Evaluation run, Evaluated? seen)
    {
        var (valid, closest, distance) = (false, -1, int.MaxValue);
        var allWrongType = true;
        List<SchemaError> failures = [];
        var here = run.InstancePointer;
        for (var i = 0; i < branches.Length; i++)
        {
            if (run.Gather(keyword, i, branches[i], value, seen) is not { } errors)
            {
                valid = true;
                continue;
            }
            var score = Score(errors, here);
            allWrongType &= score >= WrongType;
            if (score < distance) (closest, distance, failures) = (i, score, errors);
        }
        if (valid) return true;
        if (branches.Length > 1 && allWrongType) return RefuseType(keyword, branches, value, run);
        if (branches.Length > 1)
            run.Fail(keyword, $"matches none of {branches.Length} alternatives; the closest is alternative {closest + 1}, which fails as the next errors say");
        run.Add(failures);
        return false;
    }

    private static bool RefuseType(string keyword, SchemaNode[] branches, Json value, Evaluation run)
    {
        var types = JsonTypes.None;
        foreach (var branch in branches) types |= ShapeWalk.At(branch, []).Types;
        return run.Fail(keyword, $"expected {JsonTypeNames.Describe(types)}, found {JsonTypeNames.Describe(JsonTypeNames.Of(value))}");
    }

    private static int Score(List<SchemaError> errors, string here)
    {
        var score = errors.Count;
        foreach (var error in errors)
        {
            if (error.Keyword == "type" && error.Instance == here) score += WrongType;
            else if (error.Keyword is "const" or "enum" && error.Instance.LastIndexOf('/') == here.Length) score += WrongKind;
        }
        return score;
    }
}
