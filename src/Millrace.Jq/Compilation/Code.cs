using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Compilation;

/// <summary>
/// A compiled piece of a filter that does not yet know what follows it. One with a single output is an expression;
/// every other emits steps that lead to the next.
/// </summary>
internal sealed class Code
{
    private readonly Func<Op, Op> _emit;

    public Code(Func<Op, Op> emit, Loop? loop = null)
    {
        _emit = emit;
        Loop = loop;
    }

    public Code(Expression single)
    {
        Single = single;
        _emit = EmitSingle;
    }

    public Expression? Single { get; }

    /// <summary>Set when the outputs are those of a plain loop, which need no forks inside an expression.</summary>
    public Loop? Loop { get; }

    /// <summary>True for constants and variables: they cost nothing, cannot fail and need no input.</summary>
    public bool IsTrivial => Single is ConstantExpression or SlotExpression or OuterSlotExpression or GlobalExpression;

    public Op Emit(Op next) => _emit(next);

    private Op EmitSingle(Op next)
    {
        if (Single is IdentityExpression) return next;
        return next is EvalOp following && following.Expression.Height + Single!.Height < Compiler.HeightMax
            ? new EvalOp(PipeExpression.Of(Single, following.Expression), following.Next)
            : new EvalOp(Single!, next);
    }
}

/// <summary>Where a name's value is found at run time.</summary>
internal abstract record Place;

internal sealed record VariablePlace(FunctionBuilder Owner, int Slot) : Place;

internal sealed record LabelPlace(FunctionBuilder Owner, int Slot, object Id) : Place;

/// <summary>A parameter of a function written out at its call: the argument and the scope it was written in.</summary>
internal sealed record WrittenArgument(Syntax.Node Node, Scope Scope) : Place;

/// <summary>A parameter of a called function.</summary>
internal sealed record PassedArgument(FunctionBuilder Owner, int Index) : Place;

internal sealed record DefinitionPlace(FunctionBuilder Owner) : Place
{
    /// <summary>The scope the body is compiled in, with the definition itself.</summary>
    public Scope Scope = Scope.Root;

    public FunctionBuilder? Builder;
    public bool HasValues;
    public bool HasPaths;
}

/// <summary>The names in scope, innermost first, by their declarations.</summary>
internal sealed class Scope(Scope? outer, object declaration, Place place)
{
    public static readonly Scope Root = new(null, new object(), null!);

    public Scope With(object name, Place at) => new(this, name, at);

    public Place? Find(object name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (ReferenceEquals(scope.Declaration, name)) return scope.Place;
        return null;
    }

    private Scope? Outer { get; } = outer;
    private object Declaration { get; } = declaration;
    private Place Place { get; } = place;
}

/// <summary>A function being compiled: it hands out the slots of its frame.</summary>
internal sealed class FunctionBuilder(FunctionBuilder? outer)
{
    public readonly FunctionBuilder? Outer = outer;
    public readonly Function Function = new();

    public int NewSlot() => Function.SlotCount++;

    /// <summary>How many frames out the frame of another function lies.</summary>
    public int HopsTo(FunctionBuilder owner)
    {
        var hops = 0;
        for (var at = this; at != owner; at = at.Outer ?? throw new InvalidOperationException("Not an enclosing function.")) hops++;
        return hops;
    }
}

internal readonly record struct Context(Scope Scope, FunctionBuilder Function)
{
    public Context With(object name, Place at) => this with { Scope = Scope.With(name, at) };

    public int NewSlot() => Function.NewSlot();
}
