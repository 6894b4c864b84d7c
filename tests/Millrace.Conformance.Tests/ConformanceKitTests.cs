using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Engine.Views;
using Millrace.Jq;

using Millrace.Workflows.Documents;
using Millrace.Workflows.Kernel;

namespace Millrace.Tests.Kits;

/// <summary>The scenarios of the specification's conformance kit, each on an engine of its own.</summary>
public sealed partial class ConformanceKitTests
{
    private const string Suite = "open-workflow";

    private static readonly string Skipped = Conformance.Skipped(Suite, "github.com/open-workflow-specification/specification (formerly serverlessworkflow/specification), DSL 1.0.3");

    public static IEnumerable<TheoryDataRow<string, string>> Scenarios() =>
        Conformance.Folder(Suite) is { } folder
            ? All(folder).Select(s => new TheoryDataRow<string, string>(s.Feature, s.Name))
            : [new TheoryDataRow<string, string>("", "") { Skip = Skipped }];

    [Fact]
    public void The_kit_has_all_its_scenarios()
    {
        Assert.SkipWhen(Conformance.Folder(Suite) is null, Skipped);
        Assert.Equal(21, All(Conformance.Folder(Suite)!).Count());
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario(string feature, string name)
    {
        var scenario = All(Conformance.Folder(Suite)!).Single(s => s.Feature == feature && s.Name == name);
        await using var kit = await Kit.OpenAsync();
        var definition = scenario.Steps.Single(s => s.Text == "a workflow with definition:").Block!;
        var input = scenario.Steps.SingleOrDefault(s => s.Text == "given the workflow input is:")?.Block;
        var run = await kit.RunAsync(definition, input is null ? Json.EmptyObject : Yaml(input));
        foreach (var step in scenario.Steps.SkipWhile(s => s.Text != "the workflow is executed").Skip(1)) Check(step, run);
    }

    private static void Check(FeatureStep step, RunHistory run)
    {
        var output = run.State.Output;
        switch (step.Text)
        {
            case "the workflow should complete":
                Assert.True(run.State.Phase == RunPhase.Completed, $"{run.State.Phase}: {run.State.Error}");
                return;
            case "the workflow should complete with output:":
                Assert.True(run.State.Phase == RunPhase.Completed, $"{run.State.Phase}: {run.State.Error}");
                Assert.Equal(Yaml(step.Block!).ToString(), output.ToString());
                return;
            case "the workflow should fault":
                Assert.Equal(RunPhase.Faulted, run.State.Phase);
                return;
            case "the workflow should fault with error:":
                Assert.Equal(RunPhase.Faulted, run.State.Phase);
                Assert.Equal(Yaml(step.Block!), run.State.Error!.ToJson());
                return;
        }
        if (HasProperties().Match(step.Text) is { Success: true } properties)
        {
            foreach (var path in properties.Groups[1].Captures) Assert.False(At(output, path.ToString()!).IsNull, $"no '{path}' in {output}");
        }
        else if (HasValue().Match(step.Text) is { Success: true } value)
        {
            Assert.Equal(Yaml(step.Block!), At(output, value.Groups[1].Value));
        }
        else if (HasItems().Match(step.Text) is { Success: true } items)
        {
            Assert.Equal(int.Parse(items.Groups[2].Value, CultureInfo.InvariantCulture), At(output, items.Groups[1].Value).AsArray().Count);
        }
        else if (RunOrder().Match(step.Text) is { Success: true } order)
        {
            CheckOrder(order, run.Steps.Values.Select(s => s.Node.Name).ToList());
        }
        else
        {
            Assert.Fail($"The kit says something this test does not understand: {step.Text}");
        }
    }

    private static void CheckOrder(Match order, List<string> ran)
    {
        var at = ran.IndexOf(order.Groups[1].Value);
        Assert.True(at >= 0, $"'{order.Groups[1].Value}' did not run");
        switch (order.Groups[2].Value)
        {
            case "first": Assert.Equal(0, at); break;
            case "last": Assert.Equal(ran.Count - 1, at); break;
            case "before": Assert.True(at < ran.IndexOf(order.Groups[3].Value)); break;
            default: Assert.True(at > ran.IndexOf(order.Groups[3].Value) && ran.Contains(order.Groups[3].Value)); break;
        }
    }

    private static IEnumerable<Scenario> All(string folder) =>
        Directory.GetFiles(Path.Combine(folder, "ctk"), "*.feature").Order(StringComparer.Ordinal).SelectMany(Feature.Read);

    private static Json Yaml(string text) => DocumentReader.Read(text).Value;

    private static Json At(Json value, string path) => path.Split('.').Aggregate(value, (v, key) => v[key]);

    [GeneratedRegex(@"^the workflow output should have properties (?:'([^']+)'(?:, )?)+$")]
    private static partial Regex HasProperties();

    [GeneratedRegex(@"^the workflow output should have a '([^']+)' property with value:$")]
    private static partial Regex HasValue();

    [GeneratedRegex(@"^the workflow output should have a '([^']+)' property containing (\d+) items$")]
    private static partial Regex HasItems();

    [GeneratedRegex(@"^(\w+) should run (first|last|before|after)(?: (\w+))?$")]
    private static partial Regex RunOrder();
}
