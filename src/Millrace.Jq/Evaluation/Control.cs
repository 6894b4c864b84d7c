namespace Millrace.Jq.Evaluation;

/// <summary>A fork that errors stop at.</summary>
internal abstract class CatchOp : Op
{
    /// <summary>Called with frame and path restored and the fork taken off.</summary>
    public abstract Op? Caught(Machine m, Json input, Json error);
}

internal sealed class TryOp(int mark, Op body, Op? handler) : CatchOp
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[mark] = m.ForkCount;
        m.Push(this, default);
        return body;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        return m.Backtrack();
    }

    public override Op? Caught(Machine m, Json input, Json error)
    {
        if (handler is null) return m.Backtrack();
        m.Value = error;
        return handler;
    }
}

/// <summary>The end of a try's body: from here on errors pass the try by, until evaluation backs up into the body.</summary>
internal sealed class ShieldOp(int mark, Op next) : Op
{
    /// <summary>A mark that says there is no try to end.</summary>
    public const int NotTried = -1;

    public override Op? Run(Machine m)
    {
        var tried = (int)m.Frame.Slots[mark].AsNumber();
        if (tried == NotTried) return next;
        // No forks were left in the body: the try is over.
        if (m.ForkCount == tried + 1) m.Pop();
        else m.Push(this, default).Number = tried;
        return next;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        return m.Backtrack();
    }
}

/// <summary>The alternatives of <c>?//</c>: an error in one of them, or in the body after it, goes on with the next.</summary>
internal sealed class DestructureOp(int mark, int input, int[] variables, Op attempt, Op other, bool otherIsLast) : CatchOp
{
    public override Op? Run(Machine m)
    {
        var slots = m.Frame.Slots;
        slots[mark] = m.ForkCount;
        slots[input] = m.Value;
        foreach (var variable in variables) slots[variable] = default;
        m.Push(this, m.Value);
        return attempt;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        return m.Backtrack();
    }

    public override Op? Caught(Machine m, Json input, Json error)
    {
        foreach (var variable in variables) m.Frame.Slots[variable] = default;
        if (otherIsLast) m.Frame.Slots[mark] = ShieldOp.NotTried;
        m.Value = input;
        return other;
    }
}

internal sealed class AlternativeOp(int found, Op left, Op right) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[found] = false;
        m.Push(this, m.Value);
        return left;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Value = fork.Value;
        m.Pop();
        return m.Frame.Slots[found].IsTruthy ? m.Backtrack() : right;
    }
}

/// <summary>Lets truthy outputs of an alternative's left side through.</summary>
internal sealed class FoundOp(int found, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        if (!m.Value.IsTruthy) return m.Backtrack();
        m.Frame.Slots[found] = true;
        return next;
    }
}

/// <summary>Remembers how many forks there are, for a later break or cut.</summary>
internal sealed class MarkOp(int slot, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[slot] = m.ForkCount;
        return next;
    }
}

/// <summary>Gives up the forks made since the mark.</summary>
internal sealed class CutOp(int slot, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Cut((int)m.Frame.Slots[slot].AsNumber());
        return next;
    }
}

/// <summary>Counts outputs down; with the last one it gives up the forks made since the mark.</summary>
internal sealed class LimitOp(int count, int mark, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var slots = m.Frame.Slots;
        var left = slots[count].AsNumber() - 1;
        slots[count] = left;
        if (left <= 0) m.Cut((int)slots[mark].AsNumber());
        return next;
    }
}

/// <summary>Drops outputs while the count lasts.</summary>
internal sealed class SkipOp(int count, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        ref var left = ref m.Frame.Slots[count];
        if (left.AsNumber() <= 0) return next;
        left = left.AsNumber() - 1;
        return m.Backtrack();
    }
}

/// <summary>Asks whether the body has an output that passes <see cref="WitnessOp"/>; goes on with the answer.</summary>
internal sealed class SearchOp(int mark, bool otherwise, Op body, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[mark] = m.ForkCount;
        m.Push(this, default);
        return body;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        m.Value = otherwise;
        return next;
    }
}

internal enum Witness { Any, Truthy, Falsy }

internal sealed class WitnessOp(int mark, Witness wanted, bool answer, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        if (wanted != Witness.Any && m.Value.IsTruthy != (wanted == Witness.Truthy)) return m.Backtrack();
        m.Cut((int)m.Frame.Slots[mark].AsNumber());
        m.Value = answer;
        return next;
    }
}

/// <summary>Calls a function that is not written out where it is called.</summary>
internal sealed class CallOp(Function function, bool paths, int hops, ArgumentSource[] arguments, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var closures = arguments.Length == 0 ? [] : new Closure[arguments.Length];
        for (var i = 0; i < closures.Length; i++) closures[i] = arguments[i].Take(m.Frame);
        return m.Call(function, paths ? function.Paths : function.Values, m.Frame.Up(hops), closures, next);
    }
}

/// <summary>An argument: code of its own, or a parameter of an enclosing function handed on as it is.</summary>
internal readonly record struct ArgumentSource(Function? Code, int Hops, int Index)
{
    public Closure Take(Frame frame) => Code is { } code ? new Closure(code, frame) : frame.Up(Hops).Arguments[Index];
}

/// <summary>Evaluates a parameter.</summary>
internal sealed class ArgumentOp(int hops, int index, bool paths, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        var closure = m.Frame.Up(hops).Arguments[index];
        if (!paths && closure.Code.Single is { } single)
        {
            var frame = m.Frame;
            var slots = closure.Code.SlotCount == 0 ? [] : new Json[closure.Code.SlotCount];
            m.Frame = new Frame(slots, closure.Outer, null, null, [], 0);
            var value = single.Eval(m, m.Value);
            // A break is handled in this frame, where its label's place is counted from.
            if (value.IsSignal) return m.Handle(value);
            m.Frame = frame;
            m.Value = value;
            return next;
        }
        return m.Call(closure.Code, paths ? closure.Code.Paths : closure.Code.Values, closure.Outer, [], next);
    }
}

/// <summary>Goes on with the body's last output, where it was found in a path expression.</summary>
internal sealed class LastOp(int slot, Op body, Op next) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[slot] = default;
        m.Push(this, default);
        return body;
    }

    public override Op? Resume(Machine m, ref Fork fork)
    {
        m.Pop();
        if (m.Frame.Slots[slot].Internal is not Seen last) return m.Backtrack();
        m.Value = last.Value;
        m.Path = last.Path;
        return next;
    }
}

internal sealed class LastSeenOp(int slot) : Op
{
    public override Op? Run(Machine m)
    {
        m.Frame.Slots[slot] = Json.OfInternal(new Seen(m.Value, m.Path));
        return m.Backtrack();
    }
}

internal sealed record Seen(Json Value, PathNode? Path);
