using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>Built-ins made in C#: plain functions of their arguments' values.</summary>
internal static class Catalog
{
    private static readonly Dictionary<string, Native0> NoArguments = new(StringComparer.Ordinal)
    {
        ["not"] = static (_, x) => !x.IsTruthy,
        ["length"] = Strings.Length,
        ["utf8bytelength"] = Strings.ByteLength,
        ["type"] = static (_, x) => Describe.Kind(x),
        ["keys"] = Collections.Keys,
        ["keys_unsorted"] = Collections.UnsortedKeys,
        ["add"] = Collections.Add,
        ["any"] = Collections.Any,
        ["all"] = Collections.All,
        ["flatten"] = Collections.Flatten,
        ["reverse"] = Collections.Reverse,
        ["to_entries"] = Collections.Entries,
        ["from_entries"] = Collections.FromEntries,
        ["toarray"] = Collections.ToArray,
        ["transpose"] = Collections.Transpose,
        ["sort"] = Ordering.Sort,
        ["unique"] = Ordering.Unique,
        ["min"] = Ordering.Min,
        ["max"] = Ordering.Max,
        ["tostring"] = Strings.ToText,
        ["tojson"] = Strings.ToJson,
        ["fromjson"] = Strings.FromJson,
        ["tonumber"] = Strings.ToNumber,
        ["toboolean"] = Strings.ToBoolean,
        ["explode"] = Strings.Explode,
        ["implode"] = Strings.Implode,
        ["ascii"] = Strings.Ascii,
        ["trim"] = Strings.Trim,
        ["ltrim"] = Strings.TrimLeft,
        ["rtrim"] = Strings.TrimRight,
        ["ascii_downcase"] = Strings.Downcase,
        ["ascii_upcase"] = Strings.Upcase,
        ["abs"] = Maths.AbsOf,
        ["frexp"] = Maths.Fraction,
        ["modf"] = Maths.Parts,
        ["lgamma_r"] = Maths.LogGammaSign,
        ["infinite"] = static (_, _) => double.PositiveInfinity,
        ["nan"] = static (_, _) => double.NaN,
        ["isinfinite"] = static (_, x) => Number(x, double.IsInfinity),
        ["isnan"] = static (_, x) => Number(x, double.IsNaN),
        ["isnormal"] = static (_, x) => Number(x, double.IsNormal),
        ["isfinite"] = static (_, x) => x.IsNumber && !double.IsInfinity(x.AsNumber()),
        ["now"] = static (m, _) => m.Options.Now,
        ["gmtime"] = Dates.UtcTime,
        ["localtime"] = Dates.LocalTime,
        ["mktime"] = Dates.ToSeconds,
        ["env"] = static (m, _) => m.Options.Environment,
        ["builtins"] = Names,
        ["input"] = Host.Input,
        ["debug"] = static (m, x) => Host.Message(m, "debug", x),
        ["stderr"] = static (m, x) => Host.Message(m, "stderr", x),
        ["input_filename"] = static (m, _) => m.Options.InputFilename,
        ["input_line_number"] = static (_, _) => 0,
        ["halt"] = static (m, x) => Host.Halt(m, default, 0),
        ["get_search_list"] = static (_, _) => Json.EmptyArray,
        ["have_decnum"] = static (_, _) => true,
        ["have_literal_numbers"] = static (_, _) => true,
        ["_captures"] = Patterns.Captures,
    };

    private static readonly Dictionary<string, Native1> OneArgument = new(StringComparer.Ordinal)
    {
        ["has"] = Paths.Has,
        ["getpath"] = Paths.GetPath,
        ["delpaths"] = Paths.Delete,
        ["contains"] = Collections.Contains,
        ["flatten"] = Collections.Flatten,
        ["indices"] = Collections.Indices,
        ["_indices"] = Collections.Indices,
        ["_strindices"] = Strings.Indices,
        ["index"] = Collections.Index,
        ["rindex"] = Collections.LastIndex,
        ["bsearch"] = Searching.Binary,
        ["startswith"] = Strings.StartsWith,
        ["endswith"] = Strings.EndsWith,
        ["split"] = Strings.Split,
        ["join"] = Strings.Join,
        ["ltrimstr"] = Strings.TrimStart,
        ["rtrimstr"] = Strings.TrimEnd,
        ["trimstr"] = Strings.TrimBoth,
        ["test"] = Patterns.Test,
        ["format"] = Formats.Apply,
        ["strftime"] = Dates.Format,
        ["strflocaltime"] = Dates.FormatLocal,
        ["strptime"] = Dates.Parse,
        ["halt_error"] = static (m, x, code) => code.IsNumber ? Host.Halt(m, x, (int)code.AsNumber()) : Fault.Of("halt_error/1: number required"),
        ["_sort_by"] = Ordering.SortBy,
        ["_group_by"] = Ordering.GroupBy,
        ["_unique_by"] = Ordering.UniqueBy,
        ["_min_by"] = Ordering.MinBy,
        ["_max_by"] = Ordering.MaxBy,
    };

    /// <summary>Names starting with an underscore are for the <see cref="Prelude"/>; <c>builtins</c> does not show them.</summary>
    private static readonly Dictionary<(string, int), Delegate> Functions = Build();

    /// <summary>Built-ins the compiler has steps of its own for.</summary>
    private static readonly HashSet<(string, int)> Forms =
    [
        ("empty", 0), ("error", 0), ("error", 1), ("path", 1), ("range", 2), ("range", 3), ("first", 1), ("last", 1), ("_limit", 2),
        ("_skip", 2), ("isempty", 1), ("any", 2), ("all", 2),
    ];

    public static bool Has(string name, int arity) => Functions.ContainsKey((name, arity)) || Forms.Contains((name, arity));

    public static Delegate Function(string name, int arity) => Functions[(name, arity)];

    public static Json Names(Machine m, Json input)
    {
        var names = Functions.Keys.Concat(Forms).Concat(Prelude.Names)
            .Where(n => n.Item1[0] != '_').Distinct().Select(n => Json.Of($"{n.Item1}/{n.Item2}"));
        return JsonArray.Of(names.ToList());
    }

    private static Dictionary<(string, int), Delegate> Build()
    {
        var functions = new Dictionary<(string, int), Delegate>();
        foreach (var (name, function) in Maths.One) functions[(name, 0)] = new Native0((_, x) => Maths.Apply(function, x));
        foreach (var (name, function) in Maths.Two) functions[(name, 2)] = new Native2((_, _, a, b) => Maths.Apply(function, a, b));
        functions[("fma", 3)] = new Native3(Maths.MultiplyAdd);
        functions[("setpath", 2)] = new Native2(Paths.Set);
        functions[("_match", 2)] = new Native2(Patterns.Match);
        functions[("_splice", 2)] = new Native2(Patterns.Splice);
        functions[("split", 2)] = new Native2(Patterns.Split);
        functions[("test", 2)] = new Native2(Patterns.Test);
        foreach (var (name, function) in NoArguments) functions[(name, 0)] = function;
        foreach (var (name, function) in OneArgument) functions[(name, 1)] = function;
        return functions;
    }

    private static bool Number(Json value, Func<double, bool> holds) => value.IsNumber && holds(value.AsNumber());
}

internal static class Searching
{
    /// <summary>Where the value stands in a sorted array, or minus one minus the place it would take.</summary>
    public static Json Binary(Machine m, Json value, Json wanted)
    {
        if (value.ArrayOrNull is not { } items) return Fault.Type(value, "cannot be searched from");
        int low = 0, high = items.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = items[middle].CompareTo(m, wanted);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return -1 - low;
    }
}

/// <summary>What a filter asks of its host, as far as the options give it.</summary>
internal static class Host
{
    public static Json Input(Machine m, Json input) => m.Options.NextInput?.Invoke() is { } next ? next : Fault.Of("break");

    public static Json Message(Machine m, string kind, Json value)
    {
        m.Options.Messages?.Invoke(kind, value);
        return value;
    }

    /// <summary>Ends the program where the host allows it.</summary>
    public static Json Halt(Machine m, Json value, int code) => m.Options.MayHalt
        ? throw new JqHalt(value, code)
        : Fault.Of("halt is not available here");
}

/// <summary>A filter asked the command line's program to end.</summary>
internal sealed class JqHalt(Json value, int code) : Exception
{
    public Json Value { get; } = value;
    public int Code { get; } = code;
}
