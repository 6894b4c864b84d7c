namespace Millrace.Tests.Kits;

/// <summary>One step of a scenario: its sentence, and the block of text below it.</summary>
public sealed record FeatureStep(string Text, string? Block);

/// <summary>One scenario of a feature file.</summary>
public sealed record Scenario(string Feature, string Name, IReadOnlyList<FeatureStep> Steps)
{
    public override string ToString() => $"{Feature}: {Name}";
}

/// <summary>Reads the part of Gherkin that the conformance kit is written in.</summary>
internal static class Feature
{
    private static readonly string[] Keywords = ["Given ", "When ", "Then ", "And "];

    public static IEnumerable<Scenario> Read(string path)
    {
        var feature = Path.GetFileNameWithoutExtension(path);
        var scenarios = new List<(string Name, List<FeatureStep> Steps)>();
        var lines = File.ReadAllLines(path);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.StartsWith("Scenario: ", StringComparison.Ordinal)) scenarios.Add((line["Scenario: ".Length..], []));
            else if (Array.Find(Keywords, k => line.StartsWith(k, StringComparison.Ordinal)) is { } keyword && scenarios.Count > 0)
                scenarios[^1].Steps.Add(new FeatureStep(line[keyword.Length..], Block(lines, ref i)));
        }
        return scenarios.Select(s => new Scenario(feature, s.Name, s.Steps));
    }

    private static string? Block(string[] lines, ref int at)
    {
        if (at + 1 >= lines.Length || !lines[at + 1].TrimStart().StartsWith("\"\"\"", StringComparison.Ordinal)) return null;
        var indent = lines[at + 1].Length - lines[at + 1].TrimStart().Length;
        var block = new List<string>();
        for (at += 2; at < lines.Length && lines[at].Trim() != "\"\"\""; at++)
            block.Add(lines[at].Length >= indent ? lines[at][indent..] : lines[at].TrimStart());
        return string.Join('\n', block);
    }
}
