namespace Millrace.Tidy.Tests;

/// <summary>A ratchet: past the stop size a file is split by noun. The list of exceptions only shrinks.</summary>
public sealed class SizeTests
{
    private const int CSharpMax = 400;
    private const int TypeScriptMax = 300;

    /// <summary>Files that are longer, with the length they must not pass and why.</summary>
    private static readonly Dictionary<string, (int Max, string Why)> Exceptions = [];

    [Fact]
    public void No_file_is_too_long_to_read_in_one_sitting()
    {
        var long_ = Tree.Files.Where(f => !f.Contains(".gen.", StringComparison.Ordinal))
            .Select(f => (File: f, Max: f.EndsWith(".cs", StringComparison.Ordinal) ? CSharpMax : f.EndsWith(".ts", StringComparison.Ordinal) || f.EndsWith(".tsx", StringComparison.Ordinal) ? TypeScriptMax : int.MaxValue))
            .Where(f => f.Max < int.MaxValue)
            .Select(f => (f.File, Max: Exceptions.TryGetValue(f.File, out var exception) ? exception.Max : f.Max, Length: Tree.Lines(f.File).Length))
            .Where(f => f.Length > f.Max)
            .Select(f => $"{f.File} has {f.Length} lines, at most {f.Max}");
        Assert.Empty(long_);
    }

    [Fact]
    public void Every_exception_is_still_needed()
    {
        Assert.All(Exceptions, e => Assert.True(Tree.Lines(e.Key).Length > CSharpMax, $"{e.Key} needs no exception any more"));
    }
}
