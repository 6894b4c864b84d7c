namespace Millrace.Jq;

/// <summary>A compiled jq 1.8 filter. Immutable, safe for concurrent use.</summary>
public sealed class JqProgram
{
    private JqProgram(string source, IReadOnlyList<string> variables)
    {
        Source = source;
        Variables = variables;
    }

    public string Source { get; }

    /// <summary>The names (without <c>$</c>) of the declared variables that the filter really reads, in the order in which evaluation takes their values.</summary>
    public IReadOnlyList<string> Variables { get; }

    /// <param name="source">The filter's text.</param>
    /// <param name="variables">Names, without <c>$</c>, of global variables the filter may read.</param>
    /// <exception cref="JqCompileException">The text is no filter, or names a function or variable that is not defined.</exception>
    public static JqProgram Compile(string source, IReadOnlyList<string>? variables = null) => throw new NotSupportedException(source + variables);

    /// <summary>Every output of the filter, lazily.</summary>
    /// <param name="values">Values of <see cref="Variables"/>, in that order.</param>
    /// <exception cref="JqException">The filter raised an error (while enumerating).</exception>
    /// <exception cref="JqLimitException">A limit was reached (while enumerating).</exception>
    public IEnumerable<Json> Evaluate(Json input, ReadOnlyMemory<Json> values = default, JqOptions? options = null) => throw new NotSupportedException();

    /// <summary>The first output; <c>null</c> when there is none. The fast path for workflow expressions.</summary>
    public Json First(Json input, ReadOnlySpan<Json> values = default, JqOptions? options = null) => throw new NotSupportedException();
}

/// <summary>What one evaluation may use; reaching a limit ends it with a <see cref="JqLimitException"/>.</summary>
public sealed record JqLimits
{
    public static readonly JqLimits Default = new();

    public long StepsMax { get; init; } = 50_000_000;
    public int DepthMax { get; init; } = 10_000;

    /// <summary>Roughly the bytes of values built by one evaluation and alive in its outputs.</summary>
    public long OutputBytesMax { get; init; } = 256L << 20;

    public TimeSpan RegexTimeout { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>What an evaluation takes from outside. Nothing is taken from the machine unless it stands here.</summary>
public sealed record JqOptions
{
    public static readonly JqOptions Default = new();

    public JqLimits Limits { get; init; } = JqLimits.Default;

    /// <summary>Unix time in seconds for <c>now</c>; the workflow kernel passes the time of the journal entry.</summary>
    public double Now { get; init; }

    /// <summary>What <c>env</c> and <c>$ENV</c> show; empty unless the caller says otherwise.</summary>
    public Json Environment { get; init; } = Json.EmptyObject;
}

/// <summary>The text is no filter. Line and column count from 1.</summary>
public sealed class JqCompileException(string message, int line, int column) : Exception(message)
{
    public int Line { get; } = line;
    public int Column { get; } = column;
}

/// <summary>An error raised by a filter: <c>error(value)</c> or a built-in's refusal.</summary>
public sealed class JqException(Json value, string message) : Exception(message)
{
    public Json Value { get; } = value;
}

/// <summary>An evaluation reached a limit; <see cref="Code"/> is <c>jq.limit.steps</c>, <c>.depth</c>, <c>.output</c> or <c>.regex</c>. Not catchable by the filter.</summary>
public sealed class JqLimitException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
