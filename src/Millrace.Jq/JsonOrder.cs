using Millrace.Jq.Text;

namespace Millrace.Jq;

public readonly partial struct Json
{
    /// <summary>Nesting that is compared at most, as in jq 1.8.</summary>
    internal const int CompareDepthMax = 10_000;

    /// <summary>jq's total order: null, false, true, numbers, strings by code point, arrays, objects by sorted keys then values.</summary>
    /// <exception cref="JqException">The values nest deeper than 10,000 levels.</exception>
    public int CompareTo(Json other) => Compare(this, other, 0);

    private static int Compare(Json left, Json right, int depth)
    {
        var kind = left.Kind;
        var byKind = ((int)kind).CompareTo((int)right.Kind);
        if (byKind != 0) return byKind;
        switch (kind)
        {
            case JsonKind.Number:
                return CompareNumbers(left, right);
            case JsonKind.String:
                return CompareCodePoints(left.AsString(), right.AsString());
            case JsonKind.Array or JsonKind.Object:
                if (depth > CompareDepthMax) throw TooDeep("Comparison too deep");
                return DeepStack.IsShort(depth)
                    ? DeepStack.Run(() => CompareNested(left, right, depth))
                    : CompareNested(left, right, depth);
            default:
                return 0;
        }
    }

    private static int CompareNested(Json left, Json right, int depth) => left.ArrayOrNull is { } array
        ? CompareItems(array, right.AsArray(), depth)
        : CompareMembers(left.AsObject(), right.AsObject(), depth);

    /// <summary>NaN is below every number, itself included.</summary>
    private static int CompareNumbers(Json left, Json right)
    {
        if (double.IsNaN(left._number)) return -1;
        if (double.IsNaN(right._number)) return 1;
        return left.Literal is { } a && right.Literal is { } b
            ? Text.Decimal.Compare(a.Decimal, b.Decimal)
            : left._number < right._number ? -1 : left._number == right._number ? 0 : 1;
    }

    /// <summary>UTF-16 ordinal order differs from code point order only where surrogates meet U+E000..U+FFFF.</summary>
    internal static int CompareCodePoints(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        var at = left.AsSpan(0, length).CommonPrefixLength(right);
        if (at == length) return left.Length.CompareTo(right.Length);
        char a = left[at], b = right[at];
        if (char.IsSurrogate(a) != char.IsSurrogate(b)) return char.IsSurrogate(a) ? 1 : -1;
        return a.CompareTo(b);
    }

    private static int CompareItems(JsonArray left, JsonArray right, int depth)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            var order = Compare(left[i], right[i], depth + 1);
            if (order != 0) return order;
        }
        return left.Count.CompareTo(right.Count);
    }

    private static int CompareMembers(JsonObject left, JsonObject right, int depth)
    {
        var leftKeys = SortedKeys(left);
        var rightKeys = SortedKeys(right);
        for (var i = 0; i < Math.Min(leftKeys.Length, rightKeys.Length); i++)
        {
            var order = CompareCodePoints(leftKeys[i], rightKeys[i]);
            if (order != 0) return order;
        }
        if (leftKeys.Length != rightKeys.Length) return leftKeys.Length.CompareTo(rightKeys.Length);
        foreach (var key in leftKeys)
        {
            left.TryGet(key, out var a);
            right.TryGet(key, out var b);
            var order = Compare(a, b, depth + 1);
            if (order != 0) return order;
        }
        return 0;
    }

    internal static string[] SortedKeys(JsonObject value)
    {
        var keys = new string[value.Count];
        var at = 0;
        foreach (var (key, _) in value.Members) keys[at++] = key;
        System.Array.Sort(keys, CompareCodePoints);
        return keys;
    }

    private static bool AreEqual(Json left, Json right, int depth)
    {
        var kind = left.Kind;
        if (kind != right.Kind) return false;
        switch (kind)
        {
            case JsonKind.Number:
                return left.Literal is { } a && right.Literal is { } b
                    ? Text.Decimal.Compare(a.Decimal, b.Decimal) == 0
                    : left._number == right._number;
            case JsonKind.String:
                return string.Equals((string)left._value!, (string)right._value!);
            case JsonKind.Array or JsonKind.Object:
                if (depth > CompareDepthMax) throw TooDeep("Equality check too deep");
                return DeepStack.IsShort(depth)
                    ? DeepStack.Run(() => AreNestedEqual(left, right, depth))
                    : AreNestedEqual(left, right, depth);
            default:
                return true;
        }
    }

    private static bool AreNestedEqual(Json left, Json right, int depth)
    {
        if (left.ArrayOrNull is { } array)
        {
            var other = right.AsArray();
            if (array.Count != other.Count) return false;
            for (var i = 0; i < array.Count; i++)
                if (!AreEqual(array[i], other[i], depth + 1)) return false;
            return true;
        }
        var members = left.AsObject();
        var others = right.AsObject();
        if (members.Count != others.Count) return false;
        foreach (var (key, value) in members.Members)
            if (!others.TryGet(key, out var found) || !AreEqual(value, found, depth + 1)) return false;
        return true;
    }

    internal static JqException TooDeep(string message) => new(message, message);
}
