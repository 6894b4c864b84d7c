using System.Globalization;
using System.Text;
using Millrace.Testing.Scenarios;

namespace Millrace.Testing;

/// <summary>A page about scenarios: by the section of the specification that they are about, each with its state.</summary>
public static class ScenarioSummary
{
    /// <summary>What came of playing them.</summary>
    public static string Of(IReadOnlyList<ScenarioResult> results) =>
        Write([.. results.Select(r => (r.Scenario, r.Passed ? "holds" : r.IsKnownGap ? $"gap: {r.Scenario.Gap}" : "**fails**"))]);

    /// <summary>What their files say of them, without playing any.</summary>
    public static string OfFiles(IEnumerable<ScenarioFile> files) =>
        Write([.. files.SelectMany(f => f.Scenarios).Select(s => (s, s.Gap.Length > 0 ? $"gap: {s.Gap}" : "holds"))]);

    private static string Write(IReadOnlyList<(Scenario Scenario, string State)> all)
    {
        var page = new StringBuilder();
        var sections = all.GroupBy(s => s.Scenario.Spec, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        page.Append("# Conformance\n\nMade by `./millrace test tests/Millrace.Conformance.Tests/scenarios --summary docs/conformance.md`; not to be edited. Each sentence is a scenario that is\n");
        page.Append("played on the engine, once as it is and once more for each of its writes with a crash after it.\n\n");
        page.Append(CultureInfo.InvariantCulture, $"{all.Count} scenarios in {sections.Count} sections of the specification: {all.Count(s => s.State == "holds")} hold, {all.Count(s => s.State != "holds")} do not.\n");
        foreach (var section in sections)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {(section.Key.Length == 0 ? "Without a section" : section.Key)}\n\n");
            foreach (var (scenario, state) in section) page.Append(CultureInfo.InvariantCulture, $"- {scenario.Name} – {state} ({Path.GetFileName(scenario.File)}:{scenario.Line})\n");
        }
        return page.ToString();
    }
}
