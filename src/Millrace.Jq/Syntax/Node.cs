namespace Millrace.Jq.Syntax;

/// <summary>A place in the program: character offsets, the end exclusive.</summary>
internal readonly record struct Span(int Start, int End);

/// <summary>A piece of a parsed filter. Names are resolved once, by <see cref="Resolver"/>, into the nodes themselves.</summary>
internal abstract class Node(Span at)
{
    public readonly Span At = at;
}

internal sealed class IdentityNode(Span at) : Node(at);

internal sealed class LiteralNode(Json value, Span at) : Node(at)
{
    public readonly Json Value = value;
}

/// <summary>A string with interpolations: texts and filters in turn, the results of the filters formatted.</summary>
internal sealed class TemplateNode(string format, List<Node> parts, Span at) : Node(at)
{
    public readonly string Format = format;
    public readonly List<Node> Parts = parts;
}

internal sealed class FormatNode(string format, Span at) : Node(at)
{
    public readonly string Format = format;
}

/// <summary><c>target[key]</c>, <c>target.key</c>; optional when followed by <c>?</c>.</summary>
internal sealed class IndexNode(Node target, Node key, bool optional, Span at) : Node(at)
{
    public readonly Node Target = target;
    public readonly Node Key = key;
    public readonly bool Optional = optional;
}

internal sealed class SliceNode(Node target, Node? from, Node? upto, bool optional, Span at) : Node(at)
{
    public readonly Node Target = target;
    public readonly Node? From = from;
    public readonly Node? Upto = upto;
    public readonly bool Optional = optional;
}

internal sealed class IterateNode(Node target, bool optional, Span at) : Node(at)
{
    public readonly Node Target = target;
    public readonly bool Optional = optional;
}

internal sealed class ArrayNode(Node? body, Span at) : Node(at)
{
    public readonly Node? Body = body;
}

internal sealed class ObjectNode(List<(Node Key, Node Value)> entries, Span at) : Node(at)
{
    public readonly List<(Node Key, Node Value)> Entries = entries;
}

internal sealed class PipeNode(Node left, Node right, Span at) : Node(at)
{
    public readonly Node Left = left;
    public readonly Node Right = right;
}

internal sealed class CommaNode(List<Node> items, Span at) : Node(at)
{
    public readonly List<Node> Items = items;
}

internal sealed class NegateNode(Node body, Span at) : Node(at)
{
    public readonly Node Body = body;
}

internal enum BinaryOperator { Add, Subtract, Multiply, Divide, Remainder, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual }

internal sealed class BinaryNode(BinaryOperator op, Node left, Node right, Span at) : Node(at)
{
    public readonly BinaryOperator Operator = op;
    public readonly Node Left = left;
    public readonly Node Right = right;
}

internal sealed class LogicNode(bool isAnd, Node left, Node right, Span at) : Node(at)
{
    public readonly bool IsAnd = isAnd;
    public readonly Node Left = left;
    public readonly Node Right = right;
}

internal sealed class AlternativeNode(Node left, Node right, Span at) : Node(at)
{
    public readonly Node Left = left;
    public readonly Node Right = right;
}

internal enum Update { Set, Modify, Arithmetic, Alternative }

/// <summary>An assignment; <see cref="Operator"/> says which arithmetic <c>+=</c> and its like do.</summary>
internal sealed class UpdateNode(Update kind, BinaryOperator op, Node target, Node value, Span at) : Node(at)
{
    public readonly Update Kind = kind;
    public readonly BinaryOperator Operator = op;
    public readonly Node Target = target;
    public readonly Node Value = value;
}

internal sealed class IfNode(Node condition, Node then, Node? otherwise, Span at) : Node(at)
{
    public readonly Node Condition = condition;
    public readonly Node Then = then;
    public readonly Node? Otherwise = otherwise;
}

internal sealed class TryNode(Node body, Node? handler, Span at) : Node(at)
{
    public readonly Node Body = body;
    public readonly Node? Handler = handler;
}

internal sealed class ReduceNode(Node source, List<Pattern> patterns, Node start, Node update, Span at) : Node(at)
{
    public readonly Node Source = source;
    public readonly List<Pattern> Patterns = patterns;
    public readonly Node Start = start;
    public readonly Node Update = update;
}

internal sealed class ForeachNode(Node source, List<Pattern> patterns, Node start, Node update, Node? extract, Span at) : Node(at)
{
    public readonly Node Source = source;
    public readonly List<Pattern> Patterns = patterns;
    public readonly Node Start = start;
    public readonly Node Update = update;
    public readonly Node? Extract = extract;
}

internal sealed class BindNode(Node source, List<Pattern> patterns, Node body, Span at) : Node(at)
{
    public readonly Node Source = source;
    public readonly List<Pattern> Patterns = patterns;
    public readonly Node Body = body;
}

internal sealed class LabelNode(string name, Node body, Span at) : Node(at)
{
    public readonly string Name = name;
    public readonly Node Body = body;
}

internal sealed class BreakNode(string name, Span at) : Node(at)
{
    public readonly string Name = name;
    public LabelNode? Label;
}

internal sealed class VariableNode(string name, Span at) : Node(at)
{
    public readonly string Name = name;

    /// <summary>A <see cref="Variable"/>, or null for a variable of the caller (<see cref="Global"/>).</summary>
    public Variable? Declaration;
    public int Global = -1;
}

internal sealed class CallNode(string name, List<Node> arguments, Span at) : Node(at)
{
    public readonly string Name = name;
    public readonly List<Node> Arguments = arguments;

    /// <summary>A <see cref="Definition"/> or a <see cref="Parameter"/>; null for a built-in made in C#.</summary>
    public object? Target;
}

internal sealed class DefinitionNode(Definition definition, Node rest, Span at) : Node(at)
{
    public readonly Definition Definition = definition;
    public readonly Node Rest = rest;
}

/// <summary>What a name bound by <c>as</c>, <c>reduce</c>, <c>foreach</c> or a <c>$parameter</c> stands for.</summary>
internal sealed class Variable(string name)
{
    public readonly string Name = name;
}

internal sealed class Parameter(string name, bool isValue)
{
    public readonly string Name = name;

    /// <summary>Set for <c>$name</c> parameters, which can be read as a variable as well.</summary>
    public readonly Variable? Value = isValue ? new Variable(name) : null;
}

internal sealed class Definition(string name, List<Parameter> parameters, Node body)
{
    public readonly string Name = name;
    public readonly List<Parameter> Parameters = parameters;
    public readonly Node Body = body;

    /// <summary>The body calls the function itself, so it cannot be written out at the call.</summary>
    public bool IsRecursive;

    /// <summary>How many nodes the body has; large bodies are called instead of written out.</summary>
    public int Weight;
}

internal abstract class Pattern;

internal sealed class VariablePattern(Variable variable) : Pattern
{
    public readonly Variable Variable = variable;
}

internal sealed class ArrayPattern(List<Pattern> items) : Pattern
{
    public readonly List<Pattern> Items = items;
}

/// <summary>Entries of an object pattern: <c>$name</c> binds the member itself and may have a further pattern.</summary>
internal sealed class ObjectPattern(List<(Node Key, Variable? Bind, Pattern? Value)> entries) : Pattern
{
    public readonly List<(Node Key, Variable? Bind, Pattern? Value)> Entries = entries;
}
