using Millrace.Jq.Syntax;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>Which types jq's arithmetic takes together (jq 1.8 manual, Basic operators), and what it gives.</summary>
internal static class Arithmetic
{
    private static readonly JsonTypes[] Types = [JsonTypes.Null, JsonTypes.Boolean, JsonTypes.Number, JsonTypes.String, JsonTypes.Array, JsonTypes.Object];

    /// <returns>Null when no two values of these forms go together.</returns>
    public static Form? Of(BinaryOperator op, Form left, Form right)
    {
        if (left.IsAny && right.IsAny) return Form.Any;
        Form? form = null;
        foreach (var l in Types)
            foreach (var r in Types)
                if (left.May(l) && right.May(r) && Pair(op, l, r, left, right) is { } pair) form = form is null ? pair : form.Or(pair);
        return form;
    }

    public static string Phrase(BinaryOperator op, Form left, Form right) => op switch
    {
        BinaryOperator.Add => $"{ObjectShape.Capital(left.Words)} plus {right.Words}",
        BinaryOperator.Subtract => $"{ObjectShape.Capital(left.Words)} minus {right.Words}",
        BinaryOperator.Multiply => $"{ObjectShape.Capital(left.Words)} times {right.Words}",
        _ => $"{ObjectShape.Capital(left.Words)} divided by {right.Words}",
    };

    private static Form? Pair(BinaryOperator op, JsonTypes l, JsonTypes r, Form left, Form right) => (op, l, r) switch
    {
        (BinaryOperator.Add, JsonTypes.Null, _) => Only(right, r),
        (BinaryOperator.Add, _, JsonTypes.Null) => Only(left, l),
        (BinaryOperator.Add, JsonTypes.String, JsonTypes.String) => Form.String,
        (BinaryOperator.Add, JsonTypes.Array, JsonTypes.Array) => Form.Array(left.Items.Or(right.Items)),
        (BinaryOperator.Add, JsonTypes.Object, JsonTypes.Object) => right.Over(left),
        (BinaryOperator.Subtract, JsonTypes.Array, JsonTypes.Array) => Form.Array(left.Items),
        (BinaryOperator.Multiply, JsonTypes.String, JsonTypes.Number) or (BinaryOperator.Multiply, JsonTypes.Number, JsonTypes.String) => Form.String.Or(Form.Null),
        (BinaryOperator.Multiply, JsonTypes.Object, JsonTypes.Object) => Form.Open,
        (BinaryOperator.Divide, JsonTypes.String, JsonTypes.String) => Form.Array(Form.String),
        (_, JsonTypes.Number, JsonTypes.Number) => Form.Number,
        _ => null,
    };

    private static Form Only(Form form, JsonTypes type) => form.Without(JsonTypes.Any & ~type);
}
