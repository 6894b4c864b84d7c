using System.Text.RegularExpressions;
using Millrace.Jq;
using Millrace.Tests;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Documents;

/// <summary>The loader against the specification's own examples, conformance kit and schema.</summary>
public sealed partial class SpecificationTests
{
    private static string Folder()
    {
        var folder = Conformance.Folder("open-workflow");
        Assert.SkipWhen(folder is null, Conformance.Skipped("open-workflow", "the folders examples, ctk and schema of the specification's repository, open-workflow-specification/specification (formerly serverlessworkflow/specification)"));
        return folder!;
    }

    [Fact]
    public void Every_example_loads_and_only_what_cannot_run_yet_is_marked()
    {
        var files = Directory.GetFiles(Path.Combine(Folder(), "examples"), "*.yaml");
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var result = WorkflowLoader.Load(File.ReadAllText(file));
            var other = result.Diagnostics.Where(d => d.Code != "workflow.unsupported").Select(d => $"{Path.GetFileName(file)} {d.Line}:{d.Column} {d.Code} {d.Message}");
            Assert.Empty(other);
            Assert.NotNull(result.Workflow);
        }
    }

    [Fact]
    public void Every_workflow_of_the_conformance_kit_loads_and_can_run()
    {
        var count = 0;
        foreach (var file in Directory.GetFiles(Path.Combine(Folder(), "ctk"), "*.feature"))
        {
            foreach (Match match in Definition().Matches(File.ReadAllText(file)))
            {
                count++;
                var result = WorkflowLoader.Load(match.Groups[1].Value);
                Assert.Empty(result.Diagnostics.Select(d => $"{Path.GetFileName(file)} {d.Line}:{d.Column} {d.Code} {d.Message}"));
                Assert.True(result.IsExecutable);
            }
        }
        Assert.True(count >= 20, $"{count} workflows found");
    }

    /// <summary>Where the loader and the schema differ on purpose: the mutation, as a pattern, and why.</summary>
    private static readonly (bool Accepts, Regex Where, string Why)[] Differences =
    [
        (true, new(@"/run/workflow/input="), "the reference allows any value as the input of a child"),
        (false, new(@"/run/workflow/version="), "neither a version nor a range of versions: no definition could be found by it"),
        (true, new(@"/with/query(/|=|\+)"), "the reference allows any value in a query"),
        (false, new(@"^(\+zzz|\w+->zzz)$"), "the schema leaves the root open; a misspelt section would be ignored"),
        (false, new(@"/emit/event(=|-with|with->zzz)"), "an event without attributes cannot be emitted"),
        (false, new(@"/catch/errors(\+zzz|with->zzz|=|/with)"), "a filter on members that no error has would be ignored, or match nothing"),
        (false, new(@"/(as|at|each|item)="), "a variable that no expression could name"),
        (false, new(@"/correlate/\w+\+zzz"), "left open by omission"),
        (false, new(@"/with(/transport|/stdio|/client|parameters->zzz|\+zzz)"), "the arguments of mcp are left open by omission"),
        (false, new(@"/oauth2/endpoints"), "left open by omission; their paths are URIs"),
        (false, new(@"/authentications/\w+\+zzz"), "left open by omission"),
        (false, new(@"/script/language="), "the reference supports js and python"),
        (false, new(@"/schema/document="), "a JSON Schema is an object or a boolean"),
    ];

    [Fact]
    public void Documents_changed_at_one_place_are_refused_exactly_when_the_official_schema_refuses_them()
    {
        var folder = Folder();
        var schema = JsonSchema.Compile(DocumentReader.Read(File.ReadAllText(Path.Combine(folder, "schema", "workflow.yaml"))).Value);
        var (count, unexplained) = (0, new SortedSet<string>(StringComparer.Ordinal));
        foreach (var file in Directory.GetFiles(Path.Combine(folder, "examples"), "*.yaml"))
        {
            var document = DocumentReader.Read(File.ReadAllText(file)).Value;
            foreach (var (where, changed) in Mutations(document).Prepend(("", document)))
            {
                count++;
                var findings = new Findings(new SourceMap("", new SourceNode(default, 0, default)));
                Dsl.Workflow.Check(changed, "", findings);
                if (schema.IsValid(changed) == !findings.Any) continue;
                if (!Differences.Any(d => d.Accepts == !findings.Any && d.Where.IsMatch(where)))
                    unexplained.Add($"{(findings.Any ? "refused" : "accepted")} {Path.GetFileName(file)} {where}");
            }
        }
        Assert.Empty(unexplained);
        Assert.True(count > 15_000, $"{count} documents compared");
    }

    private static IEnumerable<(string Where, Json Document)> Mutations(Json value)
    {
        foreach (var (key, member) in value.ObjectOrNull ?? JsonObject.Empty)
        {
            yield return ($"-{key}", value.AsObject().Without(key));
            yield return ($"{key}->zzz", value.AsObject().Without(key).With("zzz", member));
            foreach (var (where, changed) in Mutations(member)) yield return ($"/{key}{where}", value.AsObject().With(key, changed));
        }
        if (value.IsObject) yield return ("+zzz", value.AsObject().With("zzz", 1));
        for (var i = 0; i < (value.ArrayOrNull?.Count ?? 0); i++)
            foreach (var (where, changed) in Mutations(value[i])) yield return ($"/{i}{where}", value.AsArray().With(i, changed));
        foreach (var other in new Json[] { Json.Null, 5, 1.5, "zzz", "${ .x }", "a b", true, Json.EmptyArray, Json.EmptyObject, Json.Array("x"), Json.Object("zzz", 1) })
            yield return ($"={other}", other);
    }

    [GeneratedRegex("Given a workflow with definition:\\s*\"\"\"yaml\\n(.*?)\\n\\s*\"\"\"", RegexOptions.Singleline)]
    private static partial Regex Definition();
}
