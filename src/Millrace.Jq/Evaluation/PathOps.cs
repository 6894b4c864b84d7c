using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

/// <summary>Begins a path expression on the value; the path of an enclosing one is put back at the end.</summary>
internal sealed class PathBeginOp(int outer, Op body) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[outer] = m.Path is null ? default : Json.OfInternal(m.Path);
        m.Path = new PathNode(null, default, m.Value);
        return body;
    }
}

/// <summary>Ends a path expression: the path becomes the value.</summary>
internal sealed class PathEndOp(int outer, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        if (!m.IsAtPath) return m.Raise($"Invalid path expression with result {Describe.Short(m.Value)}");
        m.ChargeItems(m.Path!.Length);
        m.Value = m.Path.ToJson();
        m.Path = m.Frame.Slots[outer].Internal as PathNode;
        return next;
    }
}

internal sealed class PathIndexOp(Expression key, bool optional, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var at = key.Eval(m, m.Value);
        if (at.IsSignal) return m.Handle(at);
        if (!m.IsAtPath)
            return m.Raise($"Invalid path expression near attempt to access element {Describe.Short(at)} of {Describe.Short(m.Value)}");
        var value = Paths.Get(m, m.Value, at);
        if (value.IsSignal) return optional ? m.Backtrack() : m.Handle(value);
        m.Extend(at, value);
        m.Value = value;
        return next;
    }
}

internal sealed class PathIterateOp(bool optional, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var value = m.Value;
        if (!m.IsAtPath) return m.Raise($"Invalid path expression near attempt to iterate through {Describe.Short(value)}");
        var count = value.ArrayOrNull?.Count ?? value.ObjectOrNull?.Count ?? -1;
        if (count == 0) return m.Backtrack();
        if (count < 0) return optional ? m.Backtrack() : m.Raise(Iteration.Refusal(value));
        if (count > 1) m.Push(this, value).Number = 1;
        Step(m, value, 0);
        return next;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        var at = (int)fork.Number;
        var value = fork.Value;
        fork.Number = at + 1;
        if (at + 1 == (value.ArrayOrNull?.Count ?? value.ObjectOrNull!.Count)) m.Pop();
        Step(m, value, at);
        return next;
    }

    private static void Step(Machine m, Json container, int at)
    {
        Json key;
        Json value;
        if (container.ArrayOrNull is { } array)
        {
            (key, value) = (at, array[at]);
        }
        else
        {
            var member = container.AsObject().Members[at];
            (key, value) = (member.Key, member.Value);
        }
        m.Extend(key, value);
        m.Value = value;
    }
}

internal sealed class PathGetOp(Expression path, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var keys = path.Eval(m, m.Value);
        if (keys.IsSignal) return m.Handle(keys);
        if (!m.IsAtPath) return m.Raise($"Invalid path expression with result {Describe.Short(m.Value)}");
        var value = Paths.GetPath(m, m.Value, keys);
        if (value.IsSignal) return m.Handle(value);
        var node = m.Path!;
        foreach (var key in keys.AsArray().Span) node = new PathNode(node, key, value);
        m.Path = node;
        m.Value = value;
        return next;
    }
}

/// <summary>Starts <c>|=</c>: for every path of the target, the value there becomes the update's first output.</summary>
internal sealed class ModifyOp(int state, int removed, Op target, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[state] = m.Value;
        m.Frame.Slots[removed] = default;
        m.Push(this, default);
        m.Path = new PathNode(null, default, m.Value);
        return target;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        var slots = m.Frame.Slots;
        m.Value = slots[state];
        slots[state] = default;
        if (slots[removed].Internal is Gathering gone)
        {
            var value = Paths.Delete(m, m.Value, gone.ToJson());
            if (value.IsSignal) return m.Handle(value);
            m.Value = value;
        }
        return next;
    }
}

/// <summary>A path was found: goes on with the value there, for the update.</summary>
internal sealed class ModifyAtOp(int state, int removed, int path, int mark, Op update) : Op
{
    public override Op? Run(Machine m)
    {
        if (!m.IsAtPath) return m.Raise($"Invalid path expression with result {Describe.Short(m.Value)}");
        var slots = m.Frame.Slots;
        m.ChargeItems(m.Path!.Length);
        slots[path] = m.Path.ToJson();
        var value = Paths.GetPath(m, slots[state], slots[path]);
        if (value.IsSignal) return m.Handle(value);
        slots[mark] = m.ForkCount;
        m.Push(this, default);
        m.Value = value;
        return update;
    }

    /// <summary>The update has no output: the path is to be deleted in the end.</summary>
    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        var slots = m.Frame.Slots;
        if (slots[removed].Internal is not Gathering gone) slots[removed] = Json.OfInternal(gone = new Gathering());
        gone.Add(m, slots[path]);
        return m.Backtrack();
    }
}

internal sealed class ModifySetOp(int state, int path, int mark) : Op
{
    public override Op? Run(Machine m)
    {
        var slots = m.Frame.Slots;
        m.Cut((int)slots[mark].AsNumber());
        var value = Paths.Set(m, slots[state], slots[path], m.Value);
        if (value.IsSignal) return m.Handle(value);
        slots[state] = value;
        return m.Backtrack();
    }
}

/// <summary>Starts <c>=</c>: every path of the target is set to one value.</summary>
internal sealed class AssignOp(int state, int input, Op target, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Value = m.Frame.Slots[input];
        m.Frame.Slots[state] = m.Value;
        m.Push(this, default);
        m.Path = new PathNode(null, default, m.Value);
        return target;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        m.Value = m.Frame.Slots[state];
        m.Frame.Slots[state] = default;
        return next;
    }
}

internal sealed class AssignAtOp(int state, Expression value) : Op
{
    public override Op? Run(Machine m)
    {
        if (!m.IsAtPath) return m.Raise($"Invalid path expression with result {Describe.Short(m.Value)}");
        var slots = m.Frame.Slots;
        m.ChargeItems(m.Path!.Length);
        var result = Paths.Set(m, slots[state], m.Path.ToJson(), value.Eval(m, default));
        if (result.IsSignal) return m.Handle(result);
        slots[state] = result;
        return m.Backtrack();
    }
}
