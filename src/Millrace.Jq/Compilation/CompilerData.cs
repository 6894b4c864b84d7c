using Millrace.Jq.Builtins;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq.Compilation;

internal sealed partial class Compiler
{
    /// <summary>
    /// A function of operands that may each have several outputs: nested loops, the first operand outermost, every
    /// operand evaluated on the common input.
    /// </summary>
    /// <param name="build">Makes the expression from those of the operands and of the input.</param>
    /// <param name="readsInput">Whether the built expression reads the input besides the operands.</param>
    private static Code Operands(Code[] operands, Context c, Func<Expression[], Expression, Expression> build, bool readsInput = false)
    {
        if (operands.All(IsLow)) return new Code(build([.. operands.Select(o => o.Single!)], IdentityExpression.Instance));
        var expressions = new Expression[operands.Length];
        var input = -1;
        var several = operands.Count(o => !o.IsTrivial) > 1;
        if (several || readsInput) input = c.NewSlot();
        var last = System.Array.FindLastIndex(operands, o => !o.IsTrivial);
        var slots = new int[operands.Length];
        for (var i = 0; i < operands.Length; i++)
        {
            if (operands[i].IsTrivial) expressions[i] = operands[i].Single!;
            else if (i == last) expressions[i] = IdentityExpression.Instance;
            else expressions[i] = new SlotExpression(slots[i] = c.NewSlot());
        }
        var built = build(expressions, input < 0 ? IdentityExpression.Instance : new SlotExpression(input));
        return new Code(next =>
        {
            Op op = operands[last].Emit(new EvalOp(built, next));
            for (var i = last - 1; i >= 0; i--)
                if (!operands[i].IsTrivial) op = operands[i].Emit(new StoreLoadOp(slots[i], input, op));
            return input < 0 ? op : new StoreOp(input, op);
        });
    }

    private static bool IsLow(Code code) => code.Single is { Height: < HeightMax };

    private Code Template(TemplateNode node, Context c)
    {
        var operands = new Code[node.Parts.Count];
        var count = operands.Length;
        for (var i = 0; i < count; i++)
        {
            var part = node.Parts[i];
            operands[count - 1 - i] = part is TemplateNode { Parts: [var inner] } shown
                ? Pipe(Values(inner, c), new Code(new FormatExpression(shown.Format)))
                : Values(part, c);
        }
        return Operands(operands, c, (e, _) => new TemplateExpression([.. e.Reverse()]));
    }

    private Code Index(IndexNode node, Context c)
    {
        var target = Values(node.Target, c);
        var key = Values(node.Key, c);
        if (key.Single is ConstantExpression { Value: { IsString: true } name })
        {
            Expression field = new FieldExpression(name.AsString());
            if (!node.Optional) return Pipe(target, new Code(field));
            return Pipe(target, new Code(new OptionalExpression(IdentityExpression.Instance, field)));
        }
        return Operands([key, target], c, (e, _) => node.Optional ? Optionally(e[1], e[0]) : new IndexExpression(e[1], e[0]));
    }

    /// <summary>The key is evaluated on the input, before the target; only the access itself is optional.</summary>
    private static OptionalExpression Optionally(Expression target, Expression key) => key is ConstantExpression
        ? new OptionalExpression(target, new IndexExpression(IdentityExpression.Instance, key))
        : new OptionalExpression(new PairExpression(target, key), PairAccess.Instance);

    private Code Slice(SliceNode node, Context c)
    {
        var from = node.From is null ? Constant(Json.Null) : Values(node.From, c);
        var upto = node.Upto is null ? Constant(Json.Null) : Values(node.Upto, c);
        return Operands([from, upto, Values(node.Target, c)], c, (e, _) =>
        {
            var key = SliceKey(e[0], e[1]);
            return node.Optional ? Optionally(e[2], key) : new IndexExpression(e[2], key);
        });
    }

    private static RecordExpression SliceKey(Expression from, Expression upto) => new(["start", "end"], [from, upto]);

    private Code Iterate(IterateNode node, Context c)
    {
        var target = Values(node.Target, c);
        if (target.Single is not { Height: < HeightMax } single) return new Code(next => target.Emit(new IterateOp(null, node.Optional, next)));
        var source = single is IdentityExpression ? null : single;
        return new Code(next => new IterateOp(source, node.Optional, next), new ItemsLoop(single, node.Optional));
    }

    private Code Array(ArrayNode node, Context c)
    {
        if (node.Body is null) return Constant(Json.EmptyArray);
        if (node.Body is CommaNode comma)
        {
            var items = comma.Items.Select(item => Values(item, c)).ToArray();
            return items.All(IsLow) ? new Code(new ArrayExpression([.. items.Select(i => i.Single!)])) : Collect(Comma(items), c);
        }
        var body = Values(node.Body, c);
        return IsLow(body) ? new Code(new ArrayExpression([body.Single!])) : Collect(body, c);
    }

    private static Code Collect(Code body, Context c)
    {
        if (body.Loop is { } loop) return new Code(new GatherExpression(loop));
        var slot = c.NewSlot();
        return new Code(next => new CollectOp(slot, body.Emit(new GatherOp(slot)), next));
    }

    private Code Object(ObjectNode node, Context c)
    {
        var operands = new Code[node.Entries.Count * 2];
        for (var i = 0; i < node.Entries.Count; i++)
        {
            operands[2 * i] = Values(node.Entries[i].Key, c);
            operands[2 * i + 1] = Values(node.Entries[i].Value, c);
        }
        return Operands(operands, c, (e, _) =>
        {
            Expression[] keys = [.. e.Where((_, i) => i % 2 == 0)], values = [.. e.Where((_, i) => i % 2 == 1)];
            var names = keys.Select(k => (k as ConstantExpression)?.Value.StringOrNull).OfType<string>().Distinct().ToArray();
            return names.Length == keys.Length ? new RecordExpression(names, values) : new ObjectExpression(keys, values);
        });
    }

    private static Code Pipe(Code left, Code right)
    {
        if (left.Single is { } a && right.Single is { } b && a.Height + b.Height < HeightMax) return new Code(PipeExpression.Of(a, b));
        var loop = left.Loop is { } inner && right.Single is { Height: < HeightMax } each ? inner.Then(each) : null;
        return new Code(next => left.Emit(right.Emit(next)), loop);
    }

    private static Code Comma(Code[] branches) => new(next => new ForkOp([.. branches.Select(b => b.Emit(next))]));
}
