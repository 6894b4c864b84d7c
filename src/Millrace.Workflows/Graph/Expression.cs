using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>What an expression may read by name: <c>context</c>, <c>input</c>, <c>task</c>, a loop's <c>item</c>, …</summary>
public interface IVariables
{
    /// <param name="name">Without the dollar sign; only names the expression was compiled with are asked for.</param>
    Json Get(string name);

    JqOptions Options { get; }
}

/// <summary>A runtime expression of the workflow language (dsl.md, Runtime Expressions): one jq filter, first output, no output is null.</summary>
public sealed class Expression
{
    private readonly JqProgram _program;
    private readonly string[] _names;

    private Expression(JqProgram program, string pointer, int start)
    {
        _program = program;
        _names = [.. program.Variables];
        Pointer = pointer;
        Start = start;
    }

    public string Source => _program.Source;

    /// <summary>JSON pointer of the expression in the document.</summary>
    public string Pointer { get; }

    /// <summary>Where <see cref="Source"/> begins in the string it was written in.</summary>
    public int Start { get; }

    internal JqProgram Program => _program;

    /// <summary>Names it reads, of those that were in scope.</summary>
    public IReadOnlyList<string> Variables => _names;

    /// <param name="text">With or without the enclosing <c>${ }</c>.</param>
    /// <exception cref="JqCompileException">The text is no filter; line and column count within <paramref name="text"/>.</exception>
    public static Expression Compile(string text, IReadOnlyList<string> scope, string pointer) => Compile(text, .., scope, pointer);

    /// <summary>Compiles the part of a string that holds an expression, with or without the enclosing <c>${ }</c>.</summary>
    internal static Expression Compile(string text, Range range, IReadOnlyList<string> scope, string pointer)
    {
        var (start, length) = range.GetOffsetAndLength(text.Length);
        var part = text.AsSpan(start, length);
        if (IsEnclosed(part))
        {
            start += part.Length - part.TrimStart().Length + 2;
            part = part.Trim()[2..^1];
        }
        start += part.Length - part.TrimStart().Length;
        try
        {
            return new(JqProgram.Compile(part.Trim().ToString(), scope), pointer, start);
        }
        catch (JqCompileException e)
        {
            throw Moved(e, text, start);
        }
    }

    /// <exception cref="JqException">The filter raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public Json Evaluate(Json input, IVariables variables)
    {
        if (_names.Length == 0) return _program.First(input, default, variables.Options);
        var values = new Json[_names.Length];
        for (var i = 0; i < values.Length; i++) values[i] = variables.Get(_names[i]);
        return _program.First(input, values, variables.Options);
    }

    public static bool IsEnclosed(string text) => IsEnclosed(text.AsSpan());

    private static bool IsEnclosed(ReadOnlySpan<char> text)
    {
        var trimmed = text.Trim();
        return trimmed.StartsWith("${") && trimmed.EndsWith("}") && Template.ClosingBrace(trimmed, 2) == trimmed.Length - 1;
    }

    /// <summary>The same error, its place counted from the beginning of the string the filter stands in.</summary>
    private static JqCompileException Moved(JqCompileException e, string text, int start)
    {
        var before = text.AsSpan(0, start);
        var line = before.Count('\n') + e.Line;
        var column = e.Line == 1 ? start - (before.LastIndexOf('\n') + 1) + e.Column : e.Column;
        return new(e.Message, line, column);
    }
}
