using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

internal sealed class TypeKeyword(JsonTypes allowed) : Keyword("type")
{
    public JsonTypes Allowed { get; } = allowed;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        var found = JsonTypeNames.Of(value);
        return (Allowed & found) != 0
            || run.Fail(Name, $"expected {JsonTypeNames.Describe(Allowed)}, found {Found(found)}");
    }

    private static string Found(JsonTypes types) => types == JsonTypes.Fraction ? "a number with a fraction" : JsonTypeNames.Describe(types);
}

/// <summary><c>enum</c> and <c>const</c>.</summary>
internal sealed class ChoiceKeyword(string name, Json[] choices) : Keyword(name)
{
    private const int ShownMax = 12, ShownCharactersMax = 60, ScanMax = 8;

    private readonly HashSet<Json>? _set = choices.Length > ScanMax ? new(choices, JsonEquality.Instance) : null;

    public ReadOnlySpan<Json> Choices => choices;

    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (_set is not null)
        {
            if (_set.Contains(value)) return true;
        }
        else
        {
            foreach (var choice in choices)
                if (JsonEquality.Same(choice, value)) return true;
        }
        return run.Fail(Name, $"must be {(choices.Length == 1 ? "" : "one of ")}{Shown()}");
    }

    private string Shown()
    {
        var shown = string.Join(", ", choices.Take(ShownMax).Select(Shown));
        return choices.Length > ShownMax ? $"{shown} and {choices.Length - ShownMax} more" : shown;
    }

    private static string Shown(Json choice)
    {
        var text = choice.ToString();
        return text.Length <= ShownCharactersMax ? text : string.Concat(text.AsSpan(0, ShownCharactersMax), "…");
    }
}

/// <summary><c>minimum</c>, <c>maximum</c> and their exclusive forms.</summary>
internal sealed class BoundKeyword(string name, Json bound, int sign, bool exclusive) : Keyword(name)
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (!value.IsNumber) return true;
        // NaN, which jq can make, lies within no bounds.
        var order = double.IsNaN(value.AsNumber()) ? -1 : ExactNumber.Compare(value, bound) * sign;
        return (exclusive ? order > 0 : order >= 0) || run.Fail(Name, $"must be {Words} {bound}, found {value}");
    }

    private string Words => (sign > 0, exclusive) switch
    {
        (true, false) => "at least",
        (true, true) => "greater than",
        (_, false) => "at most",
        _ => "less than",
    };
}

internal sealed class MultipleKeyword(Json divisor) : Keyword("multipleOf")
{
    public override bool Check(Json value, Evaluation run, Evaluated? seen)
    {
        if (!value.IsNumber) return true;
        return ExactNumber.IsMultiple(value, divisor) switch
        {
            true => true,
            false => run.Fail(Name, $"must be a multiple of {divisor}, found {value}"),
            null => run.Stop(SchemaLimits.Digits, $"a number has more than {SchemaLimits.DigitsMax} digits"),
        };
    }
}
