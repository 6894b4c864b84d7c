using Millrace.Jq.Builtins;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq.Compilation;

internal sealed partial class Compiler
{
    /// <summary>Built-ins made in C#: some are steps of their own, the others functions of their arguments' values.</summary>
    private Code BuiltIn(CallNode call, Context c)
    {
        Code Argument(int at) => Values(call.Arguments[at], c);
        switch (call.Name, call.Arguments.Count)
        {
            case ("empty", 0): return new Code(new ConstantExpression(Signal.Empty));
            case ("error", 0): return new Code(new Native0Expression((_, x) => Signal.Error(x), IdentityExpression.Instance));
            case ("error", 1): return Operands([Argument(0)], c, (e, _) => new Native0Expression((_, x) => Signal.Error(x), e[0]));
            case ("path", 1): return PathsAsValues(call.Arguments[0], c);
            case ("range", 2): return Range([Argument(0), Argument(1), Constant(1)], c);
            case ("range", 3): return Range([Argument(0), Argument(1), Argument(2)], c);
            case ("first", 1): return First(Argument(0), c);
            case ("last", 1): return Last(Argument(0), c);
            case ("_limit", 2): return Limit(Argument(0), Argument(1), c);
            case ("_skip", 2): return Skip(Argument(0), Argument(1), c);
            case ("isempty", 1): return Search(Argument(0), Witness.Any, false, c);
            case ("any", 2): return Search(Pipe(Argument(0), Argument(1)), Witness.Truthy, true, c);
            case ("all", 2): return Search(Pipe(Argument(0), Argument(1)), Witness.Falsy, false, c);
            default: return Native(call, c);
        }
    }

    private Code PathBuiltIn(CallNode call, Context c)
    {
        Code Argument(int at) => Paths(call.Arguments[at], c);
        return (call.Name, call.Arguments.Count) switch
        {
            ("first", 1) => First(Argument(0), c),
            ("last", 1) => Last(Argument(0), c),
            ("_limit", 2) => Limit(Values(call.Arguments[0], c), Argument(1), c),
            ("_skip", 2) => Skip(Values(call.Arguments[0], c), Argument(1), c),
            ("getpath", 1) => GetPath(Values(call.Arguments[0], c), c),
            _ => BuiltIn(call, c),
        };
    }

    /// <summary>The last argument is evaluated first and so makes the outermost loop.</summary>
    private Code Native(CallNode call, Context c)
    {
        var function = Catalog.Function(call.Name, call.Arguments.Count);
        if (function is Native0 none) return new Code(new Native0Expression(none, IdentityExpression.Instance));
        Code[] operands = [.. call.Arguments.Reverse<Node>().Select(argument => Values(argument, c))];
        return Operands(operands, c, (e, input) => function is Native1 one
            ? new Native1Expression(one, input, e[0])
            : new NativeExpression(function, input, [.. e.Reverse()]), readsInput: true);
    }

    private static Code Range(Code[] bounds, Context c)
    {
        if (bounds.All(IsLow))
        {
            Expression from = bounds[0].Single!, upto = bounds[1].Single!, by = bounds[2].Single!;
            return new Code(next => new RangeOp(from, upto, by, next), new RangeLoop(from, upto, by));
        }
        var input = c.NewSlot();
        int[] slots = [.. bounds.Select(_ => c.NewSlot())];
        return new Code(next =>
        {
            Op op = new RangeOp(new SlotExpression(slots[0]), new SlotExpression(slots[1]), new SlotExpression(slots[2]), next);
            for (var i = bounds.Length - 1; i >= 0; i--) op = bounds[i].Emit(new StoreLoadOp(slots[i], input, op));
            return new StoreOp(input, op);
        });
    }

    private static Code First(Code body, Context c)
    {
        if (body.Single is not null) return body;
        if (body.Loop is { Height: < HeightMax } loop) return new Code(new FirstExpression(loop));
        var mark = c.NewSlot();
        return new Code(next => new MarkOp(mark, body.Emit(new CutOp(mark, next))));
    }

    private static Code Last(Code body, Context c)
    {
        if (body.Single is not null) return body;
        var slot = c.NewSlot();
        return new Code(next => new LastOp(slot, body.Emit(new LastSeenOp(slot)), next));
    }

    private static Code Limit(Code count, Code body, Context c)
    {
        int left = c.NewSlot(), mark = c.NewSlot(), input = c.NewSlot();
        return new Code(next => new StoreOp(input, count.Emit(new StoreLoadOp(left, input, new MarkOp(mark, body.Emit(new LimitOp(left, mark, next)))))));
    }

    private static Code Skip(Code count, Code body, Context c)
    {
        int left = c.NewSlot(), input = c.NewSlot();
        return new Code(next => new StoreOp(input, count.Emit(new StoreLoadOp(left, input, body.Emit(new SkipOp(left, next))))));
    }

    private static Code Search(Code body, Witness wanted, bool answer, Context c)
    {
        var loop = body.Loop ?? (IsLow(body) ? new SingleLoop(body.Single!) : null);
        if (loop is { Height: < HeightMax }) return new Code(new SearchExpression(loop, wanted, answer));
        var mark = c.NewSlot();
        return new Code(next => new SearchOp(mark, !answer, body.Emit(new WitnessOp(mark, wanted, answer, next)), next));
    }

    private static Code GetPath(Code path, Context c)
    {
        if (IsLow(path)) return new Code(next => new PathGetOp(path.Single!, next));
        int input = c.NewSlot(), slot = c.NewSlot();
        return new Code(next => new StoreOp(input, path.Emit(new StoreLoadOp(slot, input, new PathGetOp(new SlotExpression(slot), next)))));
    }
}
