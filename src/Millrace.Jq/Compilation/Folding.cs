using Millrace.Jq.Builtins;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;

namespace Millrace.Jq.Compilation;

/// <summary>Filters without names whose value is known before there is an input.</summary>
internal static class Folding
{
    /// <summary>The value, or null when there is none or it is an error.</summary>
    public static Json? Constant(Node node)
    {
        switch (node)
        {
            case LiteralNode literal:
                return literal.Value;
            case ArrayNode { Body: null }:
                return Json.EmptyArray;
            case ArrayNode { Body: CommaNode comma }:
                return Items(comma.Items);
            case ArrayNode array:
                return Items([array.Body!]);
            case ObjectNode members:
                return Members(members);
            case NegateNode { Body: LiteralNode { Value.IsNumber: true } literal }:
                return Arithmetic.Negate(literal.Value);
            case BinaryNode { Left: LiteralNode { Value.IsNumber: true } left, Right: LiteralNode { Value.IsNumber: true } right } binary:
                var value = Arithmetic.Apply(null!, binary.Operator, left.Value, right.Value);
                return value.IsSignal ? default(Json?) : value;
            default:
                return null;
        }
    }

    private static Json? Items(List<Node> nodes)
    {
        var items = new Json[nodes.Count];
        for (var i = 0; i < items.Length; i++)
        {
            if (Constant(nodes[i]) is not { } item) return null;
            items[i] = item;
        }
        return JsonArray.Own(items, items.Length);
    }

    private static Json? Members(ObjectNode node)
    {
        var members = new JsonObject.Builder();
        foreach (var (key, value) in node.Entries)
        {
            if (Constant(key) is not { IsString: true } name || Constant(value) is not { } member) return null;
            members.Set(name.AsString(), member);
        }
        return members.Build();
    }
}
