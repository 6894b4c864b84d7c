using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

internal sealed class ArrayExpression : Expression
{
    private readonly Expression[] _items;

    public ArrayExpression(Expression[] items)
    {
        _items = items;
        Height = Above(items);
    }

    public override Json Eval(Machine m, Json input)
    {
        var values = new Json[_items.Length];
        var count = 0;
        foreach (var item in _items)
        {
            var value = item.Eval(m, input);
            if (!value.IsSignal) values[count++] = value;
            else if (Signal.Of(value).Kind != SignalKind.Empty) return value;
        }
        m.Charge(32 + values.Length * 16);
        return JsonArray.Own(values, count);
    }
}

/// <summary>Keys that are constant and differ.</summary>
internal sealed class RecordExpression : Expression
{
    private readonly string[] _keys;
    private readonly Expression[] _values;

    public RecordExpression(string[] keys, Expression[] values)
    {
        _keys = keys;
        _values = values;
        Height = Above(values);
    }

    public override Json Eval(Machine m, Json input)
    {
        var members = new KeyValuePair<string, Json>[_keys.Length];
        for (var i = 0; i < members.Length; i++)
        {
            var value = _values[i].Eval(m, input);
            if (value.IsSignal) return value;
            members[i] = new(_keys[i], value);
        }
        m.Charge(48 + members.Length * 24);
        return JsonObject.Own(members);
    }
}

internal sealed class ObjectExpression : Expression
{
    private readonly Expression[] _keys;
    private readonly Expression[] _values;

    public ObjectExpression(Expression[] keys, Expression[] values)
    {
        _keys = keys;
        _values = values;
        Height = Math.Max(Above(keys), Above(values));
    }

    public override Json Eval(Machine m, Json input)
    {
        var members = new JsonObject.Builder(_keys.Length);
        for (var i = 0; i < _keys.Length; i++)
        {
            var key = _keys[i].Eval(m, input);
            if (key.IsSignal) return key;
            var value = _values[i].Eval(m, input);
            if (value.IsSignal) return value;
            if (key.StringOrNull is not { } name) return Fault.Of($"Cannot use {Describe.Shown(key)} as object key");
            members.Set(name, value);
        }
        m.Charge(48 + members.Count * 24);
        return members.Build();
    }
}

/// <summary>A string with interpolations; later ones are evaluated first, as jq's chain of additions does.</summary>
internal sealed class TemplateExpression : Expression
{
    private readonly Expression[] _parts;

    /// <param name="parts">Every part yields a string.</param>
    public TemplateExpression(Expression[] parts)
    {
        _parts = parts;
        Height = Above(parts);
    }

    public override Json Eval(Machine m, Json input)
    {
        var texts = new string[_parts.Length];
        var length = 0L;
        for (var i = _parts.Length - 1; i >= 0; i--)
        {
            var value = _parts[i].Eval(m, input);
            if (value.IsSignal) return value;
            texts[i] = value.AsString();
            length += texts[i].Length;
        }
        if (length > Strings.LengthMax) return Fault.Of("String result too long");
        m.ChargeText(length);
        return string.Concat(texts);
    }
}

internal sealed class FormatExpression(string format) : Expression
{
    public override Json Eval(Machine m, Json input) => Formats.Apply(m, format, input);
}

internal sealed class NegateExpression : Expression
{
    private readonly Expression _body;

    public NegateExpression(Expression body)
    {
        _body = body;
        Height = Above(body);
    }

    public override Json Eval(Machine m, Json input)
    {
        var value = _body.Eval(m, input);
        return value.IsSignal ? value : Arithmetic.Negate(value);
    }
}

/// <summary>An arithmetic operator or a comparison; the right side is evaluated first.</summary>
internal sealed class BinaryExpression : Expression
{
    private readonly Syntax.BinaryOperator _operator;
    private readonly Expression _left;
    private readonly Expression _right;

    public BinaryExpression(Syntax.BinaryOperator op, Expression left, Expression right)
    {
        _operator = op;
        _left = left;
        _right = right;
        Height = Above(left, right);
    }

    public override Json Eval(Machine m, Json input)
    {
        var right = _right.Eval(m, input);
        if (right.IsSignal) return right;
        var left = _left.Eval(m, input);
        return left.IsSignal ? left : Arithmetic.Apply(m, _operator, left, right);
    }
}

internal delegate Json Native0(Machine m, Json input);
internal delegate Json Native1(Machine m, Json input, Json a);
internal delegate Json Native2(Machine m, Json input, Json a, Json b);
internal delegate Json Native3(Machine m, Json input, Json a, Json b, Json c);

internal sealed class Native0Expression : Expression
{
    private readonly Native0 _function;
    private readonly Expression _input;

    public Native0Expression(Native0 function, Expression input)
    {
        _function = function;
        _input = input;
        Height = Above(input);
    }

    public override Json Eval(Machine m, Json input)
    {
        var value = _input.Eval(m, input);
        return value.IsSignal ? value : _function(m, value);
    }
}

internal sealed class Native1Expression : Expression
{
    private readonly Native1 _function;
    private readonly Expression _input;
    private readonly Expression _a;

    public Native1Expression(Native1 function, Expression input, Expression a)
    {
        _function = function;
        _input = input;
        _a = a;
        Height = Above(input, a);
    }

    public override Json Eval(Machine m, Json input)
    {
        var a = _a.Eval(m, input);
        if (a.IsSignal) return a;
        var value = _input.Eval(m, input);
        return value.IsSignal ? value : _function(m, value, a);
    }
}

/// <summary>A built-in of two or three arguments; the last is evaluated first, as jq's cartesian products go.</summary>
internal sealed class NativeExpression : Expression
{
    private readonly Delegate _function;
    private readonly Expression _input;
    private readonly Expression[] _arguments;

    public NativeExpression(Delegate function, Expression input, Expression[] arguments)
    {
        _function = function;
        _input = input;
        _arguments = arguments;
        Height = Math.Max(Above(arguments), Above(input));
    }

    public override Json Eval(Machine m, Json input)
    {
        Json c = default;
        if (_arguments.Length == 3)
        {
            c = _arguments[2].Eval(m, input);
            if (c.IsSignal) return c;
        }
        var b = _arguments[1].Eval(m, input);
        if (b.IsSignal) return b;
        var a = _arguments[0].Eval(m, input);
        if (a.IsSignal) return a;
        var value = _input.Eval(m, input);
        if (value.IsSignal) return value;
        return _function is Native2 two ? two(m, value, a, b) : ((Native3)_function)(m, value, a, b, c);
    }
}
