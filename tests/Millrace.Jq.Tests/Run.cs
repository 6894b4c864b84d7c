namespace Millrace.Jq.Tests;

/// <summary>Short ways to run filters in tests.</summary>
internal static class Run
{
    public static Json First(string filter, string input = "null", JqOptions? options = null) =>
        JqProgram.Compile(filter).First(JsonText.Parse(input), default, options);

    public static string Text(string filter, string input = "null", JqOptions? options = null) =>
        string.Join('\n', JqProgram.Compile(filter).Evaluate(JsonText.Parse(input), default, options));

    public static JqOptions Limited(long steps = 1_000_000, int depth = 1_000, long bytes = 4 << 20) =>
        new() { Limits = new JqLimits { StepsMax = steps, DepthMax = depth, OutputBytesMax = bytes, RegexTimeout = TimeSpan.FromMilliseconds(50) } };
}
