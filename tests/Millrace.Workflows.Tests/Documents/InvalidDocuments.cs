using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

/// <summary>
/// Each file under Documents/Invalid begins with comments that say which errors it must give:
/// <c># code line:column pointer</c>.
/// </summary>
public sealed class InvalidDocuments
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Documents", "Invalid");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Folder, "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Is_refused_with_exactly_the_located_errors_it_declares(string file)
    {
        var source = File.ReadAllText(Path.Combine(Folder, file + ".yaml"));
        var expected = source.Split('\n').TakeWhile(l => l.StartsWith("# ", StringComparison.Ordinal)).Select(l => l[2..]).ToList();

        var result = WorkflowLoader.Load(source);

        var errors = result.Diagnostics.Where(d => d.Severity == Severity.Error)
            .Select(d => $"{d.Code} {d.Line}:{d.Column} {(d.Pointer.Length == 0 ? "(document)" : d.Pointer)}");
        Assert.NotEmpty(expected);
        Assert.Equal(expected, errors);
        Assert.Null(result.Workflow);
        Assert.False(result.IsExecutable);
        Assert.All(result.Diagnostics, d => Assert.False(string.IsNullOrWhiteSpace(d.Message)));
    }
}
