using Millrace.Jq;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Scenarios;

/// <summary>Conditions in what a scenario compares with: <c>${ … }</c> is a jq filter over the value at hand.</summary>
internal static class Conditions
{
    private static readonly string[] Compared = ["with", "request", "expect", "returns"];

    /// <summary>Finds filters that do not compile.</summary>
    public static void Check(Json file, Findings findings)
    {
        if (!file.IsObject) return;
        Walk(file["mocks"], "/mocks", false, findings);
        Walk(file["scenarios"], "/scenarios", false, findings);
    }

    public static bool IsCondition(Json value) => value.IsString && Expression.IsEnclosed(value.AsString());

    /// <summary>Whether the value is what the condition wants. A filter that fails on it says no.</summary>
    public static bool Holds(string condition, Json value)
    {
        try
        {
            return Expression.Compile(condition, [], "").Evaluate(value, NoVariables.Instance).IsTruthy;
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            return false;
        }
    }

    private static void Walk(Json value, string pointer, bool compared, Findings findings)
    {
        if (value.ObjectOrNull is { } members)
        {
            // The input that a mock is for is compared, the one that a run begins with is not.
            var isMock = members.Has("call") || members.Has("request");
            foreach (var (key, member) in members)
            {
                var isCompared = compared || Compared.Contains(key) || (isMock && key == "input");
                if (key is not ("workflow" or "workflows" or "input") || isCompared) Walk(member, Pointer.Of(pointer, key), isCompared, findings);
            }
        }
        else if (value.ArrayOrNull is { } items)
        {
            for (var i = 0; i < items.Count; i++) Walk(items[i], Pointer.Of(pointer, i), compared, findings);
        }
        else if (compared && IsCondition(value))
        {
            try
            {
                Expression.Compile(value.AsString(), [], pointer);
            }
            catch (JqCompileException e)
            {
                findings.AtValue("workflow.bad_expression", pointer, $"The condition is no jq filter: {e.Message}");
            }
        }
    }
}

/// <summary>Filters of scenarios see the value at hand and nothing else.</summary>
internal sealed class NoVariables : IVariables
{
    public static readonly NoVariables Instance = new();

    public JqOptions Options => JqOptions.Default;

    public Json Get(string name) => Json.Null;
}
