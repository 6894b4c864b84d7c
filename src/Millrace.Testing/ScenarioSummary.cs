using System.Globalization;
using System.Text;
using Millrace.Testing.Scenarios;

namespace Millrace.Testing;

/// <summary>A page about scenarios: by the section of the specification that they are about, each with its state.</summary>
public static class ScenarioSummary
{
    /// <summary>What came of playing them.</summary>
    public static string Of(IReadOnlyList<ScenarioResult> results, IReadOnlyList<Must> musts) =>
        Write([.. results.Select(r => (r.Scenario, r.Passed ? "holds" : r.IsKnownGap ? $"gap: {r.Scenario.Gap}" : "**fails**"))], musts);

    /// <summary>What their files say of them, without playing any.</summary>
    public static string OfFiles(IEnumerable<ScenarioFile> files, IReadOnlyList<Must> musts) =>
        Write([.. files.SelectMany(f => f.Scenarios).Select(s => (s, s.Gap.Length > 0 ? $"gap: {s.Gap}" : "holds"))], musts);

    private static string Write(IReadOnlyList<(Scenario Scenario, string State)> all, IReadOnlyList<Must> musts)
    {
        var page = new StringBuilder();
        var sections = all.GroupBy(s => s.Scenario.Spec, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        page.Append("# Conformance\n\nMade by `./millrace test tests/Millrace.Conformance.Tests/scenarios --summary docs/conformance.md`; not to be edited. Each sentence is a scenario that is\n");
        page.Append("played on the engine, once as it is and once more for each of its writes with a crash after it");
        var alone = all.Count(s => s.Scenario.Restart is { Forbidden: true } or { AfterRecord: not null });
        page.Append(CultureInfo.InvariantCulture, $"{(alone == 0 ? "" : $"; {alone} only as they are, for the reason that stands beside each")}.\n\n");
        page.Append(CultureInfo.InvariantCulture, $"{all.Count} scenarios in {sections.Count} sections of the specification: {all.Count(s => s.State == "holds")} hold, {all.Count(s => s.State != "holds")} do not.\n");
        foreach (var section in sections)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {(section.Key.Length == 0 ? "Without a section" : section.Key)}\n\n");
            foreach (var (scenario, state) in section) page.Append(CultureInfo.InvariantCulture, $"- {scenario.Name} – {state} ({Path.GetFileName(scenario.File)}:{scenario.Line})\n");
        }
        if (musts.Count > 0) WriteMusts(page, all.ToLookup(s => s.Scenario.Name, s => s.State, StringComparer.Ordinal), musts);
        return page.ToString();
    }

    /// <summary>The other way round: what the specification asks for, sentence by sentence.</summary>
    private static void WriteMusts(StringBuilder page, ILookup<string, string> states, IReadOnlyList<Must> musts)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n# What the specification asks for\n\n{musts.Count} sentences that bind a runtime or a document, each with what proves it: {musts.Count(m => m.Scenarios.Count > 0)} with scenarios, ");
        page.Append(CultureInfo.InvariantCulture, $"{musts.Count(m => m.Scenarios.Count == 0 && m.Tests.Count > 0)} with tests alone, {musts.Count(m => m.Why.Length > 0)} that bind nobody here. {musts.Count(m => Gap(m, states).Length > 0)} hold in part.\n");
        foreach (var section in musts.GroupBy(m => m.Section, StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## Asked in {section.Key}\n\n");
            foreach (var must in section)
            {
                var proof = must.Why.Length > 0 ? must.Why : string.Join("; ", must.Scenarios.Concat(must.Tests.Select(t => $"`{t}`")));
                page.Append(CultureInfo.InvariantCulture, $"- {must.Says} – {proof}{(Gap(must, states) is { Length: > 0 } gap ? $" – gap: {gap}" : "")}\n");
            }
        }
    }

    private static string Gap(Must must, ILookup<string, string> states) => must.Gap.Length > 0 ? must.Gap
        : must.Scenarios.FirstOrDefault(s => states[s].Any(state => state != "holds")) is { } open ? $"see '{open}'" : "";
}
