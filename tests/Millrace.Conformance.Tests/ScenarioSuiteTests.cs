using System.Runtime.CompilerServices;
using Millrace.Testing;
using Millrace.Testing.Scenarios;
using Sentence = Millrace.Testing.Scenarios.Scenario;

namespace Millrace.Tests.Kits;

/// <summary>Our own suite beside the specification's: its sentences as scenarios, each as it is and with a crash after each of its writes.</summary>
public sealed class ScenarioSuiteTests
{
    /// <summary>Fewer would mean that a file is not found any more.</summary>
    private const int ScenariosMin = 300;

    private static readonly IReadOnlyList<ScenarioFile> Files = [.. Directory.GetFiles(Folder(), "*.scenarios.yaml").Order(StringComparer.Ordinal)
        .Select(f => ScenarioReader.Read(Path.GetRelativePath(Root(), f), File.ReadAllText(f)))];

    public static IEnumerable<TheoryDataRow<string, string>> All() => Rows(_ => true);

    public static IEnumerable<TheoryDataRow<string, string>> Crashing() => Rows(s => s.Restart is { Forbidden: false, AfterRecord: null });

    [Theory]
    [MemberData(nameof(All))]
    public void Holds(string file, string name) => Play(file, name, everywhere: false);

    [Theory]
    [MemberData(nameof(Crashing))]
    public void Holds_with_a_crash_after_each_write(string file, string name) => Play(file, name, everywhere: true);

    [Fact]
    public void The_suite_is_read_as_a_whole()
    {
        Assert.All(Files, f => Assert.True(f.Findings.Count == 0, $"{f.Path}: {string.Join("\n", f.Findings)}"));
        Assert.True(Files.Sum(f => f.Scenarios.Count) >= ScenariosMin);
    }

    [Fact]
    public void Each_sentence_is_said_once_and_has_its_section()
    {
        var all = Files.SelectMany(f => f.Scenarios).ToList();
        Assert.Empty(all.GroupBy(s => s.Name).Where(g => g.Count() > 1).Select(g => g.Key));
        Assert.Empty(all.Where(s => s.Spec.Split('#') is not ["dsl" or "dsl-reference", { Length: > 0 }]).Select(s => s.Name));
    }

    [Fact]
    public void The_page_about_it_is_current() =>
        Assert.Equal(ScenarioSummary.OfFiles(Files, MustsTests.All), File.ReadAllText(Path.Combine(Root(), "docs", "conformance.md")));

    private static void Play(string file, string name, bool everywhere)
    {
        var scenario = Files.Single(f => Path.GetFileName(f.Path) == file).Scenarios.Single(s => s.Name == name);
        var result = ScenarioRunner.Run(scenario, everywhere);
        Assert.True(result.Passed, $"{scenario.File}:{scenario.Line}\n{string.Join("\n", result.Failures)}");
    }

    private static IEnumerable<TheoryDataRow<string, string>> Rows(Func<Sentence, bool> chosen) =>
        from file in Files
        from scenario in file.Scenarios
        where chosen(scenario)
        select new TheoryDataRow<string, string>(Path.GetFileName(file.Path), scenario.Name) { Skip = scenario.Gap.Length == 0 ? null : $"gap: {scenario.Gap}" };

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "scenarios");

    private static string Root() => Path.GetFullPath(Path.Combine(Folder(), "..", "..", ".."));
}
