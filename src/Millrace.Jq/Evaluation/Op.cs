namespace Millrace.Jq.Evaluation;

/// <summary>
/// A step of a compiled filter. <see cref="Run"/> does it and says which comes next; null stops the machine (an output is
/// ready, or nothing is left). Steps are immutable; all state is in the machine, its frames and forks.
/// </summary>
internal abstract class Op
{
    public abstract Op? Run(Machine m);

    /// <summary>Evaluation backs up to a fork this step made; the fork is on top and frame and path are restored.</summary>
    public virtual Op? Resume(Machine m, ref Fork fork) => throw new InvalidOperationException(GetType().Name);
}

/// <summary>A point evaluation can back up to.</summary>
internal struct Fork
{
    public Op Op;
    public Frame Frame;
    public Json Value;
    public PathNode? Path;
    public object? State;
    public double Number;
}

/// <summary>Hands the value to the caller of the machine.</summary>
internal sealed class OutputOp : Op
{
    public static readonly OutputOp Instance = new();

    public override Op? Run(Machine m)
    {
        m.HasOutput = true;
        return null;
    }
}

internal sealed class ReturnOp : Op
{
    public static readonly ReturnOp Instance = new();

    public override Op? Run(Machine m)
    {
        var frame = m.Frame;
        m.Frame = frame.Caller!;
        return frame.Return;
    }
}

internal sealed class EvalOp(Expression expression, Op next) : Op
{
    public readonly Expression Expression = expression;
    public readonly Op Next = next;

    public override Op? Run(Machine m)
    {
        var value = Expression.Eval(m, m.Value);
        if (value.IsSignal) return m.Handle(value);
        m.Value = value;
        return Next;
    }
}

/// <summary>Keeps the value in a slot.</summary>
internal sealed class StoreOp(int slot, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[slot] = m.Value;
        return next;
    }
}

/// <summary>Keeps the value in a slot and goes on with that of another.</summary>
internal sealed class StoreLoadOp(int store, int load, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var slots = m.Frame.Slots;
        slots[store] = m.Value;
        m.Value = slots[load];
        return next;
    }
}

/// <summary>The branches of a comma, one after the other.</summary>
internal sealed class ForkOp(Op[] branches) : Op
{
    public override Op? Run(Machine m)
    {
        m.Push(this, m.Value).Number = 1;
        return branches[0];
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Value = fork.Value;
        var at = (int)fork.Number;
        if (at == branches.Length - 1) m.Pop();
        else fork.Number = at + 1;
        return branches[at];
    }
}

internal sealed class IfOp(Expression condition, Op then, Op otherwise) : Op
{
    public override Op? Run(Machine m)
    {
        var value = condition.Eval(m, m.Value);
        if (value.IsSignal) return m.Handle(value);
        return value.IsTruthy ? then : otherwise;
    }
}

/// <summary>Branches on the value, going on with the input kept in a slot.</summary>
internal sealed class BranchOp(int input, Op then, Op otherwise) : Op
{
    public override Op? Run(Machine m)
    {
        var truth = m.Value.IsTruthy;
        m.Value = m.Frame.Slots[input];
        return truth ? then : otherwise;
    }
}
