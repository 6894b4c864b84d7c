using Millrace.Jq.Evaluation;
using Millrace.Jq.Syntax;
using Millrace.Jq.Text;

namespace Millrace.Jq.Builtins;

internal static class Arithmetic
{
    private const int HashFrom = 16;

    public static Json Apply(Machine m, BinaryOperator op, Json left, Json right)
    {
        if (left.IsNumber && right.IsNumber)
        {
            switch (op)
            {
                case BinaryOperator.Add: return left.AsNumber() + right.AsNumber();
                case BinaryOperator.Subtract: return left.AsNumber() - right.AsNumber();
                case BinaryOperator.Multiply: return left.AsNumber() * right.AsNumber();
            }
        }
        return op switch
        {
            BinaryOperator.Add => Add(m, left, right),
            BinaryOperator.Subtract => Subtract(m, left, right),
            BinaryOperator.Multiply => Multiply(m, left, right),
            BinaryOperator.Divide => Divide(m, left, right),
            BinaryOperator.Remainder => Remainder(left, right),
            BinaryOperator.Equal => left.Equals(m, right),
            BinaryOperator.NotEqual => !left.Equals(m, right),
            BinaryOperator.Less => left.CompareTo(m, right) < 0,
            BinaryOperator.LessOrEqual => left.CompareTo(m, right) <= 0,
            BinaryOperator.Greater => left.CompareTo(m, right) > 0,
            _ => left.CompareTo(m, right) >= 0,
        };
    }

    public static Json Negate(Json value)
    {
        if (value.Literal is { } literal) return Json.OfLiteral(literal.Negated());
        return value.IsNumber ? -value.AsNumber() : Fault.Type(value, "cannot be negated");
    }

    public static Json Add(Machine m, Json left, Json right)
    {
        if (left.IsNull) return right;
        if (right.IsNull) return left;
        if (left.IsNumber && right.IsNumber) return left.AsNumber() + right.AsNumber();
        if (left.StringOrNull is { } a && right.StringOrNull is { } b) return Strings.Concat(m, a, b);
        if (left.ArrayOrNull is { } items && right.ArrayOrNull is { } more)
        {
            m.ChargeItems(more.Count <= 4 ? more.Count : items.Count + more.Count);
            return items.Concat(more);
        }
        if (left.ObjectOrNull is { } members && right.ObjectOrNull is { } others) return Merge(m, members, others);
        return Fault.Types(left, right, "cannot be added");
    }

    private static Json Merge(Machine m, JsonObject left, JsonObject right)
    {
        if (left.Count == 0) return right;
        if (right.Count == 0) return left;
        if (right.Count == 1)
        {
            var (key, value) = right.Members[0];
            m.ChargeCopy(48 + 24L * left.CopiedBySetting(key));
            return left.With(key, value);
        }
        m.ChargeCopy(48 + 24L * (left.Count + right.Count));
        var merged = new JsonObject.Builder(left.Count + right.Count);
        foreach (var (key, value) in left.Members) merged.Set(key, value);
        foreach (var (key, value) in right.Members) merged.Set(key, value);
        return merged.Build();
    }

    private static Json Subtract(Machine m, Json left, Json right)
    {
        if (left.ArrayOrNull is not { } items || right.ArrayOrNull is not { } others) return Fault.Types(left, right, "cannot be subtracted");
        var gone = others.Count < HashFrom ? null : new HashSet<Json>(others, new Metered(m));
        m.Spend(gone is null ? (long)items.Count * others.Count : items.Count + others.Count);
        var kept = new Gathering();
        foreach (var item in items.Span)
        {
            if (gone is null ? !Among(m, others, item) : !gone.Contains(item)) kept.Add(m, item);
        }
        return kept.ToJson();
    }

    private static bool Among(Machine m, JsonArray items, Json wanted)
    {
        foreach (var item in items.Span)
            if (item.Equals(m, wanted)) return true;
        return false;
    }

    /// <summary>Equality whose work is counted.</summary>
    private sealed class Metered(Machine m) : IEqualityComparer<Json>
    {
        public bool Equals(Json left, Json right)
        {
            m.Spend(1);
            return left.Equals(m, right);
        }

        public int GetHashCode(Json value) => value.GetHashCode();
    }

    private static Json Multiply(Machine m, Json left, Json right)
    {
        if (left.StringOrNull is { } text && right.IsNumber) return Strings.Repeat(m, text, right.AsNumber());
        if (right.StringOrNull is { } other && left.IsNumber) return Strings.Repeat(m, other, left.AsNumber());
        if (left.ObjectOrNull is { } a && right.ObjectOrNull is { } b) return MergeDeep(m, a, b, 0);
        return Fault.Types(left, right, "cannot be multiplied");
    }

    private static JsonObject MergeDeep(Machine m, JsonObject left, JsonObject right, int depth)
    {
        if (depth > Json.CompareDepthMax) throw Json.TooDeep("Object merge too deep");
        if (DeepStack.IsShort(depth)) return DeepStack.Run(() => MergeLevel(m, left, right, depth));
        return MergeLevel(m, left, right, depth);
    }

    private static JsonObject MergeLevel(Machine m, JsonObject left, JsonObject right, int depth)
    {
        m.ChargeCopy(48 + 24L * (left.Count + right.Count));
        var merged = new JsonObject.Builder(left.Count + right.Count);
        foreach (var (key, value) in left.Members) merged.Set(key, value);
        foreach (var (key, value) in right.Members)
        {
            var both = value.ObjectOrNull is { } b && left.Get(key).ObjectOrNull is { } a ? MergeDeep(m, a, b, depth + 1) : value;
            merged.Set(key, both);
        }
        return merged.Build();
    }

    private static Json Divide(Machine m, Json left, Json right)
    {
        if (left.IsNumber && right.IsNumber)
        {
            return right.AsNumber() == 0
                ? Fault.Types(left, right, "cannot be divided because the divisor is zero")
                : left.AsNumber() / right.AsNumber();
        }
        return left.StringOrNull is { } text && right.StringOrNull is { } separator
            ? Strings.Split(m, text, separator)
            : Fault.Types(left, right, "cannot be divided");
    }

    private static Json Remainder(Json left, Json right)
    {
        if (!left.IsNumber || !right.IsNumber) return Fault.Types(left, right, "cannot be divided (remainder)");
        if (double.IsNaN(left.AsNumber()) || double.IsNaN(right.AsNumber())) return double.NaN;
        var divisor = ToInteger(right.AsNumber());
        if (divisor == 0) return Fault.Types(left, right, "cannot be divided (remainder) because the divisor is zero");
        return divisor == -1 ? 0 : (double)(ToInteger(left.AsNumber()) % divisor);
    }

    private static long ToInteger(double value) =>
        value < long.MinValue ? long.MinValue : -value < long.MinValue ? long.MaxValue : value >= 9.2233720368547758e18 ? long.MaxValue : (long)value;
}
