using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

/// <summary>An assignment to one place that is known by its keys: <c>.a.b[0] |= f</c>, without a search for paths.</summary>
internal sealed class PlaceUpdateExpression : Expression
{
    private readonly Expression[] _keys;
    private readonly Expression? _value;
    private readonly int _slot;
    private readonly Expression _update;

    /// <param name="keys">Evaluated on the input.</param>
    /// <param name="value">Evaluated on the input before, and kept in the slot for the update.</param>
    /// <param name="slot">Where the value is kept.</param>
    /// <param name="update">Evaluated on what stands at the place.</param>
    public PlaceUpdateExpression(Expression[] keys, Expression? value, int slot, Expression update)
    {
        _keys = keys;
        _value = value;
        _slot = slot;
        _update = update;
        Height = Math.Max(Above(keys), Above(update, value ?? update));
    }

    public override Json Eval(Machine m, Json input)
    {
        if (_value is not null)
        {
            var value = _value.Eval(m, input);
            if (value.IsSignal) return value;
            m.Frame.Slots[_slot] = value;
        }
        return Update(m, input, input, 0);
    }

    private Json Update(Machine m, Json input, Json target, int at)
    {
        if (at == _keys.Length) return _update.Eval(m, target);
        var key = _keys[at].Eval(m, input);
        if (key.IsSignal) return key;
        var old = Paths.Get(m, target, key);
        if (old.IsSignal) return old;
        var value = Update(m, input, old, at + 1);
        if (!value.IsSignal) return Paths.SetAt(m, target, key, value);
        // No output deletes the place.
        if (at < _keys.Length - 1 || Signal.Of(value).Kind != SignalKind.Empty) return value;
        return Paths.Delete(m, target, Json.Array(Json.Array(key)));
    }
}
