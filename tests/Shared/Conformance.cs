namespace Millrace.Tests;

/// <summary>
/// Where the outside suites lie. They are not part of this repository: the folder that <c>MILLRACE_CONFORMANCE</c> names, or
/// <c>shared/conformance</c> beside the repository.
/// </summary>
internal static class Conformance
{
    private static readonly Dictionary<string, string> Sources = new()
    {
        ["jq"] = "tests/jq.test and tests/man.test of github.com/jqlang/jq at tag jq-1.8.0",
        ["json-schema"] = "github.com/json-schema-org/JSON-Schema-Test-Suite, draft2020-12",
        ["open-workflow"] = "github.com/open-workflow-specification/specification (formerly serverlessworkflow/specification), DSL 1.0.3",
    };

    /// <returns>Null when the suite is not on this machine.</returns>
    public static string? Folder(string suite)
    {
        var root = Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE") ?? Beside();
        var folder = root is null ? null : Path.Combine(root, suite);
        return Directory.Exists(folder) ? folder : null;
    }

    /// <summary>The reason of a test that is skipped for want of a suite.</summary>
    public static string Absent(string suite) =>
        $"The suite '{suite}' is not on this machine. It is {Sources[suite]}; put it into a folder '{suite}' and name its parent in MILLRACE_CONFORMANCE.";

    /// <summary>The same, where the test itself names the suite's source.</summary>
    public static string Skipped(string suite, string source) =>
        $"The suite '{suite}' is not on this machine. It is {source}; put it into a folder '{suite}' and name its parent in MILLRACE_CONFORMANCE.";

    private static string? Beside()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx")))
                return folder.Parent is null ? null : Path.Combine(folder.Parent.FullName, "shared", "conformance");
        }
        return null;
    }
}
