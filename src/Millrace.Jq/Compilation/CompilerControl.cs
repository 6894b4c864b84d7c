using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq.Compilation;

/// <summary>Compiles a part for its values or for its paths.</summary>
internal delegate Code Mode(Node node, Context c);

internal sealed partial class Compiler
{
    private Code Logic(LogicNode node, Context c)
    {
        var left = Values(node.Left, c);
        var right = Values(node.Right, c);
        if (IsLow(left) && IsLow(right)) return new Code(new LogicExpression(node.IsAnd, left.Single!, right.Single!));
        var input = c.NewSlot();
        return new Code(next =>
        {
            var truth = new EvalOp(new IfExpression(IdentityExpression.Instance, new ConstantExpression(true), new ConstantExpression(false)), next);
            var settled = new EvalOp(new ConstantExpression(!node.IsAnd), next);
            var other = right.Emit(truth);
            return new StoreOp(input, left.Emit(node.IsAnd ? new BranchOp(input, other, settled) : new BranchOp(input, settled, other)));
        });
    }

    private static Code Alternative(Code left, Code right, Context c)
    {
        if (IsLow(left) && IsLow(right)) return new Code(new AlternativeExpression(left.Single!, right.Single!));
        var found = c.NewSlot();
        return new Code(next => new AlternativeOp(found, left.Emit(new FoundOp(found, next)), right.Emit(next)));
    }

    private Code If(IfNode node, Context c, Mode mode)
    {
        var condition = Values(node.Condition, c);
        var then = mode(node.Then, c);
        var otherwise = node.Otherwise is null ? new Code(IdentityExpression.Instance) : mode(node.Otherwise, c);
        if (IsLow(condition))
        {
            if (mode == Values && IsLow(then) && IsLow(otherwise))
                return new Code(new IfExpression(condition.Single!, then.Single!, otherwise.Single!));
            return new Code(next => new IfOp(condition.Single!, then.Emit(next), otherwise.Emit(next)));
        }
        var input = c.NewSlot();
        return new Code(next => new StoreOp(input, condition.Emit(new BranchOp(input, then.Emit(next), otherwise.Emit(next)))));
    }

    private Code Try(TryNode node, Context c, Mode mode)
    {
        var body = mode(node.Body, c);
        var handler = node.Handler is null ? null : Values(node.Handler, c);
        if (mode == Values && IsLow(body) && (handler is null || IsLow(handler))) return new Code(new TryExpression(body.Single!, handler?.Single));
        var mark = c.NewSlot();
        return new Code(next => new TryOp(mark, body.Emit(new ShieldOp(mark, next)), handler?.Emit(next)));
    }

    private static Code Label(LabelNode node, Context c, Mode mode)
    {
        var place = new LabelPlace(c.Function, c.NewSlot(), new object());
        var body = mode(node.Body, c.With(node, place));
        if (IsLow(body)) return new Code(new LabelExpression(place.Id, body.Single!));
        return new Code(next => new MarkOp(place.Slot, body.Emit(next)));
    }

    private Code Reduce(ReduceNode node, Context c, Mode mode)
    {
        var source = mode(node.Source, c);
        var start = mode(node.Start, c);
        int state = c.NewSlot(), input = c.NewSlot();
        if (mode == Values && node.Patterns is [VariablePattern one] && source.Loop is { Height: < HeightMax } loop && IsLow(start))
        {
            var slot = c.NewSlot();
            var update = Values(node.Update, c.With(one.Variable, new VariablePlace(c.Function, slot)));
            if (IsLow(update)) return new Code(new FoldExpression(loop, slot, start.Single!, update.Single!));
            var step = StateStep(update, state);
            return Reducing(start, BindSlot(source, slot, input, step), state, input);
        }
        var body = Bind(source, node.Patterns, c, inner => StateStep(mode(node.Update, inner), state));
        return Reducing(start, body, state, input);
    }

    private static Code Reducing(Code start, Code body, int state, int input) => new(next =>
        new StoreOp(input, start.Emit(new ReduceOp(state, input, body.Emit(OutputOp.Instance), next))));

    /// <summary>Takes the state, updates it, puts it back and backs up; nothing follows it.</summary>
    private static Code StateStep(Code update, int state) => new(_ => new TakeOp(state, update.Emit(new PutOp(state))));

    private Code Foreach(ForeachNode node, Context c, Mode mode)
    {
        var source = mode(node.Source, c);
        var start = mode(node.Start, c);
        int state = c.NewSlot(), input = c.NewSlot();
        var body = Bind(source, node.Patterns, c, inner =>
        {
            var update = mode(node.Update, inner);
            var extract = node.Extract is null ? null : mode(node.Extract, inner);
            return new Code(next => new TakeOp(state, update.Emit(new StoreOp(state, extract is null ? next : extract.Emit(next)))));
        });
        return new Code(next => new StoreOp(input, start.Emit(new ForeachOp(state, input, body.Emit(next)))));
    }

    /// <summary>Binds the source's outputs, one after the other, to the patterns' variables for the body.</summary>
    private Code Bind(Code source, List<Pattern> patterns, Context c, Func<Context, Code> body)
    {
        var inner = c;
        var variables = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var pattern in patterns) inner = Declare(pattern, inner, variables);
        if (patterns is [VariablePattern])
        {
            var bound = body(inner);
            return BindSlot(source, variables.Values.Single(), c.NewSlot(), bound);
        }
        var input = c.NewSlot();
        var code = body(inner);
        if (patterns.Count > 1) return Alternatives(source, patterns, inner, input, [.. variables.Values.Distinct()], code);
        var match = Match(patterns[0], inner, new Code(next => new EvalOp(new SlotExpression(input), code.Emit(next))));
        return new Code(next => new StoreOp(input, source.Emit(match.Emit(next))));
    }

    private Code Alternatives(Code source, List<Pattern> patterns, Context inner, int input, int[] variables, Code body)
    {
        int mark = inner.NewSlot(), value = inner.NewSlot();
        return new Code(next =>
        {
            // The body stands once; every alternative leads into it.
            var shared = new EvalOp(new SlotExpression(input), body.Emit(new ShieldOp(mark, next)));
            var then = new Code(_ => shared);
            var op = Match(patterns[^1], inner, then).Emit(shared);
            for (var i = patterns.Count - 2; i >= 0; i--)
                op = new DestructureOp(mark, value, variables, Match(patterns[i], inner, then).Emit(shared), op, i == patterns.Count - 2);
            return new StoreOp(input, source.Emit(op));
        });
    }

    private static Code BindSlot(Code source, int slot, int input, Code body)
    {
        if (IsLow(source) && IsLow(body)) return new Code(new BindExpression(source.Single!, slot, body.Single!));
        return new Code(next => new StoreOp(input, source.Emit(new StoreLoadOp(slot, input, body.Emit(next)))));
    }

    /// <summary>Gives every variable of a pattern a slot; a name that several alternatives bind shares one.</summary>
    private static Context Declare(Pattern pattern, Context c, Dictionary<string, int> slots)
    {
        switch (pattern)
        {
            case VariablePattern variable:
                return Declare(variable.Variable, c, slots);
            case ArrayPattern array:
                foreach (var item in array.Items) c = Declare(item, c, slots);
                return c;
            default:
                foreach (var (_, name, value) in ((ObjectPattern)pattern).Entries)
                {
                    if (name is not null) c = Declare(name, c, slots);
                    if (value is not null) c = Declare(value, c, slots);
                }
                return c;
        }
    }

    private static Context Declare(Variable variable, Context c, Dictionary<string, int> slots)
    {
        if (!slots.TryGetValue(variable.Name, out var slot)) slots[variable.Name] = slot = c.NewSlot();
        return c.With(variable, new VariablePlace(c.Function, slot));
    }

    /// <summary>Takes the value apart into the pattern's variables, then goes on with <paramref name="then"/>.</summary>
    private Code Match(Pattern pattern, Context c, Code then)
    {
        switch (pattern)
        {
            case VariablePattern variable:
                var slot = ((VariablePlace)c.Scope.Find(variable.Variable)!).Slot;
                return new Code(next => new StoreOp(slot, then.Emit(next)));
            case ArrayPattern array:
                var whole = c.NewSlot();
                for (var i = array.Items.Count - 1; i >= 0; i--)
                {
                    var item = Match(array.Items[i], c, then);
                    var read = new IndexExpression(new SlotExpression(whole), new ConstantExpression(i));
                    then = new Code(next => new EvalOp(read, item.Emit(next)));
                }
                var items = then;
                return new Code(next => new StoreOp(whole, items.Emit(next)));
            default:
                return MatchObject((ObjectPattern)pattern, c, then);
        }
    }

    private Code MatchObject(ObjectPattern pattern, Context c, Code then)
    {
        var whole = c.NewSlot();
        for (var i = pattern.Entries.Count - 1; i >= 0; i--)
        {
            var (node, name, value) = pattern.Entries[i];
            var key = Values(node, c);
            var keySlot = c.NewSlot();
            var member = value is null ? then : Match(value, c, then);
            if (name is not null)
            {
                var slot = ((VariablePlace)c.Scope.Find(name)!).Slot;
                var inner = member;
                member = new Code(next => new StoreOp(slot, inner.Emit(next)));
            }
            var read = new MemberExpression(new SlotExpression(whole), new SlotExpression(keySlot));
            var entry = member;
            then = new Code(next => new EvalOp(new SlotExpression(whole), key.Emit(new StoreOp(keySlot, new EvalOp(read, entry.Emit(next))))));
        }
        var entries = then;
        return new Code(next => new StoreOp(whole, entries.Emit(next)));
    }
}
