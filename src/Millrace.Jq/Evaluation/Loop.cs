namespace Millrace.Jq.Evaluation;

/// <summary>What is done with each output of a loop; a signal ends it.</summary>
internal interface ISink
{
    /// <returns>False to stop: <paramref name="result"/> is what the loop yields.</returns>
    bool Take(Machine m, Json value, out Json result);
}

/// <summary>A generator that is a plain loop with an expression done on each item.</summary>
internal abstract class Loop(Expression? body)
{
    protected readonly Expression? Body = body;

    public abstract Loop Then(Expression next);

    public abstract int Height { get; }

    /// <returns>A signal, what the sink stopped with, or null at the end.</returns>
    public abstract Json? Run<TSink>(Machine m, Json input, ref TSink sink)
        where TSink : struct, ISink;

    protected Expression Compose(Expression next) => Body is null ? next : PipeExpression.Of(Body, next);

    /// <returns>True to go on.</returns>
    protected bool Step<TSink>(Machine m, Json item, ref TSink sink, out Json result)
        where TSink : struct, ISink
    {
        m.Spend(1);
        if (Body is not null)
        {
            item = Body.Eval(m, item);
            if (item.IsSignal)
            {
                result = item;
                return Signal.Of(item).Kind == SignalKind.Empty;
            }
        }
        return sink.Take(m, item, out result);
    }
}

/// <summary><c>source[] | body</c></summary>
internal sealed class ItemsLoop(Expression source, bool optional, Expression? body = null) : Loop(body)
{
    public override int Height => Math.Max(source.Height, Body?.Height ?? 0) + 1;

    public override Loop Then(Expression next) => new ItemsLoop(source, optional, Compose(next));

    public override Json? Run<TSink>(Machine m, Json input, ref TSink sink)
    {
        var value = source.Eval(m, input);
        if (value.IsSignal) return value;
        Json result;
        if (value.ArrayOrNull is { } array)
        {
            foreach (var item in array.Span)
                if (!Step(m, item, ref sink, out result)) return result;
            return null;
        }
        if (value.ObjectOrNull is { } members)
        {
            foreach (var (_, item) in members.Members)
                if (!Step(m, item, ref sink, out result)) return result;
            return null;
        }
        return optional ? default(Json?) : Signal.Error(Iteration.Refusal(value));
    }
}

/// <summary><c>range(from; upto; by) | body</c></summary>
internal sealed class RangeLoop(Expression from, Expression upto, Expression by, Expression? body = null) : Loop(body)
{
    public override int Height => Math.Max(Math.Max(from.Height, upto.Height), Math.Max(by.Height, Body?.Height ?? 0)) + 1;

    public override Loop Then(Expression next) => new RangeLoop(from, upto, by, Compose(next));

    public override Json? Run<TSink>(Machine m, Json input, ref TSink sink)
    {
        var first = from.Eval(m, input);
        if (first.IsSignal) return first;
        var limit = upto.Eval(m, input);
        if (limit.IsSignal) return limit;
        var step = by.Eval(m, input);
        if (step.IsSignal) return step;
        if (!first.IsNumber || !limit.IsNumber || !step.IsNumber) return Fault.Of("Range bounds must be numeric");
        double at = first.AsNumber(), end = limit.AsNumber(), stride = step.AsNumber();
        for (; stride > 0 ? at < end : stride < 0 && at > end; at += stride)
            if (!Step(m, at, ref sink, out var result)) return result;
        return null;
    }
}

/// <summary><c>[loop]</c></summary>
internal sealed class GatherExpression : Expression
{
    private readonly Loop _loop;

    public GatherExpression(Loop loop)
    {
        _loop = loop;
        Height = loop.Height + 1;
    }

    public override Json Eval(Machine m, Json input)
    {
        var sink = new Sink(new Gathering());
        return _loop.Run(m, input, ref sink) ?? sink.Items.ToJson();
    }

    private readonly struct Sink(Gathering items) : ISink
    {
        public readonly Gathering Items = items;

        public bool Take(Machine m, Json value, out Json result)
        {
            Items.Add(m, value);
            result = default;
            return true;
        }
    }
}

/// <summary><c>reduce loop as $item (start; update)</c></summary>
internal sealed class FoldExpression : Expression
{
    private readonly Loop _loop;
    private readonly int _slot;
    private readonly Expression _start;
    private readonly Expression _update;

    public FoldExpression(Loop loop, int slot, Expression start, Expression update)
    {
        _loop = loop;
        _slot = slot;
        _start = start;
        _update = update;
        Height = Math.Max(loop.Height, Math.Max(start.Height, update.Height)) + 1;
    }

    public override Json Eval(Machine m, Json input)
    {
        var start = _start.Eval(m, input);
        if (start.IsSignal) return start;
        var sink = new Sink(m.Frame.Slots, _slot, _update, start);
        return _loop.Run(m, input, ref sink) ?? sink.State;
    }

    private struct Sink(Json[] slots, int slot, Expression update, Json state) : ISink
    {
        public Json State { get; private set; } = state;

        public bool Take(Machine m, Json value, out Json result)
        {
            slots[slot] = value;
            result = update.Eval(m, State);
            if (!result.IsSignal)
            {
                State = result;
                return true;
            }
            State = default;
            return Signal.Of(result).Kind == SignalKind.Empty;
        }
    }
}

/// <summary>Looks for an output of the loop that settles the answer: <c>any</c>, <c>all</c>, <c>isempty</c>.</summary>
internal sealed class SearchExpression : Expression
{
    private readonly Loop _loop;
    private readonly Witness _wanted;
    private readonly bool _answer;

    public SearchExpression(Loop loop, Witness wanted, bool answer)
    {
        _loop = loop;
        _wanted = wanted;
        _answer = answer;
        Height = loop.Height + 1;
    }

    public override Json Eval(Machine m, Json input)
    {
        var sink = new Sink(_wanted, _answer);
        return _loop.Run(m, input, ref sink) ?? !_answer;
    }

    private readonly struct Sink(Witness wanted, bool answer) : ISink
    {
        public bool Take(Machine m, Json value, out Json result)
        {
            result = answer;
            return wanted != Witness.Any && value.IsTruthy != (wanted == Witness.Truthy);
        }
    }
}

/// <summary>The first output of the loop.</summary>
internal sealed class FirstExpression : Expression
{
    private readonly Loop _loop;

    public FirstExpression(Loop loop)
    {
        _loop = loop;
        Height = loop.Height + 1;
    }

    public override Json Eval(Machine m, Json input)
    {
        var sink = default(Sink);
        return _loop.Run(m, input, ref sink) ?? Signal.Empty;
    }

    private readonly struct Sink : ISink
    {
        public bool Take(Machine m, Json value, out Json result)
        {
            result = value;
            return false;
        }
    }
}

/// <summary>An expression taken as a loop of one round.</summary>
internal sealed class SingleLoop(Expression body) : Loop(body)
{
    public override int Height => Body!.Height + 1;

    public override Loop Then(Expression next) => new SingleLoop(Compose(next));

    public override Json? Run<TSink>(Machine m, Json input, ref TSink sink) => Step(m, input, ref sink, out var result) ? default(Json?) : result;
}
