using Millrace.Jq;

namespace Millrace.Connectors.AsyncApi;

/// <summary>An expression that is evaluated while messages come, with the variables it reads as they were when the call began.</summary>
internal sealed class LateExpression
{
    private readonly JqProgram _program;
    private readonly Json[] _values;

    private LateExpression(JqProgram program, Json[] values) => (_program, _values) = (program, values);

    /// <param name="given"><c>source</c> and <c>variables</c>, as the loader makes them.</param>
    public static LateExpression? Of(Json given)
    {
        if (!given.IsObject) return null;
        var variables = given["variables"].ObjectOrNull ?? JsonObject.Empty;
        return new LateExpression(JqProgram.Compile(given["source"].AsString(), [.. variables.Select(v => v.Key)]), [.. variables.Select(v => v.Value)]);
    }

    /// <exception cref="Refusal">An expression error.</exception>
    public Json Evaluate(Json input)
    {
        try
        {
            return _program.First(input, _values);
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            throw Refusal.Expression("Expression failed", e.Message);
        }
    }
}

/// <summary>How long a subscription lasts, and what it takes (dsl-reference.md, AsyncAPI Subscription).</summary>
internal sealed record Consumption(LateExpression? Filter, int? Amount, TimeSpan? For, LateExpression? While, LateExpression? Until)
{
    public static Consumption Read(Arguments subscription)
    {
        var consume = subscription.Member("consume");
        TimeSpan? limit = null;
        if (consume.Has("for")) limit = Workflows.Graph.Duration.TryParse(consume["for"], out var duration, out var reason) ? duration : throw consume.Invalid("for", reason!);
        return new(LateExpression.Of(subscription["filter"]), consume["amount"].IsNumber ? (int)consume["amount"].AsNumber() : null, limit,
            LateExpression.Of(consume["while"]), LateExpression.Of(consume["until"]));
    }

    /// <summary>Whether no further message is wanted; the expressions see the list of those consumed. Where the task does something for each, the run decides by them.</summary>
    public bool IsOver(IReadOnlyList<Json> consumed) =>
        Amount is { } amount ? consumed.Count >= amount
        : While is not null ? !While.Evaluate(JsonArray.Of(consumed.ToList())).IsTruthy
        : consumed.Count > 0 && Until?.Evaluate(JsonArray.Of(consumed.ToList())).IsTruthy == true;
}
