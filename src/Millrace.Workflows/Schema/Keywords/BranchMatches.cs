using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>The first two alternatives that hold, -1 where there is none.</summary>
internal readonly record struct BranchMatches(int First, int Second)
{
    private const int WrongType = 10_000, WrongKind = 1_000;

    public static readonly BranchMatches None = new(-1, -1);

    public BranchMatches With(int branch) =>
        First < 0 ? this with { First = branch } : Second < 0 ? this with { Second = branch } : this;

    /// <summary>
    /// Applies all alternatives. When none holds it reports the one the author most likely meant: not of another type
    /// altogether, not of another kind by its discriminator (<c>const</c> or <c>enum</c>), and with the fewest failures.
    /// </summary>
    public static BranchMatches Explain(string keyword, SchemaNode[] branches, Json value, Evaluation run, Evaluated? seen)
    {
        var matches = None;
        var (closest, distance, failures) = (0, int.MaxValue, (List<SchemaError>)[]);
        var allWrongType = true;
        var here = run.InstancePointer;
        for (var i = 0; i < branches.Length; i++)
        {
            if (run.Gather(keyword, i, branches[i], value, seen) is not { } errors)
            {
                matches = matches.With(i);
                continue;
            }
            var score = Score(errors, here);
            allWrongType &= score >= WrongType;
            if (score < distance) (closest, distance, failures) = (i, score, errors);
        }
        if (matches.First >= 0) return matches;
        if (branches.Length > 1 && allWrongType)
        {
            RefuseType(keyword, branches, value, run);
            return matches;
        }
        if (branches.Length > 1) run.Fail(keyword, $"matches none of {branches.Length} alternatives; the closest is alternative {closest + 1}");
        run.Add(failures);
        return matches;
    }

    private static void RefuseType(string keyword, SchemaNode[] branches, Json value, Evaluation run)
    {
        var types = JsonTypes.None;
        foreach (var branch in branches) types |= ShapeWalk.At(branch, []).Types;
        run.Fail(keyword, $"expected {JsonTypeNames.Describe(types)}, found {JsonTypeNames.Describe(JsonTypeNames.Of(value))}");
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
