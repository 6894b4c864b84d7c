using Millrace.Jq;
using Millrace.Jq.Syntax;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>
/// Works out the form of what an expression gives from the forms of what it reads, and reports what can only fail or can
/// only be null. Where it is not sure it says nothing: under <c>?</c>, <c>try</c> and on the left of <c>//</c> nothing is reported.
/// </summary>
/// <param name="globals">Forms of the variables of the place.</param>
/// <param name="report">Code, place in the filter, message.</param>
internal sealed class ExpressionForms(Func<string, Form> globals, Action<string, Span, string> report)
{
    private readonly HashSet<string> _defined = new(StringComparer.Ordinal);
    private bool _mayBeEmpty;
    private int _quiet;

    /// <summary>The form of the first output; null is among the types where there may be none.</summary>
    public Form Of(Node filter, Form input)
    {
        var form = Eval(filter, input, Bindings.None);
        return _mayBeEmpty ? form.Or(Form.Null) : form;
    }

    /// <summary>Variables bound inside the filter.</summary>
    private sealed record Bindings(Bindings? Outer, string Name, Form Form)
    {
        public static readonly Bindings None = new(null, "", Form.Any);

        public Form? Find(string name)
        {
            for (var at = this; at is not null; at = at.Outer)
                if (at.Name == name) return at.Form;
            return null;
        }
    }

    private Form Eval(Node node, Form input, Bindings bound) => node switch
    {
        IdentityNode => input,
        LiteralNode literal => Form.Of(literal.Value),
        TemplateNode template => Text(template.Parts, input, bound),
        FormatNode => Form.String,
        IndexNode index => Index(index, input, bound),
        SliceNode slice => Slice(slice, input, bound),
        IterateNode iterate => Iterate(Eval(iterate.Target, input, bound), iterate.Optional, iterate.At),
        ArrayNode { Body: null } => Form.Array(Form.Any),
        ArrayNode array => Form.Array(Inside(() => Eval(array.Body!, input, bound))),
        ObjectNode literal => Object(literal, input, bound),
        PipeNode pipe => Eval(pipe.Right, Eval(pipe.Left, input, bound), bound),
        CommaNode comma => comma.Items.Select(i => Eval(i, input, bound)).ToList().Aggregate((a, b) => a.Or(b)),
        NegateNode negate => Negate(negate, Eval(negate.Body, input, bound)),
        BinaryNode binary => Binary(binary, input, bound),
        LogicNode logic => Logic(logic, input, bound),
        AlternativeNode alternative => Quietly(() => Eval(alternative.Left, input, bound)).Without(JsonTypes.Null).Or(Eval(alternative.Right, input, bound)),
        UpdateNode update => Update(update, input, bound),
        IfNode choice => If(choice, input, bound),
        TryNode attempt => Try(attempt, input, bound),
        ReduceNode reduce => Fold(reduce.Source, reduce.Patterns, [reduce.Start], [reduce.Update], input, bound),
        ForeachNode each => Fold(each.Source, each.Patterns, [each.Start], each.Extract is null ? [each.Update] : [each.Update, each.Extract], input, bound),
        BindNode bind => Bind(bind, input, bound),
        LabelNode label => Eval(label.Body, input, bound),
        VariableNode variable => bound.Find(variable.Name) ?? (variable.Name == "ENV" ? Form.Open : globals(variable.Name)),
        CallNode call => Call(call, input, bound),
        DefinitionNode definition => Define(definition, input, bound),
        _ => Nothing(Form.Any),
    };

    private Form Nothing(Form form)
    {
        _mayBeEmpty = true;
        return form;
    }

    /// <summary>What may be empty inside a collection leaves the collection all the same.</summary>
    private Form Inside(Func<Form> eval)
    {
        var before = _mayBeEmpty;
        var form = eval();
        _mayBeEmpty = before;
        return form;
    }

    private Form Quietly(Func<Form> eval)
    {
        _quiet++;
        var form = eval();
        _quiet--;
        return form;
    }

    private void Report(string code, Span at, string message)
    {
        if (_quiet == 0) report(code, at, message);
    }

    private Form Text(List<Node> parts, Form input, Bindings bound)
    {
        foreach (var part in parts) Eval(part, input, bound);
        return Form.String;
    }

    private Form Index(IndexNode index, Form input, Bindings bound)
    {
        var target = index.Optional ? Quietly(() => Eval(index.Target, input, bound)) : Eval(index.Target, input, bound);
        if (index.Optional) _mayBeEmpty = true;
        if (index.Key is LiteralNode { Value: var key } literal)
        {
            if (key.IsString) return Member(index, target, key.AsString(), literal.At);
            if (key.IsNumber) return Item(index, target);
        }
        Eval(index.Key, input, bound);
        return Form.Any;
    }

    private Form Member(IndexNode index, Form target, string name, Span at)
    {
        if (target.Types == JsonTypes.Null)
        {
            if (index.Target is VariableNode { Name: "context" } && !index.Optional)
                Report("workflow.unknown_field", at, "No task exports anything, so $context is null.");
            return Form.Null;
        }
        if (!target.May(JsonTypes.Object))
        {
            if (!index.Optional) Report("workflow.type_mismatch", at, $"This is {target.Words} and has no member '{name}'.");
            return Form.Any;
        }
        if (target.Member(name) is { } member) return target.May(JsonTypes.Null) ? member.Or(Form.Null) : member;
        if (!index.Optional) Report("workflow.unknown_field", at, $"There is never a member '{name}' here{Nearest.Hint(name, target.Names)}");
        return Form.Any;
    }

    private Form Item(IndexNode index, Form target)
    {
        if (target.Types == JsonTypes.Null) return Form.Null;
        if (!target.May(JsonTypes.Array))
        {
            if (!index.Optional) Report("workflow.type_mismatch", index.Key.At, $"This is {target.Words} and has no items.");
            return Form.Any;
        }
        return target.Items.Or(Form.Null);
    }

    private Form Slice(SliceNode slice, Form input, Bindings bound)
    {
        var target = slice.Optional ? Quietly(() => Eval(slice.Target, input, bound)) : Eval(slice.Target, input, bound);
        if (slice.From is not null) Eval(slice.From, input, bound);
        if (slice.Upto is not null) Eval(slice.Upto, input, bound);
        if (target.May(JsonTypes.Array | JsonTypes.String | JsonTypes.Null)) return target;
        if (!slice.Optional) Report("workflow.type_mismatch", slice.At, $"This is {target.Words} and cannot be sliced.");
        return Form.Any;
    }

    private Form Iterate(Form target, bool optional, Span at)
    {
        _mayBeEmpty = true;
        if (!target.May(JsonTypes.Array | JsonTypes.Object))
        {
            if (!optional) Report("workflow.type_mismatch", at, $"This is {target.Words} and holds nothing to go through.");
            return Form.Any;
        }
        return target.May(JsonTypes.Object) ? Form.Any : target.Items;
    }

    private Form Object(ObjectNode literal, Form input, Bindings bound)
    {
        var members = new Dictionary<string, Form>(StringComparer.Ordinal);
        var open = false;
        foreach (var (key, value) in literal.Entries)
        {
            var form = Eval(value, input, bound);
            if (key is LiteralNode { Value: { IsString: true } name }) members[name.AsString()] = form;
            else
            {
                Eval(key, input, bound);
                open = true;
            }
        }
        return open ? Form.Open : Form.Object(members);
    }

    private Form Negate(NegateNode negate, Form body)
    {
        if (!body.May(JsonTypes.Number)) Report("workflow.type_mismatch", negate.At, $"This is {body.Words} and cannot be negated.");
        return Form.Number;
    }

    private Form Binary(BinaryNode binary, Form input, Bindings bound)
    {
        // Whether a member is there at all is asked by comparing with null.
        var asks = binary.Operator is BinaryOperator.Equal or BinaryOperator.NotEqual && (IsNull(binary.Left) || IsNull(binary.Right));
        var (left, right) = asks
            ? (Quietly(() => Eval(binary.Left, input, bound)), Quietly(() => Eval(binary.Right, input, bound)))
            : (Eval(binary.Left, input, bound), Eval(binary.Right, input, bound));
        if (binary.Operator >= BinaryOperator.Equal) return Form.Boolean;
        var form = Arithmetic.Of(binary.Operator, left, right);
        if (form is null) Report("workflow.type_mismatch", binary.At, $"{Arithmetic.Phrase(binary.Operator, left, right)} cannot be.");
        return form ?? Form.Any;
    }

    private static bool IsNull(Node node) => node is LiteralNode { Value.IsNull: true };

    private Form Logic(LogicNode logic, Form input, Bindings bound)
    {
        Eval(logic.Left, input, bound);
        // The right side often relies on what the left has made sure of.
        Quietly(() => Eval(logic.Right, input, bound));
        return Form.Boolean;
    }

    private Form Update(UpdateNode update, Form input, Bindings bound)
    {
        Quietly(() => Eval(update.Target, input, bound));
        if (update.Kind != Millrace.Jq.Syntax.Update.Modify) Eval(update.Value, input, bound);
        return Nothing(Form.Any);
    }

    /// <summary>A branch may rely on what the condition has made sure of, so only the condition is judged.</summary>
    private Form If(IfNode choice, Form input, Bindings bound)
    {
        Eval(choice.Condition, input, bound);
        return Quietly(() => Eval(choice.Then, input, bound).Or(choice.Otherwise is null ? input : Eval(choice.Otherwise, input, bound)));
    }

    private Form Try(TryNode attempt, Form input, Bindings bound)
    {
        var form = Quietly(() => Eval(attempt.Body, input, bound));
        return attempt.Handler is null ? Nothing(form) : form.Or(Quietly(() => Eval(attempt.Handler, Form.Any, bound)));
    }

    private Form Fold(Node source, List<Pattern> patterns, Node[] starts, Node[] steps, Form input, Bindings bound)
    {
        var item = Eval(source, input, bound);
        foreach (var start in starts) Eval(start, input, bound);
        foreach (var pattern in patterns) bound = With(bound, pattern, item);
        foreach (var step in steps) Eval(step, Form.Any, bound);
        return Nothing(Form.Any);
    }

    private Form Bind(BindNode bind, Form input, Bindings bound)
    {
        var source = Eval(bind.Source, input, bound);
        var inside = bound;
        foreach (var pattern in bind.Patterns) inside = With(inside, pattern, bind.Patterns.Count == 1 ? source : Form.Any);
        return Eval(bind.Body, input, inside);
    }

    private static Bindings With(Bindings bound, Pattern pattern, Form form)
    {
        switch (pattern)
        {
            case VariablePattern variable:
                return new(bound, variable.Variable.Name, form);
            case ArrayPattern array:
                return array.Items.Aggregate(bound, (b, p) => With(b, p, Form.Any));
            case ObjectPattern entries:
                foreach (var (_, bind, value) in entries.Entries)
                {
                    if (bind is not null) bound = new(bound, bind.Name, Form.Any);
                    if (value is not null) bound = With(bound, value, Form.Any);
                }
                return bound;
            default:
                return bound;
        }
    }

    private Form Define(DefinitionNode definition, Form input, Bindings bound)
    {
        _defined.Add($"{definition.Definition.Name}/{definition.Definition.Parameters.Count}");
        return Eval(definition.Rest, input, bound);
    }

    private Form Call(CallNode call, Form input, Bindings bound)
    {
        if (_defined.Contains($"{call.Name}/{call.Arguments.Count}")) return Nothing(Form.Any);
        switch (call.Name, call.Arguments)
        {
            case ("map", [var each]): return Form.Array(Inside(() => Eval(each, Iterate(input, false, call.At), bound)));
            case ("select", [var condition]):
                Eval(condition, input, bound);
                return Nothing(input);
            case ("first" or "last", []): return input.May(JsonTypes.Array) ? input.Items.Or(Form.Null) : Form.Any;
            case ("keys" or "keys_unsorted", []): return input.May(JsonTypes.Array) ? Form.Array(Form.Any) : Form.Array(Form.String);
            case ("empty", []): return Nothing(Form.Null);
        }
        if (Builtin.Find(call.Name, call.Arguments.Count) is not { } builtin) return Nothing(Form.Any);
        if (builtin.MayBeEmpty) _mayBeEmpty = true;
        var on = builtin.Reads switch { Reads.Input => input, Reads.Items => input.May(JsonTypes.Object) ? Form.Any : input.Items, _ => Form.Any };
        foreach (var argument in call.Arguments) Eval(argument, on, bound);
        return builtin.Gives ?? input;
    }
}
