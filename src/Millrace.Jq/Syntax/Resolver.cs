using Millrace.Jq.Builtins;

namespace Millrace.Jq.Syntax;

/// <summary>Finds what every name of a filter stands for, refuses names that stand for nothing, and marks recursion.</summary>
internal sealed class Resolver(IReadOnlyList<string> globals)
{
    private sealed record Scope(Scope? Outer, object Declaration, string Name, int Arity = -1);

    private readonly List<Definition> _within = [];
    private readonly bool[] _used = new bool[globals.Count];
    private int _weight;

    /// <summary>Indices of the caller's variables the filter reads.</summary>
    public IEnumerable<int> Used => Enumerable.Range(0, _used.Length).Where(i => _used[i]);

    public void Resolve(Node node) => Visit(node, null);

    public void Resolve(Definition definition) => Visit(definition, null);

    private Scope Visit(Definition definition, Scope? scope)
    {
        var self = new Scope(scope, definition, definition.Name, definition.Parameters.Count);
        var inner = self;
        foreach (var parameter in definition.Parameters)
        {
            inner = new Scope(inner, parameter, parameter.Name, 0);
            if (parameter.Value is { } value) inner = new Scope(inner, value, value.Name);
        }
        var before = _weight;
        _within.Add(definition);
        Visit(definition.Body, inner);
        _within.RemoveAt(_within.Count - 1);
        definition.Weight = _weight - before;
        return self;
    }

    private void Visit(Node? node, Scope? scope)
    {
        _weight++;
        switch (node)
        {
            case null or IdentityNode or LiteralNode or FormatNode: break;
            case TemplateNode template: VisitAll(template.Parts, scope); break;
            case IndexNode index: Visit(index.Target, scope); Visit(index.Key, scope); break;
            case SliceNode slice: Visit(slice.Target, scope); Visit(slice.From, scope); Visit(slice.Upto, scope); break;
            case IterateNode iterate: Visit(iterate.Target, scope); break;
            case ArrayNode array: Visit(array.Body, scope); break;
            case ObjectNode entries:
                foreach (var (key, value) in entries.Entries)
                {
                    Visit(key, scope);
                    Visit(value, scope);
                }
                break;
            case PipeNode pipe: Visit(pipe.Left, scope); Visit(pipe.Right, scope); break;
            case CommaNode comma: VisitAll(comma.Items, scope); break;
            case NegateNode negate: Visit(negate.Body, scope); break;
            case BinaryNode binary: Visit(binary.Left, scope); Visit(binary.Right, scope); break;
            case LogicNode logic: Visit(logic.Left, scope); Visit(logic.Right, scope); break;
            case AlternativeNode either: Visit(either.Left, scope); Visit(either.Right, scope); break;
            case UpdateNode update: Visit(update.Target, scope); Visit(update.Value, scope); break;
            case IfNode choice: Visit(choice.Condition, scope); Visit(choice.Then, scope); Visit(choice.Otherwise, scope); break;
            case TryNode attempt: Visit(attempt.Body, scope); Visit(attempt.Handler, scope); break;
            default: VisitNames(node, scope); break;
        }
    }

    private void VisitNames(Node node, Scope? scope)
    {
        switch (node)
        {
            case ReduceNode reduce:
                Visit(reduce.Source, scope);
                Visit(reduce.Start, scope);
                Visit(reduce.Update, Bind(reduce.Patterns, scope));
                break;
            case ForeachNode each:
                Visit(each.Source, scope);
                Visit(each.Start, scope);
                var bound = Bind(each.Patterns, scope);
                Visit(each.Update, bound);
                Visit(each.Extract, bound);
                break;
            case BindNode bind:
                Visit(bind.Source, scope);
                Visit(bind.Body, Bind(bind.Patterns, scope));
                break;
            case LabelNode label:
                Visit(label.Body, new Scope(scope, label, "*label-" + label.Name));
                break;
            case BreakNode leave:
                leave.Label = Find(scope, "*label-" + leave.Name, -1) as LabelNode
                    ?? throw new SyntaxError($"$*label-{leave.Name} is not defined", leave.At);
                break;
            case VariableNode variable: VisitVariable(variable, scope); break;
            case CallNode call: VisitCall(call, scope); break;
            case DefinitionNode definition: Visit(definition.Rest, Visit(definition.Definition, scope)); break;
            default: throw new InvalidOperationException(node.GetType().Name);
        }
    }

    private void VisitAll(List<Node> nodes, Scope? scope)
    {
        foreach (var node in nodes) Visit(node, scope);
    }

    private void VisitVariable(VariableNode node, Scope? scope)
    {
        if (Find(scope, node.Name, -1) is Variable variable)
        {
            node.Declaration = variable;
            return;
        }
        for (var i = globals.Count - 1; i >= 0; i--)
        {
            if (globals[i] != node.Name) continue;
            node.Global = i;
            _used[i] = true;
            return;
        }
        if (node.Name is not ("ENV" or "JQ_BUILD_CONFIGURATION")) throw new SyntaxError($"${node.Name} is not defined", node.At);
    }

    private void VisitCall(CallNode call, Scope? scope)
    {
        VisitAll(call.Arguments, scope);
        call.Target = Find(scope, call.Name, call.Arguments.Count) ?? Prelude.Find(call.Name, call.Arguments.Count);
        if (call.Target is Definition definition && _within.Contains(definition)) definition.IsRecursive = true;
        if (call.Target is null && !Catalog.Has(call.Name, call.Arguments.Count))
            throw new SyntaxError($"{call.Name}/{call.Arguments.Count} is not defined", call.At);
    }

    /// <summary>Every variable of every alternative is bound in the body; keys are filters themselves.</summary>
    private Scope? Bind(List<Pattern> patterns, Scope? scope)
    {
        var bound = scope;
        foreach (var pattern in patterns) bound = Bind(pattern, scope, bound);
        return bound;
    }

    private Scope? Bind(Pattern pattern, Scope? outer, Scope? bound)
    {
        switch (pattern)
        {
            case VariablePattern variable:
                return new Scope(bound, variable.Variable, variable.Variable.Name);
            case ArrayPattern array:
                foreach (var item in array.Items) bound = Bind(item, outer, bound);
                return bound;
            default:
                foreach (var (key, name, value) in ((ObjectPattern)pattern).Entries)
                {
                    Visit(key, bound);
                    if (name is not null) bound = new Scope(bound, name, name.Name);
                    if (value is not null) bound = Bind(value, outer, bound);
                }
                return bound;
        }
    }

    private static object? Find(Scope? scope, string name, int arity)
    {
        for (; scope is not null; scope = scope.Outer)
            if (scope.Arity == arity && scope.Name == name) return scope.Declaration;
        return null;
    }
}
