using Millrace.Jq.Evaluation;
using Millrace.Jq.Text;

namespace Millrace.Jq;

public readonly partial struct Json
{
    /// <summary>Nesting that is compared at most, as in jq 1.8.</summary>
    internal const int CompareDepthMax = 10_000;

    private const int ItemsPerStep = 4;
    private const int CharactersPerStep = 256;

    /// <summary>jq's total order: null, false, true, numbers, strings by code point, arrays, objects by sorted keys then values.</summary>
    /// <exception cref="JqException">The values nest deeper than 10,000 levels.</exception>
    public int CompareTo(Json other) => Compare(null, this, other, 0);

    /// <summary>As <see cref="CompareTo"/>, the work counted by the machine.</summary>
    internal int CompareTo(Machine? m, Json other) => Compare(m, this, other, 0);

    /// <summary>As <see cref="Equals(Json)"/>, the work counted by the machine.</summary>
    internal bool Equals(Machine? m, Json other) => AreEqual(m, this, other, 0);

    private static int Compare(Machine? m, Json left, Json right, int depth)
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
                    ? DeepStack.Run(() => CompareNested(m, left, right, depth))
                    : CompareNested(m, left, right, depth);
            default:
                return 0;
        }
    }

    private static int CompareNested(Machine? m, Json left, Json right, int depth) => left.ArrayOrNull is { } array
        ? CompareItems(m, array, right.AsArray(), depth)
        : CompareMembers(m, left.AsObject(), right.AsObject(), depth);

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

    private static int CompareItems(Machine? m, JsonArray left, JsonArray right, int depth)
    {
        m?.Spend(1 + Math.Min(left.Count, right.Count) / ItemsPerStep);
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            var order = Compare(m, left[i], right[i], depth + 1);
            if (order != 0) return order;
        }
        return left.Count.CompareTo(right.Count);
    }

    private static int CompareMembers(Machine? m, JsonObject left, JsonObject right, int depth)
    {
        m?.Spend(1 + left.Count + right.Count);
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
            var order = Compare(m, a, b, depth + 1);
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

    private static bool AreEqual(Machine? m, Json left, Json right, int depth)
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
                var text = (string)left._value!;
                if (text.Length > CharactersPerStep) m?.Spend(text.Length / CharactersPerStep);
                return string.Equals(text, (string)right._value!);
            case JsonKind.Array or JsonKind.Object:
                if (depth > CompareDepthMax) throw TooDeep("Equality check too deep");
                return DeepStack.IsShort(depth)
                    ? DeepStack.Run(() => AreNestedEqual(m, left, right, depth))
                    : AreNestedEqual(m, left, right, depth);
            default:
                return true;
        }
    }

    private static bool AreNestedEqual(Machine? m, Json left, Json right, int depth)
    {
        if (left.ArrayOrNull is { } array)
        {
            var other = right.AsArray();
            if (array.Count != other.Count) return false;
            m?.Spend(1 + array.Count / ItemsPerStep);
            for (var i = 0; i < array.Count; i++)
                if (!AreEqual(m, array[i], other[i], depth + 1)) return false;
            return true;
        }
        var members = left.AsObject();
        var others = right.AsObject();
        if (members.Count != others.Count) return false;
        m?.Spend(1 + members.Count);
        foreach (var (key, value) in members.Members)
            if (!others.TryGet(key, out var found) || !AreEqual(m, value, found, depth + 1)) return false;
        return true;
    }

    internal static JqException TooDeep(string message) => new(message, message);
}
