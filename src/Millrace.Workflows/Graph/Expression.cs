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

    private Expression(JqProgram program, string pointer)
    {
        _program = program;
        _names = [.. program.Variables];
        Pointer = pointer;
    }

    public string Source => _program.Source;

    /// <summary>JSON pointer of the expression in the document.</summary>
    public string Pointer { get; }

    /// <summary>Names it reads, of those that were in scope.</summary>
    public IReadOnlyList<string> Variables => _names;

    /// <param name="text">With or without the enclosing <c>${ }</c>.</param>
    /// <exception cref="JqCompileException">The text is no filter.</exception>
    public static Expression Compile(string text, IReadOnlyList<string> scope, string pointer) =>
        new(JqProgram.Compile(Strip(text), scope), pointer);

    /// <exception cref="JqException">The filter raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public Json Evaluate(Json input, IVariables variables)
    {
        if (_names.Length == 0) return _program.First(input, default, variables.Options);
        var values = new Json[_names.Length];
        for (var i = 0; i < values.Length; i++) values[i] = variables.Get(_names[i]);
        return _program.First(input, values, variables.Options);
    }

    public static bool IsEnclosed(string text)
    {
        var trimmed = text.AsSpan().Trim();
        return trimmed.StartsWith("${") && trimmed.EndsWith("}") && Template.ClosingBrace(trimmed, 2) == trimmed.Length - 1;
    }

    private static string Strip(string text) => IsEnclosed(text) ? text.AsSpan().Trim()[2..^1].Trim().ToString() : text;
}
