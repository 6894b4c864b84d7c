using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

/// <summary>Evaluates key and target for <see cref="PairAccess"/>, so that errors of theirs are told from errors of the access.</summary>
internal sealed class PairExpression : Expression
{
    private readonly Expression _target;
    private readonly Expression _key;

    public PairExpression(Expression target, Expression key)
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
        return target.IsSignal ? target : Json.Array(target, key);
    }
}

internal sealed class PairAccess : Expression
{
    public static readonly PairAccess Instance = new();

    public override Json Eval(Machine m, Json input) => Paths.Get(m, input[0], input[1]);
}

/// <summary>A member in an object pattern; its key must be a string.</summary>
internal sealed class MemberExpression(Expression target, Expression key) : Expression
{
    public override Json Eval(Machine m, Json input)
    {
        var name = key.Eval(m, input);
        var from = target.Eval(m, input);
        return name.IsString ? Paths.Get(m, from, name) : Fault.Of($"Cannot index {Describe.Kind(from)} with {Describe.Kind(name)}");
    }
}
