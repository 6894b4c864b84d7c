using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Millrace.Jq;
using Millrace.Workflows.Schema.Compilation;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>
/// One walk of a schema over an instance. It runs in two manners: quietly, stopping at the first failure, or collecting
/// errors with their places. An instance is explained only after the quiet walk refused it.
/// </summary>
internal sealed class Evaluation
{
    private const int BranchErrorsMax = 100;

    [ThreadStatic]
    private static Evaluation? _spare;

    private readonly List<Resource> _scope = [];
    private readonly Stack<Evaluated> _spareSets = new();
    private readonly SchemaPath _instancePath = new(), _schemaPath = new();
    private int _depth;
    private int _steps;
    private long _regexTicks;
    private SchemaError? _stop;
    private bool _explains;
    private List<SchemaError>? _errors;
    private int _errorsMax;

    /// <summary>Failures made now are read by somebody. After a limit they would only follow from it.</summary>
    public bool IsCollecting => _errors is not null && _errors.Count < _errorsMax && _stop is null;

    /// <summary>Several failures of one instance are wanted, so a keyword goes on after the first.</summary>
    public bool IsQuiet => _errors is null;

    public static bool IsValid(SchemaNode root, Json instance)
    {
        var run = _spare ?? new Evaluation();
        _spare = null;
        var valid = run.Run(root, instance);
        run.Reset();
        _spare = run;
        return valid;
    }

    public static IReadOnlyList<SchemaError> Explain(SchemaNode root, Json instance, int errorsMax)
    {
        var quiet = new Evaluation();
        if (quiet.Run(root, instance)) return [];
        // As many steps again would end in the same place.
        if (quiet._stop is { Keyword: SchemaLimits.Steps } tooMany) return [tooMany];
        var errors = new List<SchemaError>();
        var run = new Evaluation { _explains = true, _errors = errors, _errorsMax = errorsMax };
        run.Run(root, instance);
        var stop = run._stop ?? (errors.Count == 0 ? quiet._stop : null);
        if (stop is null) return errors;
        errors.Insert(0, stop);
        return errors.Count > errorsMax ? errors.GetRange(0, errorsMax) : errors;
    }

    private bool Run(SchemaNode root, Json instance)
    {
        try
        {
            return Apply(root, instance, null) && _stop is null;
        }
        catch (InsufficientExecutionStackException)
        {
            StopAtDepth();
            return false;
        }
    }

    private void Reset()
    {
        _scope.Clear();
        _depth = 0;
        _steps = 0;
        _regexTicks = 0;
        _stop = null;
    }

    public bool Apply(SchemaNode node, Json value, Evaluated? seen)
    {
        if (node.Always is { } always) return always || Fail("false", $"nothing is allowed here");
        if (!Enter()) return false;
        var entersScope = _scope.Count == 0 || !ReferenceEquals(_scope[^1], node.Resource);
        if (entersScope) _scope.Add(node.Resource);
        var mark = seen?.Position ?? 0;
        var own = node.AsksEvaluated ? Rent(value) : seen;
        var valid = CheckAll(node.Keywords, value, own);
        if (own is not null && !ReferenceEquals(own, seen))
        {
            if (valid && seen is not null) own.CopyTo(seen);
            if (own.IsWorthKeeping) _spareSets.Push(own);
        }
        if (!valid) seen?.TakeBack(mark);
        if (entersScope) _scope.RemoveAt(_scope.Count - 1);
        _depth--;
        return valid;
    }

    private bool CheckAll(Keyword[] keywords, Json value, Evaluated? own)
    {
        var valid = true;
        foreach (var keyword in keywords)
        {
            if (!valid && keyword.IsLast || keyword.Check(value, this, own)) continue;
            valid = false;
            if (_errors is null) return false;
        }
        return valid;
    }

    /// <summary>Applies a subschema to the same instance.</summary>
    /// <param name="at">Name or position of the subschema below the keyword; default when the keyword itself is one.</param>
    public bool InPlace(string keyword, SchemaStep at, SchemaNode node, Json value, Evaluated? seen)
    {
        if (!_explains) return Apply(node, value, seen);
        var mark = _schemaPath.Push(keyword, at);
        var valid = Apply(node, value, seen);
        _schemaPath.TakeBack(mark);
        return valid;
    }

    /// <summary>Applies a subschema to a member or an item.</summary>
    public bool Below(string keyword, SchemaStep at, SchemaNode node, Json child, SchemaStep place)
    {
        if (!_explains) return Apply(node, child, null);
        var schemaMark = _schemaPath.Push(keyword, at);
        var instanceMark = _instancePath.Push(place);
        // The parent's own words say more than "nothing is allowed here".
        var valid = node.Always == false ? Fail(null, $"{place.Unexpected}") : Apply(node, child, null);
        _instancePath.TakeBack(instanceMark);
        _schemaPath.TakeBack(schemaMark);
        return valid;
    }

    /// <summary>Asks without collecting errors: conditions, <c>not</c>, <c>contains</c>.</summary>
    public bool Silently(string keyword, SchemaNode node, Json value, Evaluated? seen)
    {
        var errors = _errors;
        _errors = null;
        var valid = InPlace(keyword, default, node, value, seen);
        _errors = errors;
        return valid;
    }

    /// <summary>The errors of one branch, apart from all others; null when it holds.</summary>
    public List<SchemaError>? Gather(string keyword, SchemaStep at, SchemaNode node, Json value, Evaluated? seen)
    {
        var (outer, outerMax) = (_errors, _errorsMax);
        (_errors, _errorsMax) = ([], BranchErrorsMax);
        var valid = InPlace(keyword, at, node, value, seen);
        var found = _errors;
        (_errors, _errorsMax) = (outer, outerMax);
        return valid ? null : found;
    }

    public void Add(List<SchemaError> errors)
    {
        if (_errors is null) return;
        foreach (var error in errors)
            if (_errors.Count < _errorsMax) _errors.Add(error);
    }

    /// <returns>Always false, to be returned.</returns>
    /// <param name="keyword">Null when the schema's place already ends with it.</param>
    public bool Fail(string? keyword, [InterpolatedStringHandlerArgument("")] ref FailureText text)
    {
        if (IsCollecting) _errors!.Add(Error(keyword, text.ToString()));
        return false;
    }

    public string InstancePointer => _instancePath.ToString();

    /// <summary>The schema that is nearest to the root of the dynamic scope and carries that <c>$dynamicAnchor</c>.</summary>
    public SchemaNode? Outermost(string dynamicAnchor)
    {
        foreach (var resource in _scope)
            if (resource.DynamicAnchors.TryGetValue(dynamicAnchor, out var place)) return place.Node;
        return null;
    }

    public bool Matches(EcmaPattern pattern, string text)
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            if (pattern.IsMatch(text)) return true;
        }
        catch (RegexMatchTimeoutException)
        {
            return StopAtRegex(pattern);
        }
        finally
        {
            _regexTicks += Stopwatch.GetTimestamp() - start;
        }
        return _regexTicks > Stopwatch.Frequency / 1000 * SchemaLimits.RegexMs && StopAtRegex(pattern);
    }

    public bool Stop(string limit, string message)
    {
        _stop ??= new SchemaError(_instancePath.ToString(), _schemaPath.ToString(), limit, message);
        return false;
    }

    private bool StopAtRegex(EcmaPattern pattern) =>
        Stop(SchemaLimits.Regex, $"matching the pattern {pattern.Source} takes more than {SchemaLimits.RegexMs} ms");

    private bool StopAtDepth() =>
        Stop(SchemaLimits.Depth, $"schemas apply one inside the other more than {SchemaLimits.DepthMax} times; a reference may lead back to itself");

    private bool Enter()
    {
        if (_stop is not null) return false;
        if (_depth >= SchemaLimits.DepthMax) return StopAtDepth();
        if (++_steps > SchemaLimits.StepsMax)
            return Stop(SchemaLimits.Steps, $"the instance takes more than {SchemaLimits.StepsMax} schema applications");
        RuntimeHelpers.EnsureSufficientExecutionStack();
        _depth++;
        return true;
    }

    private Evaluated Rent(Json value)
    {
        var set = _spareSets.Count > 0 ? _spareSets.Pop() : new Evaluated();
        set.Clear(value.ObjectOrNull?.Count ?? value.ArrayOrNull?.Count ?? 0);
        return set;
    }

    private SchemaError Error(string? keyword, string message)
    {
        var place = _schemaPath.ToString();
        return keyword is null or "false"
            ? new SchemaError(_instancePath.ToString(), place, keyword ?? _schemaPath.Keyword, message)
            : new SchemaError(_instancePath.ToString(), $"{place}/{keyword}", keyword, message);
    }
}
