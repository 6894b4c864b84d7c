using Millrace.Jq;
using Millrace.Workflows.Documents;

namespace Millrace.Testing.Scenarios;

/// <summary>A sentence of a specification, and what proves it.</summary>
/// <param name="Section">Where it stands: <c>document#heading</c>.</param>
/// <param name="Says">How it begins.</param>
/// <param name="Scenarios">By name.</param>
/// <param name="Tests">Class and method, for what no scenario can say.</param>
/// <param name="Why">Why nothing proves it; empty where something does.</param>
/// <param name="Gap">What of it does not hold.</param>
public sealed record Must(string Section, string Says, IReadOnlyList<string> Scenarios, IReadOnlyList<string> Tests, string Why, string Gap);

/// <summary>Reads lists of such sentences: <c>sections: {document#heading: [{says, scenarios, tests, why, gap}]}</c>.</summary>
public static class Musts
{
    /// <summary>What such files are called, beside those of the scenarios.</summary>
    public const string Pattern = "*.musts.yaml";

    /// <exception cref="InvalidDataException">It is not YAML.</exception>
    public static IReadOnlyList<Must> Read(string source)
    {
        var all = new List<Must>();
        foreach (var (section, sentences) in Document(source)["sections"].ObjectOrNull ?? JsonObject.Empty)
        {
            foreach (var one in sentences.ArrayOrNull ?? JsonArray.Empty)
                all.Add(new Must(section, one["says"].StringOrNull ?? "", Texts(one["scenarios"]), Texts(one["tests"]), one["why"].StringOrNull ?? "", one["gap"].StringOrNull ?? ""));
        }
        return all;
    }

    private static Json Document(string source)
    {
        try
        {
            return DocumentReader.Read(source).Value;
        }
        catch (UnreadableException e)
        {
            throw new InvalidDataException(e.Message);
        }
    }

    private static List<string> Texts(Json list) => [.. (list.ArrayOrNull ?? JsonArray.Empty).Select(t => t.StringOrNull ?? "")];
}
