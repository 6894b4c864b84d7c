namespace Millrace.Jq.Evaluation;

/// <summary>Each item of an array or member of an object.</summary>
internal sealed class IterateOp(Expression? target, bool optional, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var value = m.Value;
        if (target is not null)
        {
            value = target.Eval(m, value);
            if (value.IsSignal) return m.Handle(value);
        }
        if (value.ArrayOrNull is { } array)
        {
            if (array.Count == 0) return m.Backtrack();
            if (array.Count > 1) Keep(m, array);
            m.Value = array[0];
            return next;
        }
        if (value.ObjectOrNull is { } members)
        {
            if (members.Count == 0) return m.Backtrack();
            if (members.Count > 1) Keep(m, members);
            m.Value = members.Members[0].Value;
            return next;
        }
        return optional ? m.Backtrack() : m.Raise(Iteration.Refusal(value));
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        var at = (int)fork.Number;
        int count;
        if (fork.State is JsonArray array)
        {
            m.Value = array[at];
            count = array.Count;
        }
        else
        {
            var members = (JsonObject)fork.State!;
            m.Value = members.Members[at].Value;
            count = members.Count;
        }
        fork.Number = at + 1;
        if (at + 1 == count) m.Pop();
        return next;
    }

    private void Keep(Machine m, object container)
    {
        ref var fork = ref m.Push(this, default);
        fork.State = container;
        fork.Number = 1;
    }
}

/// <summary>Numbers from the value in one slot up to that in another.</summary>
internal sealed class RangeOp(Expression from, Expression upto, Expression by, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var first = from.Eval(m, m.Value);
        if (first.IsSignal) return m.Handle(first);
        var limit = upto.Eval(m, m.Value);
        if (limit.IsSignal) return m.Handle(limit);
        var step = by.Eval(m, m.Value);
        if (step.IsSignal) return m.Handle(step);
        if (!first.IsNumber || !limit.IsNumber || !step.IsNumber) return m.Raise("Range bounds must be numeric");
        double at = first.AsNumber(), end = limit.AsNumber(), stride = step.AsNumber();
        if (!(stride > 0 ? at < end : stride < 0 && at > end)) return m.Backtrack();
        ref var fork = ref m.Push(this, Json.Of(end));
        fork.State = stride == 1 ? null : (object)stride;
        fork.Number = at + stride;
        m.Value = at;
        return next;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        var at = fork.Number;
        var stride = fork.State is double other ? other : 1;
        var end = fork.Value.AsNumber();
        if (!(stride > 0 ? at < end : at > end))
        {
            m.Pop();
            return m.Backtrack();
        }
        fork.Number = at + stride;
        m.Value = at;
        return next;
    }
}

/// <summary>Starts gathering the outputs of what follows; when there are no more, goes on with their array.</summary>
internal sealed class CollectOp(int slot, Op body, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[slot] = Json.OfInternal(new Gathering());
        m.Push(this, default);
        return body;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        m.Value = ((Gathering)m.Frame.Slots[slot].Internal!).ToJson();
        m.Frame.Slots[slot] = default;
        return next;
    }
}

internal sealed class GatherOp(int slot) : Op
{
    public override Op? Run(Machine m)
    {
        ((Gathering)m.Frame.Slots[slot].Internal!).Add(m, m.Value);
        return m.Backtrack();
    }
}

/// <summary>Starts a reduction with the value as its state; when the source has no more outputs, goes on with the state.</summary>
internal sealed class ReduceOp(int state, int input, Op body, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[state] = m.Value;
        m.Push(this, default);
        m.Value = m.Frame.Slots[input];
        return body;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        m.Value = m.Frame.Slots[state];
        return next;
    }
}

/// <summary>Starts a foreach with the value as its state.</summary>
internal sealed class ForeachOp(int state, int input, Op body) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[state] = m.Value;
        m.Value = m.Frame.Slots[input];
        return body;
    }
}

/// <summary>Goes on with the state of a reduction, leaving null: an update without output loses it.</summary>
internal sealed class TakeOp(int state, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        ref var slot = ref m.Frame.Slots[state];
        m.Value = slot;
        slot = default;
        return next;
    }
}

/// <summary>Keeps the new state of a reduction and backs up for the next item.</summary>
internal sealed class PutOp(int state) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[state] = m.Value;
        return m.Backtrack();
    }
}

internal static class Iteration
{
    public static Json Refusal(Json value) => $"Cannot iterate over {Builtins.Describe.Shown(value)}";
}
