using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>The members of a swarm. One that did not complete takes those along that need it.</summary>
internal sealed class SwarmWindow : Window
{
    private enum Is : byte { Pending, Running, Waiting, Completed, Faulted, Cancelled, Skipped }

    private readonly SwarmBody _body;
    private readonly Is[] _states;
    private readonly int[] _waits;
    private readonly Json[] _outputs;
    private readonly string?[] _reasons;
    private readonly Unit[] _units;
    private readonly SortedSet<(long At, int Unit)> _delays = [];
    private int _completed, _failed, _skipped;

    public SwarmWindow(SwarmBody body)
    {
        _body = body;
        var count = body.Nodes.Count;
        (_states, _waits, _outputs, _reasons, _units) = (new Is[count], new int[count], new Json[count], new string?[count], new Unit[count]);
        for (var i = 0; i < count; i++)
        {
            _units[i] = new Unit(i) { Count = 1 };
            _waits[i] = body.Nodes[i].Needs.Count;
            if (_waits[i] == 0) Queue(_units[i]);
        }
    }

    internal override long? WakeAt => _delays.Count == 0 ? null : _delays.Min.At;

    internal override bool IsOver => (_body.Join > 0 && _completed >= _body.Join) || (Running == 0 && Ready == 0 && _delays.Count == 0);

    internal override bool IsRedrivable => _completed < _states.Length;

    internal override WorkflowError? Failure
    {
        get
        {
            if (_failed == 0 || (_body.Join > 0 && _completed >= _body.Join)) return null;
            var first = System.Array.Find(_units, u => u.Error is not null && _states[u.Index] is Is.Faulted or Is.Cancelled)!;
            if (!_body.Collect) return first.Error;
            return _body.Join == 0 || !IsOver ? null : new WorkflowError(ErrorTypes.Runtime, 500, "Too few members completed",
                $"{_completed} of {_states.Length} members completed; {_body.Join} must. '{_body.Nodes[first.Index].Name}': {first.Error!.Title} {first.Error.Detail}".TrimEnd());
        }
    }

    public override SpawnProgress Counts => new(
        _states.Length, _completed, _failed, Running, _states.Length - _completed - _failed - _skipped - Running, _skipped, Concurrency)
    {
        FirstError = System.Array.Find(_units, u => u.Error is not null && _states[u.Index] is Is.Faulted or Is.Cancelled)?.Error,
    };

    public override SpawnProgress Progress => Counts with
    {
        Members = [.. _body.Nodes.Select((n, i) => new SpawnMember(
            n.Name, Name(_states[i]), _units[i].Child == default ? null : _units[i].Child, _reasons[i], _units[i].Error, [.. n.Needs.Select(p => _body.Nodes[p].Name)]))],
    };

    /// <summary>The results of all members, by name.</summary>
    internal override Json OutputOf(Guid run, int step)
    {
        var all = new JsonObject.Builder(_states.Length);
        for (var i = 0; i < _states.Length; i++) all.Set(_body.Nodes[i].Name, ResultOf(i));
        return all.Build();
    }

    /// <summary>The results of what a member needs, by name.</summary>
    public Json NeedsOf(int member)
    {
        var needs = new JsonObject.Builder(_body.Nodes[member].Needs.Count);
        foreach (var need in _body.Nodes[member].Needs) needs.Set(_body.Nodes[need].Name, ResultOf(need));
        return needs.Build();
    }

    private Json ResultOf(int member)
    {
        var result = new JsonObject.Builder(4);
        // Asked when the step has ended: what is not needed any more is cancelled by that.
        var ended = _states[member] is Is.Pending or Is.Running or Is.Waiting ? Is.Cancelled : _states[member];
        result.Set("state", Name(ended));
        if (_units[member].Child != default) result.Set("run", _units[member].Child.ToString());
        if (ended == Is.Completed) result.Set("output", _outputs[member]);
        else if (_units[member].Error is { } error) result.Set("error", error.ToJson());
        if (_reasons[member] is { } reason) result.Set("reason", reason);
        else if (ended == Is.Cancelled && ended != _states[member]) result.Set("reason", "Enough members had completed.");
        return result.Build();
    }

    private protected override void Started(Unit unit) => _states[unit.Index] = Is.Running;

    private protected override void Complete(Unit unit, Json output)
    {
        _states[unit.Index] = Is.Completed;
        _outputs[unit.Index] = output;
        unit.Error = null;
        _completed++;
        foreach (var dependent in _body.Nodes[unit.Index].Dependents)
            if (--_waits[dependent] == 0 && _states[dependent] == Is.Pending) Queue(_units[dependent]);
    }

    private protected override void Fail(Unit unit, WorkflowError error, RunPhase phase)
    {
        _states[unit.Index] = phase == RunPhase.Cancelled ? Is.Cancelled : Is.Faulted;
        unit.Error = error;
        _failed++;
        var open = new Stack<int>([unit.Index]);
        while (open.TryPop(out var cause))
        {
            foreach (var dependent in _body.Nodes[cause].Dependents)
            {
                if (_states[dependent] != Is.Pending) continue;
                _states[dependent] = Is.Skipped;
                _reasons[dependent] = $"It needs '{_body.Nodes[cause].Name}', which was {Name(_states[cause])}.";
                _skipped++;
                open.Push(dependent);
            }
        }
    }

    private protected override void Delay(Unit unit, long wakeAt)
    {
        _states[unit.Index] = Is.Waiting;
        _delays.Add((wakeAt, unit.Index));
    }

    private protected override void Undelay(long at)
    {
        while (_delays.Count > 0 && _delays.Min.At <= at)
        {
            Queue(_units[_delays.Min.Unit]);
            _delays.Remove(_delays.Min);
        }
    }

    private protected override void Renew()
    {
        _delays.Clear();
        (_failed, _skipped) = (0, 0);
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i] == Is.Completed) continue;
            (_states[i], _reasons[i]) = (Is.Pending, null);
            _units[i].Attempts = 0;
            if (_waits[i] == 0) Queue(_units[i]);
        }
    }

    private static string Name(Is state) => state switch
    {
        Is.Pending => "pending",
        Is.Running => "running",
        Is.Waiting => "waiting",
        Is.Completed => "completed",
        Is.Faulted => "faulted",
        Is.Cancelled => "cancelled",
        _ => "skipped",
    };
}
