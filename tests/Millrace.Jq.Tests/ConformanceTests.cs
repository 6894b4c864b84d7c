using Millrace.Cli.Jq;
using Millrace.Tests;

namespace Millrace.Jq.Tests;

public class ConformanceTests
{
    private const string Source = "github.com/jqlang/jq, tag jq-1.8.x, tests/jq.test and tests/man.test";

    /// <summary>Cases left out, each with its reason: the program's text, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new(StringComparer.Ordinal)
    {
    };

    public static TheoryData<string, int, string> Cases(string file)
    {
        var data = new TheoryData<string, int, string>();
        if (Conformance.Folder("jq") is not { } folder) return new TheoryData<string, int, string> { { file, 0, "" } };
        using var reader = new StreamReader(Path.Combine(folder, file));
        foreach (var test in JqTestFile.Read(reader)) data.Add(file, test.Line, test.Program);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases), "jq.test")]
    [MemberData(nameof(Cases), "man.test")]
    public void A_case_of_the_public_suite_holds(string file, int line, string program)
    {
        Assert.SkipWhen(line == 0, Conformance.Skipped("jq", Source));
        Assert.SkipWhen(Exceptions.TryGetValue(program, out var reason), reason ?? "");
        using var reader = new StreamReader(Path.Combine(Conformance.Folder("jq")!, file));
        var test = JqTestFile.Read(reader).Single(t => t.Line == line);
        Assert.Null(test.Run());
    }
}
