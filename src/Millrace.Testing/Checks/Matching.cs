using Millrace.Jq;
using Millrace.Testing.Scenarios;

namespace Millrace.Testing.Checks;

/// <summary>Compares what is expected with what is, and says where they differ.</summary>
internal static class Matching
{
    private const int DifferencesMax = 20, ShownMax = 300;

    /// <summary>Whether the value is like the pattern: members that it does not name may be anything. Null: everything is.</summary>
    public static bool Like(Json pattern, Json actual)
    {
        if (pattern.IsNull) return true;
        var differences = new List<string>();
        Compare(pattern, actual, "", exact: false, differences);
        return differences.Count == 0;
    }

    /// <summary>Whether it is that value, or one that the condition holds for.</summary>
    public static bool Same(Json expected, Json actual)
    {
        var differences = new List<string>();
        Compare(expected, actual, "", exact: true, differences);
        return differences.Count == 0;
    }

    /// <param name="exact">Objects have no members but those expected.</param>
    public static void Compare(Json expected, Json actual, string path, bool exact, List<string> differences)
    {
        if (differences.Count >= DifferencesMax) return;
        if (Conditions.IsCondition(expected))
        {
            if (!Conditions.Holds(expected.AsString(), actual)) differences.Add($"{path}: {Shown(actual)} does not hold {expected.AsString()}");
        }
        else if (expected.ObjectOrNull is { } members && actual.ObjectOrNull is { } others)
        {
            CompareMembers(members, others, path, exact, differences);
        }
        else if (expected.ArrayOrNull is { } items && actual.ArrayOrNull is { } found)
        {
            CompareItems(items, found, path, exact, differences);
        }
        else if (expected != actual)
        {
            differences.Add($"{path}: expected {Shown(expected)}, was {Shown(actual)}");
        }
    }

    public static string Shown(Json value)
    {
        var text = value.ToString();
        return text.Length <= ShownMax ? text : $"{text[..ShownMax]}…";
    }

    private static void CompareMembers(JsonObject expected, JsonObject actual, string path, bool exact, List<string> differences)
    {
        foreach (var (key, value) in expected)
        {
            if (actual.TryGet(key, out var found)) Compare(value, found, $"{path}.{key}", exact, differences);
            else if (!value.IsNull || exact) differences.Add($"{path}.{key}: expected {Shown(value)}, was not there");
        }
        if (!exact) return;
        foreach (var (key, value) in actual)
            if (!expected.Has(key)) differences.Add($"{path}.{key}: was {Shown(value)}, which was not expected");
    }

    private static void CompareItems(JsonArray expected, JsonArray actual, string path, bool exact, List<string> differences)
    {
        for (var i = 0; i < Math.Min(expected.Count, actual.Count); i++) Compare(expected[i], actual[i], $"{path}[{i}]", exact, differences);
        for (var i = expected.Count; i < actual.Count; i++) differences.Add($"{path}[{i}]: was {Shown(actual[i])}, which was not expected");
        for (var i = actual.Count; i < expected.Count; i++) differences.Add($"{path}[{i}]: expected {Shown(expected[i])}, was not there");
    }
}
