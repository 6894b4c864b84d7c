using Millrace.Cli.Api;

namespace Millrace.Cli.Views;

/// <summary>Draws problems the way compilers do: what, where, and the line with a caret under the place.</summary>
internal sealed class FindingView(Terminal terminal, TextWriter to)
{
    private const int LineMax = 160;

    /// <summary>A problem of a document in a file.</summary>
    public void Draw(Problem problem, string file, string source)
    {
        if (problem.Errors.Count == 0)
        {
            Draw(problem);
            return;
        }
        Draw(problem.Errors, file, source);
    }

    public void Draw(IReadOnlyList<Finding> findings, string file, string source)
    {
        var lines = source.Split('\n');
        foreach (var finding in findings) Draw(finding, file, lines);
    }

    /// <summary>A problem of a request: what was refused, and each place in the input.</summary>
    public void Draw(Problem problem)
    {
        to.WriteLine($"{terminal.Paint("error", Ink.Bad)} {problem.Code}: {Terminal.Clean(problem.Detail ?? problem.Title)}");
        foreach (var finding in problem.Errors)
        {
            var place = finding.Line is { } line ? $"line {line}, column {finding.Column}" : finding.Pointer is "" or null ? "(the whole value)" : finding.Pointer;
            to.WriteLine($"  {terminal.Paint(Terminal.Clean(place), Ink.Strong)}: {Terminal.Clean(finding.Message)}");
            if (finding.Schema is { } schema) to.WriteLine($"    {terminal.Paint($"schema {Terminal.Clean(schema)}", Ink.Faint)}");
            if (finding.Expected is { } expected) to.WriteLine($"    {terminal.Paint($"expected {Terminal.Clean(expected)}", Ink.Faint)}");
        }
    }

    private void Draw(Finding finding, string file, string[] lines)
    {
        var label = terminal.Paint(finding.IsError ? "error" : "warning", finding.IsError ? Ink.Bad : Ink.Warn);
        to.WriteLine($"{label}{(finding.Code is null ? "" : $" {finding.Code}")}: {Terminal.Clean(finding.Message)}");
        if (finding.Line is not { } line) return;
        var column = Math.Max(1, finding.Column ?? 1);
        to.WriteLine($"  --> {file}:{line}:{column}{(finding.Pointer is { Length: > 0 } p ? $"  ({Terminal.Clean(p)})" : "")}");
        if (line > lines.Length) return;
        var number = line.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var gutter = new string(' ', number.Length);
        var (text, caretAt) = Window(lines[line - 1].TrimEnd('\r'), column);
        to.WriteLine($" {gutter} |");
        to.WriteLine($" {number} | {Terminal.Clean(text)}");
        to.WriteLine($" {gutter} | {new string(' ', caretAt)}{terminal.Paint(Caret(text, caretAt), finding.IsError ? Ink.Bad : Ink.Warn)}");
        if (finding.Expected is { } expected) to.WriteLine($" {gutter} = expected {Terminal.Clean(expected)}");
        to.WriteLine();
    }

    /// <summary>The part of a long line around the column; tabs become one space so that the caret stands right.</summary>
    private static (string Text, int CaretAt) Window(string line, int column)
    {
        line = line.Replace('\t', ' ');
        var at = Math.Min(column - 1, line.Length);
        if (line.Length <= LineMax) return (line, at);
        var start = Math.Clamp(at - LineMax / 2, 0, line.Length - LineMax);
        return (string.Concat(start > 0 ? "…" : "", line.AsSpan(start, LineMax)), at - start + (start > 0 ? 1 : 0));
    }

    /// <summary>As many carets as the word at the place has characters.</summary>
    private static string Caret(string text, int at)
    {
        var end = at;
        while (end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] is not (':' or ',' or ']' or '}')) end++;
        return new string('^', Math.Max(1, end - at));
    }
}
