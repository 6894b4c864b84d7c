using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

/// <summary>The official suite for draft 2020-12: one case for each of its tests.</summary>
public sealed class JsonSchemaSuite
{
    /// <summary>Files that do not hold; the reason is told by the skip.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["optional/cross-draft.json"] = "A reference into a document of draft 2019-09 is refused when the schema is compiled: other drafts are not supported.",
    };

    public static TheoryData<string, int, int, string> Required => Cases("");

    public static TheoryData<string, int, int, string> Optional => Cases("optional");

    public static TheoryData<string, int, int, string> Formats => Cases(Path.Combine("optional", "format"));

    [Theory]
    [MemberData(nameof(Required))]
    public void Required_behaviour_holds(string file, int group, int test, string name) => Check(file, group, test, name, assertFormats: false);

    [Theory]
    [MemberData(nameof(Optional))]
    public void Optional_behaviour_holds(string file, int group, int test, string name) => Check(file, group, test, name, assertFormats: false);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Formats_are_asserted(string file, int group, int test, string name) => Check(file, group, test, name, assertFormats: true);

    private static TheoryData<string, int, int, string> Cases(string folder)
    {
        var cases = new TheoryData<string, int, int, string>();
        if (!SuiteFolder.IsPresent)
        {
            cases.Add(new TheoryDataRow<string, int, int, string>("", 0, 0, "") { Skip = SuiteFolder.Absent });
            return cases;
        }
        foreach (var file in SuiteFolder.Files(folder))
        {
            var groups = SuiteFolder.Groups(file);
            for (var g = 0; g < groups.Count; g++)
            {
                var tests = groups[g]["tests"].AsArray();
                for (var t = 0; t < tests.Count; t++)
                {
                    var name = $"{groups[g]["description"].AsString()}: {tests[t]["description"].AsString()}";
                    cases.Add(new TheoryDataRow<string, int, int, string>(file, g, t, name) { Skip = Exceptions.GetValueOrDefault(file) });
                }
            }
        }
        return cases;
    }

    private static void Check(string file, int group, int test, string name, bool assertFormats)
    {
        var source = SuiteFolder.Groups(file)[group];
        var schema = JsonSchema.Compile(source["schema"], new() { AssertFormats = assertFormats, Documents = SuiteFolder.Remotes });
        var (instance, valid) = (source["tests"][test]["data"], source["tests"][test]["valid"].AsBoolean());

        var errors = schema.Validate(instance);

        Assert.True(valid == schema.IsValid(instance), name);
        Assert.True(valid == (errors.Count == 0), name);
        Assert.All(errors, e => Assert.NotEmpty(e.Message));
    }
}
