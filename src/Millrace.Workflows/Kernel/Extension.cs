using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Facts about a task that extensions stand around.</summary>
/// <param name="Step">The step around the task and its extensions.</param>
public abstract record ExtensionEntry(int Step) : Entry
{
    /// <summary>Directly behind the start of the step: the extensions that apply, by their places among those of the task.</summary>
    public sealed record Applied(int Step, IReadOnlyList<int> Layers) : ExtensionEntry(Step);

    /// <summary>The list of tasks at hand has ended.</summary>
    public sealed record Passed(int Step) : ExtensionEntry(Step);
}

/// <summary>How far an extended task is: lists of tasks before it, the task itself, lists after it.</summary>
public sealed class Extension
{
    private readonly ExtendedBody _body;

    /// <summary>What is carried out, one after the other: the task itself is -1 and has no list.</summary>
    private readonly List<(int Layer, Scope? Tasks)> _plan = [];

    private readonly int _task;
    private int _at;

    internal Extension(ExtendedBody body, IReadOnlyList<int> layers)
    {
        _body = body;
        foreach (var layer in layers)
            if (body.Layers[layer].Before is { } before) _plan.Add((layer, before));
        _task = _plan.Count;
        _plan.Add((-1, null));
        foreach (var layer in layers.Reverse())
            if (body.Layers[layer].After is { } after) _plan.Add((layer, after));
    }

    /// <summary>The list at hand; null for the task itself, and when all is done.</summary>
    public Scope? Tasks => IsOver ? null : _plan[_at].Tasks;

    internal bool IsBefore => _at < _task;
    internal bool IsOver => _at == _plan.Count;

    /// <summary>What the task gave, and where it leads.</summary>
    internal Json Output { get; private set; }
    internal Flow Then { get; private set; }

    internal bool Extends(Step child) => child.Node == _body.Task;

    internal void Pass() => _at++;

    /// <summary>The task has ended. When the list before it was left early, the extensions inside of that one and its own end are passed over.</summary>
    internal void End(Json output, Flow then)
    {
        (Output, Then) = (output, then);
        var left = IsBefore ? _plan[_at].Layer : int.MaxValue;
        for (_at = _task + 1; !IsOver && _plan[_at].Layer >= left; _at++) { }
    }
}
