using Millrace.Jq.Builtins;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;
using Millrace.Jq.Text;

namespace Millrace.Jq.Compilation;

internal sealed partial class Compiler
{
    /// <summary>
    /// Compiles a filter for its paths: steps that read a part of the value extend the machine's path, all others leave
    /// it as it is, and a step that finds the value is no longer the one at the path refuses.
    /// </summary>
    private Code Paths(Node node, Context c)
    {
        Enter(node);
        var code = DeepStack.IsShort() ? DeepStack.Run(() => PathsOf(node, c)) : PathsOf(node, c);
        _depth--;
        return code;
    }

    private Code PathsOf(Node node, Context c) => node switch
    {
        IndexNode index => PathAccess(index.Target, [Values(index.Key, c)], c, e => e[0], index.Optional),
        SliceNode slice => PathAccess(
            slice.Target,
            [slice.From is null ? Constant(Json.Null) : Values(slice.From, c), slice.Upto is null ? Constant(Json.Null) : Values(slice.Upto, c)],
            c, e => SliceKey(e[0], e[1]), slice.Optional),
        IterateNode iterate => PathIterate(iterate, c),
        PipeNode pipe => Pipe(Paths(pipe.Left, c), Paths(pipe.Right, c)),
        CommaNode comma => Comma([.. comma.Items.Select(item => Paths(item, c))]),
        AlternativeNode either => PathAlternative(either, c),
        IfNode choice => If(choice, c, Paths),
        TryNode attempt => Try(attempt, c, Paths),
        ReduceNode reduce => Reduce(reduce, c, Paths),
        ForeachNode each => Foreach(each, c, Paths),
        BindNode bind => Bind(Values(bind.Source, c), bind.Patterns, c, inner => Paths(bind.Body, inner)),
        LabelNode label => Label(label, c, Paths),
        DefinitionNode definition => Paths(definition.Rest, Define(definition.Definition, c)),
        CallNode call => PathCall(call, c),
        _ => Values(node, c),
    };

    private Code PathAccess(Node targetNode, Code[] keys, Context c, Func<Expression[], Expression> build, bool optional)
    {
        var target = Paths(targetNode, c);
        if (keys.All(k => k.IsTrivial))
        {
            var constant = build([.. keys.Select(k => k.Single!)]);
            return new Code(next => target.Emit(new PathIndexOp(constant, optional, next)));
        }
        var input = c.NewSlot();
        int[] slots = [.. keys.Select(_ => c.NewSlot())];
        var key = build([.. slots.Select(s => new SlotExpression(s))]);
        return new Code(next =>
        {
            var op = target.Emit(new PathIndexOp(key, optional, next));
            for (var i = keys.Length - 1; i >= 0; i--) op = keys[i].Emit(new StoreLoadOp(slots[i], input, op));
            return new StoreOp(input, op);
        });
    }

    private Code PathIterate(IterateNode node, Context c)
    {
        var target = Paths(node.Target, c);
        return new Code(next => target.Emit(new PathIterateOp(node.Optional, next)));
    }

    private Code PathAlternative(AlternativeNode node, Context c)
    {
        var left = Paths(node.Left, c);
        var right = Paths(node.Right, c);
        var found = c.NewSlot();
        return new Code(next => new AlternativeOp(found, left.Emit(new FoundOp(found, next)), right.Emit(next)));
    }

    /// <summary><c>path(f)</c>: the paths of a filter as values.</summary>
    private Code PathsAsValues(Node body, Context c)
    {
        var paths = Paths(body, c);
        var outer = c.NewSlot();
        return new Code(next => new PathBeginOp(outer, paths.Emit(new PathEndOp(outer, next))));
    }

    private Code Update(UpdateNode node, Context c)
    {
        var value = Values(node.Value, c);
        if (IsLow(value) && KeysOf(node.Target, c) is { } keys) return UpdatePlace(node, keys, value.Single!, c);
        if (node.Kind == Syntax.Update.Modify) return Modify(node.Target, value, c);
        int input = c.NewSlot(), slot = c.NewSlot();
        if (node.Kind == Syntax.Update.Set)
        {
            var target = Paths(node.Target, c);
            var state = c.NewSlot();
            return new Code(next =>
            {
                var start = new AssignOp(state, input, target.Emit(new AssignAtOp(state, new SlotExpression(slot))), next);
                return new StoreOp(input, value.Emit(new StoreOp(slot, start)));
            });
        }
        var modify = Modify(node.Target, new Code(Combine(node, new SlotExpression(slot))), c);
        return new Code(next => new StoreOp(input, value.Emit(new StoreLoadOp(slot, input, modify.Emit(next)))));
    }

    private static Code UpdatePlace(UpdateNode node, Expression[] keys, Expression value, Context c)
    {
        if (node.Kind == Syntax.Update.Modify) return new Code(new PlaceUpdateExpression(keys, null, 0, value));
        var slot = c.NewSlot();
        return new Code(new PlaceUpdateExpression(keys, value, slot, Combine(node, new SlotExpression(slot))));
    }

    /// <summary>What the value at the place becomes, given the assigned value.</summary>
    private static Expression Combine(UpdateNode node, Expression assigned) => node.Kind switch
    {
        Syntax.Update.Set => assigned,
        Syntax.Update.Alternative => new AlternativeExpression(IdentityExpression.Instance, assigned),
        _ => new BinaryExpression(node.Operator, IdentityExpression.Instance, assigned),
    };

    /// <summary>The keys of a target that is one place at most, evaluated on the input; null for any other.</summary>
    private Expression[]? KeysOf(Node target, Context c)
    {
        var keys = new List<Expression>();
        for (; target is not IdentityNode; target = ((IndexNode)target).Target)
        {
            if (target is not IndexNode { Optional: false } index) return null;
            var key = Values(index.Key, c);
            if (!IsLow(key)) return null;
            keys.Add(key.Single!);
        }
        keys.Reverse();
        return keys.Count is > 0 and < HeightMax / 4 ? [.. keys] : null;
    }

    private Code Modify(Node targetNode, Code update, Context c)
    {
        var target = Paths(targetNode, c);
        int state = c.NewSlot(), removed = c.NewSlot(), path = c.NewSlot(), mark = c.NewSlot();
        return new Code(next =>
        {
            var each = update.Emit(new ModifySetOp(state, path, mark));
            return new ModifyOp(state, removed, target.Emit(new ModifyAtOp(state, removed, path, mark, each)), next);
        });
    }
}
