using Millrace.Cli.Jq;
using Millrace.Tests;

namespace Millrace.Jq.Tests;

public class ConformanceTests
{
    private const string Source = "github.com/jqlang/jq, tag jq-1.8.x, tests/jq.test and tests/man.test";

    /// <summary>Cases left out, by the beginning of the program, each with its reason.</summary>
    private static readonly (string Beginning, string Reason)[] Exceptions =
    [
        ("import ", "Modules are files, and the language here reads none."),
        ("include ", "Modules are files, and the language here reads none."),
        ("modulemeta", "Modules are files, and the language here reads none."),
    ];

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
        using var reader = new StreamReader(Path.Combine(Conformance.Folder("jq")!, file));
        var test = JqTestFile.Read(reader).Single(t => t.Line == line);
        var reason = test.Fails ? null : Exceptions.FirstOrDefault(e => program.StartsWith(e.Beginning, StringComparison.Ordinal)).Reason;
        Assert.SkipWhen(reason is not null, reason ?? "");
        Assert.Null(test.Run());
    }
}
