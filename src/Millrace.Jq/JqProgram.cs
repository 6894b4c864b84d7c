using System.Collections.Concurrent;
using Millrace.Jq.Compilation;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq;

/// <summary>A compiled jq 1.8 filter. Immutable, safe for concurrent use.</summary>
public sealed class JqProgram
{
    /// <summary>The longest filter, in characters.</summary>
    public const int SourceLengthMax = 1_000_000;

    private const int CacheMax = 1_024;
    private const int CachedLengthMax = 10_000;

    private static readonly ConcurrentDictionary<(string Source, string Variables), JqProgram> Cache = new();

    [ThreadStatic]
    private static Machine? _idle;

    private readonly Function _main;

    private JqProgram(string source, IReadOnlyList<string> variables, Function main)
    {
        Source = source;
        Variables = variables;
        _main = main;
    }

    public string Source { get; }

    /// <summary>The names (without <c>$</c>) of the declared variables that the filter really reads, in the order in which evaluation takes their values.</summary>
    public IReadOnlyList<string> Variables { get; }

    /// <summary>Parses and compiles a filter, or takes it from a bounded cache when the same text was compiled before.</summary>
    /// <param name="source">The filter's text.</param>
    /// <param name="variables">Names, without <c>$</c>, of global variables the filter may read.</param>
    /// <exception cref="JqCompileException">The text is no filter, or names a function or variable that is not defined.</exception>
    public static JqProgram Compile(string source, IReadOnlyList<string>? variables = null)
    {
        variables ??= [];
        if (source.Length > CachedLengthMax) return CompileNew(source, variables);
        var key = (source, string.Join('\0', variables));
        if (Cache.TryGetValue(key, out var known)) return known;
        var program = CompileNew(source, variables);
        // Dropping all now and then is as good as any order of eviction for texts that come from a few documents.
        if (Cache.Count >= CacheMax) Cache.Clear();
        return Cache[key] = program;
    }

    /// <summary>Every output of the filter, lazily.</summary>
    /// <param name="input">What <c>.</c> is.</param>
    /// <param name="values">Values of <see cref="Variables"/>, in that order.</param>
    /// <param name="options">Limits and what comes from outside; <see cref="JqOptions.Default"/> when left out.</param>
    /// <exception cref="JqException">The filter raised an error (while enumerating).</exception>
    /// <exception cref="JqLimitException">A limit was reached (while enumerating).</exception>
    public IEnumerable<Json> Evaluate(Json input, ReadOnlyMemory<Json> values = default, JqOptions? options = null)
    {
        Check(values.Length);
        return Outputs(input, values.ToArray(), options ?? JqOptions.Default);
    }

    /// <summary>The first output; <c>null</c> when there is none. The fast path for workflow expressions.</summary>
    /// <exception cref="JqException">The filter raised an error.</exception>
    /// <exception cref="JqLimitException">A limit was reached.</exception>
    public Json First(Json input, ReadOnlySpan<Json> values = default, JqOptions? options = null)
    {
        Check(values.Length);
        var m = _idle ?? new Machine();
        _idle = null;
        m.Start(options ?? JqOptions.Default);
        if (values.Length > 0) m.Globals = values.ToArray();
        try
        {
            if (_main.First is not { } single) return Begin(m, input) ? Counted(m, m.Value) : default;
            m.Frame = _main.SlotCount == 0 ? Frame.Empty : NewFrame();
            var value = single.Eval(m, input);
            return value.IsSignal ? Settle(value) : Counted(m, value);
        }
        finally
        {
            m.Clear();
            _idle = m;
        }
    }

    private IEnumerable<Json> Outputs(Json input, Json[] values, JqOptions options)
    {
        var m = new Machine { Globals = values };
        m.Start(options);
        if (_main.Single is { } single)
        {
            m.Frame = NewFrame();
            var value = single.Eval(m, input);
            if (value.IsSignal)
            {
                if (Signal.Of(value).Kind == SignalKind.Error) Settle(value);
                yield break;
            }
            yield return Counted(m, value);
            yield break;
        }
        for (var more = Begin(m, input); more; more = m.Retry())
        {
            yield return Counted(m, m.Value);
        }
    }

    private static Json Counted(Machine m, Json output)
    {
        m.CountOutput(output);
        return output;
    }

    private bool Begin(Machine m, Json input)
    {
        m.Frame = NewFrame();
        m.Value = input;
        return m.Advance(_main.Values);
    }

    private Frame NewFrame() => new(new Json[_main.SlotCount], null, null, null, [], 0);

    private static Json Settle(Json value)
    {
        var signal = Signal.Of(value);
        return signal.Kind == SignalKind.Error ? throw Fault.Uncaught(signal.Value) : default;
    }

    private void Check(int values)
    {
        if (values < Variables.Count) throw new ArgumentException($"The filter reads {Variables.Count} variables, {values} values were given.");
    }

    private static JqProgram Build(string source, IReadOnlyList<string> variables)
    {
        var node = Parser.ParseFilter(source);
        var resolver = new Resolver(variables);
        resolver.Resolve(node);
        int[] used = [.. resolver.Used];
        var places = new int[variables.Count];
        for (var i = 0; i < used.Length; i++) places[used[i]] = i;
        return new JqProgram(source, [.. used.Select(i => variables[i])], Compiler.Compile(node, places));
    }

    private static JqProgram CompileNew(string source, IReadOnlyList<string> variables)
    {
        if (source.Length > SourceLengthMax) throw new JqCompileException($"The filter has more than {SourceLengthMax} characters", 1, 1);
        try
        {
            return Build(source, variables);
        }
        catch (SyntaxError e)
        {
            throw JqCompileException.Of(e, source);
        }
    }
}

/// <summary>What one evaluation may use; reaching a limit ends it with a <see cref="JqLimitException"/>.</summary>
public sealed record JqLimits
{
    public static readonly JqLimits Default = new();

    public long StepsMax { get; init; } = 50_000_000;

    /// <summary>Calls that wait for one another; calls in tail position do not.</summary>
    public int DepthMax { get; init; } = 10_000;

    /// <summary>Roughly the bytes of values built by one evaluation and alive in its outputs.</summary>
    public long OutputBytesMax { get; init; } = 256L << 20;

    /// <summary>For one match, and for all slow matches of an evaluation together.</summary>
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

    /// <summary>The zone of <c>localtime</c> and <c>strflocaltime</c>.</summary>
    public TimeZoneInfo LocalTimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Takes what <c>debug</c> and <c>stderr</c> (the first argument) pass on.</summary>
    public Action<string, Json>? Messages { get; init; }

    /// <summary>Gives <c>input</c> its values, null when there are no more.</summary>
    public Func<Json?>? NextInput { get; init; }

    /// <summary>What <c>input_filename</c> shows.</summary>
    public Json InputFilename { get; init; }

    /// <summary>Whether <c>halt</c> ends the evaluation with <see cref="Builtins.JqHalt"/>.</summary>
    internal bool MayHalt { get; init; }
}

/// <summary>The text is no filter. Line and column count from 1.</summary>
public sealed class JqCompileException(string message, int line, int column) : Exception(message)
{
    public int Line { get; } = line;
    public int Column { get; } = column;

    /// <summary>Where in the text the error stands.</summary>
    internal Span Place { get; private init; }

    internal static JqCompileException Of(SyntaxError error, string source)
    {
        var before = source.AsSpan(0, Math.Min(error.At.Start, source.Length));
        return new JqCompileException(error.Message, 1 + before.Count('\n'), before.Length - before.LastIndexOf('\n')) { Place = error.At };
    }
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
