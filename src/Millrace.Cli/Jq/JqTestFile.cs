using Millrace.Jq;
using Millrace.Jq.Text;

namespace Millrace.Cli.Jq;

/// <summary>One case of a jq test file: a program, an input and its outputs, or a program that must not compile.</summary>
internal sealed record JqTestCase(int Line, string Program, string Input, IReadOnlyList<string> Outputs, bool Fails, bool IgnoresMessage)
{
    /// <summary>The only variable jq's own tests find in the environment.</summary>
    private static readonly JqOptions Options = new() { Environment = Json.Object("PAGER", "less"), Now = 1_425_599_507 };

    /// <summary>Modules are the one part of the language that is not here: they are files.</summary>
    public bool NeedsModules => !Fails && (Program.StartsWith("import ", StringComparison.Ordinal)
        || Program.StartsWith("include ", StringComparison.Ordinal) || Program.StartsWith("modulemeta", StringComparison.Ordinal));

    /// <summary>Null when the case holds, else what is wrong.</summary>
    public string? Run()
    {
        JqProgram program;
        try
        {
            program = JqProgram.Compile(Program);
        }
        catch (JqCompileException e)
        {
            return !Fails ? $"does not compile: {e.Message}" : Compare(JqErrorText.Of(e, Program));
        }
        if (Fails) return "compiles, but must not";
        if (LenientJson.Parse(Input.TrimStart('\uFEFF'), out var error) is not { } input) return $"malformed input: {error}";
        return Compare(program, input);
    }

    private string? Compare(string message)
    {
        var expected = string.Join('\n', Outputs);
        return IgnoresMessage || message == expected ? null : $"fails with another message:\n{message}\ninstead of\n{expected}";
    }

    private string? Compare(JqProgram program, Json input)
    {
        using var outputs = program.Evaluate(input, default, Options).GetEnumerator();
        foreach (var line in Outputs)
        {
            if (LenientJson.Parse(line, out var error) is not { } expected) return $"malformed output: {error}";
            try
            {
                if (!outputs.MoveNext()) return $"has no further output instead of {line}";
            }
            catch (Exception e) when (e is JqException or JqLimitException)
            {
                return $"fails with {e.Message} instead of {line}";
            }
            if (!outputs.Current.Equals(expected) && outputs.Current.ToString() != expected.ToString()) return $"yields {outputs.Current} instead of {line}";
        }
        return HasMore(outputs) ? $"has a further output {outputs.Current}" : null;
    }

    /// <summary>An error after the expected outputs is no output.</summary>
    private static bool HasMore(IEnumerator<Json> outputs)
    {
        try
        {
            return outputs.MoveNext();
        }
        catch (JqException)
        {
            return false;
        }
    }
}

/// <summary>Reads jq's test files (jq 1.8, src/jq_test.c).</summary>
internal static class JqTestFile
{
    public static IEnumerable<JqTestCase> Read(TextReader text)
    {
        var number = 0;
        string? Next()
        {
            number++;
            return text.ReadLine();
        }
        while (Next() is { } line)
        {
            if (IsSkipped(line)) continue;
            var fails = line.StartsWith("%%FAIL", StringComparison.Ordinal);
            var ignoresMessage = line.Contains("IGNORE MSG", StringComparison.Ordinal);
            if (fails) line = Next() ?? "";
            var at = number;
            var input = fails ? "null" : Next() ?? "";
            var outputs = new List<string>();
            while (Next() is { } output && !IsSkipped(output)) outputs.Add(output);
            yield return new JqTestCase(at, line, input, outputs, fails, ignoresMessage);
        }
    }

    private static bool IsSkipped(string line) => line.AsSpan().Trim().Length == 0 || line.AsSpan().TrimStart()[0] == '#';
}

/// <summary>A compile error as jq prints it: message, place, the line and marks below the part that is meant.</summary>
internal static class JqErrorText
{
    public static string Of(JqCompileException e, string source)
    {
        var at = Math.Min(e.Place.Start, source.Length);
        var start = at == 0 ? 0 : source.LastIndexOf('\n', at - 1) + 1;
        var end = source.IndexOf('\n', at);
        if (end < 0) end = source.Length;
        var length = Math.Max(1, Math.Min(e.Place.End, end) - at);
        return $"jq: error: {e.Message} at <top-level>, line {e.Line}, column {e.Column}:\n    {source[start..end]}\n    {new string(' ', at - start)}{new string('^', length)}";
    }
}
