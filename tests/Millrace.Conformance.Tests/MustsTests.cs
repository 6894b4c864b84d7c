using System.Runtime.CompilerServices;
using Millrace.Testing.Scenarios;

namespace Millrace.Tests.Kits;

/// <summary>The list of what the specification asks for: it is whole, and each sentence has a proof that is there.</summary>
public sealed class MustsTests
{
    private const string Suite = "open-workflow";

    private static readonly string Scenarios = Path.Combine(Path.GetDirectoryName(Here())!, "scenarios");

    internal static readonly IReadOnlyList<Must> All = Musts.Read(File.ReadAllText(Path.Combine(Scenarios, "open-workflow.musts.yaml")));

    [Fact]
    public void Each_sentence_has_a_proof_or_says_why_it_needs_none()
    {
        Assert.Empty(All.Where(m => (m.Scenarios.Count + m.Tests.Count == 0) == (m.Why.Length == 0)).Select(m => $"{m.Section}: {m.Says}"));
        Assert.Empty(All.GroupBy(m => (m.Section, m.Says)).Where(g => g.Count() > 1).Select(g => $"{g.Key}"));
    }

    [Fact]
    public void Each_scenario_that_proves_one_is_there()
    {
        var names = Directory.GetFiles(Scenarios, "*.scenarios.yaml").SelectMany(f => ScenarioReader.Read(f, File.ReadAllText(f)).Scenarios).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(All.SelectMany(m => m.Scenarios).Where(s => !names.Contains(s)).Distinct());
    }

    [Fact]
    public void Each_test_that_proves_one_is_there()
    {
        var sources = Directory.GetFiles(Path.GetFullPath(Path.Combine(Scenarios, "..", "..")), "*Tests.cs", SearchOption.AllDirectories).ToLookup(Path.GetFileNameWithoutExtension, StringComparer.Ordinal);
        var absent = All.SelectMany(m => m.Tests).Where(t => t.Split('.') is not [var subject, var method]
            || !sources[subject].Any(f => File.ReadAllText(f).Contains($" {method}(", StringComparison.Ordinal)));
        Assert.Empty(absent.Distinct());
    }

    [Fact]
    public void Every_sentence_that_binds_somebody_is_listed()
    {
        Assert.SkipWhen(Conformance.Folder(Suite) is null, Conformance.Skipped(Suite, "github.com/open-workflow-specification/specification (formerly serverlessworkflow/specification), DSL 1.0.3"));
        string[] documents = ["dsl", "dsl-reference"];
        var said = documents.SelectMany(d => SpecificationText.Read(d, File.ReadLines(Path.Combine(Conformance.Folder(Suite)!, $"{d}.md")))).ToList();
        Assert.True(said.Count > 250, $"only {said.Count} sentences were found");
        Assert.Empty(said.Where(s => !All.Any(m => IsOf(m, s))).Select(s => $"{s.Section}: {s.Text}"));
        Assert.Empty(All.Where(m => !said.Exists(s => IsOf(m, s))).Select(m => $"{m.Section}: {m.Says}"));
    }

    [Fact]
    public void A_sentence_is_found_in_text_and_in_tables_and_not_in_examples()
    {
        var said = SpecificationText.Read("doc", """
            # One Thing
            It is good. Runtimes **must** [do](x.md) it. It may rest.
            ```yaml
            this: must not count
            ```
            ### Properties
            | Name | Type | Required | Description |
            |:--|:---:|:---:|:---|
            | a.b | `string` | `yes` | Says it.<br>*Defaults to `c`.* |
            | d | `string` | `no` | Says more. |
            """.Split('\n'));
        Assert.Equal([new("doc#one-thing", "Runtimes must do it."), new("doc#one-thing", "a.b is required"), new("doc#one-thing", "a.b: Defaults to c.")], said);
    }

    private static bool IsOf(Must must, BindingSentence sentence) => must.Section == sentence.Section && sentence.Text.StartsWith(must.Says, StringComparison.Ordinal);

    private static string Here([CallerFilePath] string here = "") => here;
}
