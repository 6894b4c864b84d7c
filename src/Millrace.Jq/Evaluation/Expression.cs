using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

/// <summary>
/// A filter with at most one output, evaluated without forks. Its result is a value or a signal (no output, error, break).
/// <see cref="Height"/> bounds the stack evaluation takes.
/// </summary>
internal abstract class Expression
{
    public int Height { get; protected init; } = 1;

    public abstract Json Eval(Machine m, Json input);

    protected static int Above(Expression a) => a.Height + 1;
    protected static int Above(Expression a, Expression b) => Math.Max(a.Height, b.Height) + 1;
    protected static int Above(ReadOnlySpan<Expression> all)
    {
        var height = 0;
        foreach (var one in all) height = Math.Max(height, one.Height);
        return height + 1;
    }
}

internal sealed class IdentityExpression : Expression
{
    public static readonly IdentityExpression Instance = new();

    public override Json Eval(Machine m, Json input) => input;
}

internal sealed class ConstantExpression(Json value) : Expression
{
    public readonly Json Value = value;

    public override Json Eval(Machine m, Json input) => Value;
}

/// <summary>A slot of the current frame.</summary>
internal sealed class SlotExpression(int slot) : Expression
{
    public override Json Eval(Machine m, Json input) => m.Frame.Slots[slot];
}

/// <summary>A slot of the frame of an enclosing function.</summary>
internal sealed class OuterSlotExpression(int hops, int slot) : Expression
{
    public override Json Eval(Machine m, Json input) => m.Frame.Up(hops).Slots[slot];
}

internal sealed class GlobalExpression(int index) : Expression
{
    public override Json Eval(Machine m, Json input) => m.Globals[index];
}

internal sealed class FieldExpression : Expression
{
    private readonly string _name;

    public FieldExpression(string name) => _name = name;

    public string Name => _name;

    public override Json Eval(Machine m, Json input) => Of(input, _name);

    public static Json Of(Json target, string name)
    {
        if (target.ObjectOrNull is { } members) return members.Get(name);
        return target.IsNull ? default : Paths.Get(target, name);
    }
}

/// <summary><c>.a.b.c</c> in one go.</summary>
internal sealed class FieldsExpression(string[] names) : Expression
{
    public readonly string[] Names = names;

    public override Json Eval(Machine m, Json input)
    {
        foreach (var name in Names)
        {
            if (input.ObjectOrNull is { } members) input = members.Get(name);
            else if (!input.IsNull) return Paths.Get(input, name);
        }
        return input;
    }
}

internal sealed class IndexExpression : Expression
{
    private readonly Expression _target;
    private readonly Expression _key;

    public IndexExpression(Expression target, Expression key)
    {
        _target = target;
        _key = key;
        Height = Above(target, key);
    }

    public override Json Eval(Machine m, Json input)
    {
        var key = _key.Eval(m, input);
        if (key.IsSignal) return key;
        var target = _target.Eval(m, input);
        return target.IsSignal ? target : Paths.Get(m, target, key);
    }
}

/// <summary>No output where the inner expression, which reads one value, fails.</summary>
internal sealed class OptionalExpression : Expression
{
    private readonly Expression _target;
    private readonly Expression _access;

    /// <param name="target">Its errors are not caught.</param>
    /// <param name="access">What is done with the target's value.</param>
    public OptionalExpression(Expression target, Expression access)
    {
        _target = target;
        _access = access;
        Height = Above(target, access);
    }

    public override Json Eval(Machine m, Json input)
    {
        var target = _target.Eval(m, input);
        if (target.IsSignal) return target;
        var found = _access.Eval(m, target);
        return found.IsSignal && Signal.Of(found).Kind == SignalKind.Error ? Signal.Empty : found;
    }
}

internal sealed class PipeExpression : Expression
{
    private readonly Expression _left;
    private readonly Expression _right;

    private PipeExpression(Expression left, Expression right)
    {
        _left = left;
        _right = right;
        Height = Above(left, right);
    }

    public static Expression Of(Expression left, Expression right)
    {
        if (left is IdentityExpression) return right;
        if (right is IdentityExpression or null) return left;
        if (right is ConstantExpression && left is ConstantExpression or SlotExpression) return right;
        if (right is FieldExpression last)
        {
            if (left is FieldExpression first) return new FieldsExpression([first.Name, last.Name]);
            if (left is FieldsExpression several) return new FieldsExpression([.. several.Names, last.Name]);
        }
        return new PipeExpression(left, right);
    }

    public override Json Eval(Machine m, Json input)
    {
        var value = _left.Eval(m, input);
        return value.IsSignal ? value : _right.Eval(m, value);
    }
}

/// <summary>Keeps the source's value in a slot for the body.</summary>
internal sealed class BindExpression : Expression
{
    private readonly Expression _source;
    private readonly int _slot;
    private readonly Expression _body;

    public BindExpression(Expression source, int slot, Expression body)
    {
        _source = source;
        _slot = slot;
        _body = body;
        Height = Above(source, body);
    }

    public override Json Eval(Machine m, Json input)
    {
        var value = _source.Eval(m, input);
        if (value.IsSignal) return value;
        m.Frame.Slots[_slot] = value;
        return _body.Eval(m, input);
    }
}

internal sealed class IfExpression : Expression
{
    private readonly Expression _condition;
    private readonly Expression _then;
    private readonly Expression _otherwise;

    public IfExpression(Expression condition, Expression then, Expression otherwise)
    {
        _condition = condition;
        _then = then;
        _otherwise = otherwise;
        Height = Above([condition, then, otherwise]);
    }

    public override Json Eval(Machine m, Json input)
    {
        var condition = _condition.Eval(m, input);
        if (condition.IsSignal) return condition;
        return condition.IsTruthy ? _then.Eval(m, input) : _otherwise.Eval(m, input);
    }
}

internal sealed class LogicExpression : Expression
{
    private readonly bool _isAnd;
    private readonly Expression _left;
    private readonly Expression _right;

    public LogicExpression(bool isAnd, Expression left, Expression right)
    {
        _isAnd = isAnd;
        _left = left;
        _right = right;
        Height = Above(left, right);
    }

    public override Json Eval(Machine m, Json input)
    {
        var left = _left.Eval(m, input);
        if (left.IsSignal) return left;
        if (left.IsTruthy != _isAnd) return !_isAnd;
        var right = _right.Eval(m, input);
        return right.IsSignal ? right : right.IsTruthy;
    }
}

internal sealed class AlternativeExpression : Expression
{
    private readonly Expression _left;
    private readonly Expression _right;

    public AlternativeExpression(Expression left, Expression right)
    {
        _left = left;
        _right = right;
        Height = Above(left, right);
    }

    public override Json Eval(Machine m, Json input)
    {
        var left = _left.Eval(m, input);
        if (!left.IsSignal) return left.IsTruthy ? left : _right.Eval(m, input);
        return Signal.Of(left).Kind == SignalKind.Empty ? _right.Eval(m, input) : left;
    }
}

internal sealed class TryExpression : Expression
{
    private readonly Expression _body;
    private readonly Expression? _handler;

    public TryExpression(Expression body, Expression? handler)
    {
        _body = body;
        _handler = handler;
        Height = Above(body, handler ?? body);
    }

    public override Json Eval(Machine m, Json input)
    {
        Json value;
        try
        {
            value = _body.Eval(m, input);
        }
        catch (JqException e)
        {
            value = Signal.Error(e.Value);
        }
        if (!value.IsSignal) return value;
        var signal = Signal.Of(value);
        if (signal.Kind != SignalKind.Error) return value;
        return _handler is null ? Signal.Empty : _handler.Eval(m, signal.Value);
    }
}

internal sealed class LabelExpression : Expression
{
    private readonly object _id;
    private readonly Expression _body;

    public LabelExpression(object id, Expression body)
    {
        _id = id;
        _body = body;
        Height = Above(body);
    }

    public override Json Eval(Machine m, Json input)
    {
        var value = _body.Eval(m, input);
        return value.IsSignal && Signal.Of(value) is { Kind: SignalKind.Break } stop && stop.Label!.Id == _id ? Signal.Empty : value;
    }
}
