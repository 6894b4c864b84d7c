using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>Calls that are not made here, each with what is used instead.</summary>
public sealed class BannedCallTests
{
    private sealed record Banned(string Pattern, string Instead, string Under, params string[] Except);

    private static readonly Banned[] Calls =
    [
        new(@"DateTime(Offset)?\.(Utc)?Now\b", "TimeProvider", "src/"),
        new(@"\bThread\.Sleep\(", "a signal, or TimeProvider", ""),
        new(@"\bTask\.Delay\(", "a signal, a ManualTime or PeriodicTimer", "tests/"),
        new(@"\.GetAwaiter\(\)\.GetResult\(\)", "await", "src/"),
        new(@"\.Wait\(\);", "await", "src/", "src/Millrace.Storage/"),
        new(@"Environment\.Exit\(", "a return code", "src/"),
        new(@"\bConsole\.Write", "the logger, or the command line's own output", "src/", "src/Millrace.Cli/", "src/Millrace.Server/"),
        new(@"\bNSubstitute\b|\bMoq\b", "a fake in tests/Shared", "tests/"),
    ];

    [Fact]
    public void Banned_calls_are_not_made()
    {
        var found = from file in Tree.Sources()
                    where !file.StartsWith("tests/Millrace.Tidy.Tests/", StringComparison.Ordinal)
                    from call in Calls
                    where file.StartsWith(call.Under, StringComparison.Ordinal) && !call.Except.Any(e => file.StartsWith(e, StringComparison.Ordinal))
                    from line in Tree.Lines(file).Select((text, index) => (Text: text, Number: index + 1))
                    where Regex.IsMatch(line.Text, call.Pattern)
                    select $"{file}:{line.Number}: use {call.Instead}";
        Assert.Empty(found);
    }
}
