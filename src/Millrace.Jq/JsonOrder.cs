namespace Millrace.Jq;

public readonly partial struct Json
{
    /// <summary>jq's total order: null, false, true, numbers, strings by code point, arrays, objects by sorted keys then values.</summary>
    public int CompareTo(Json other)
    {
        var kind = Kind;
        var byKind = ((int)kind).CompareTo((int)other.Kind);
        if (byKind != 0) return byKind;
        switch (kind)
        {
            case JsonKind.Number:
                return double.IsNaN(_number) ? -1 : _number.CompareTo(other._number);
            case JsonKind.String:
                return CompareCodePoints(AsString(), other.AsString());
            case JsonKind.Array:
                return CompareItems(AsArray(), other.AsArray());
            case JsonKind.Object:
                return CompareMembers(AsObject(), other.AsObject());
            default:
                return 0;
        }
    }

    /// <summary>UTF-16 ordinal order differs from code point order only where surrogates meet U+E000..U+FFFF.</summary>
    internal static int CompareCodePoints(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            char a = left[i], b = right[i];
            if (a == b) continue;
            if (char.IsSurrogate(a) != char.IsSurrogate(b)) return char.IsSurrogate(a) ? 1 : -1;
            return a.CompareTo(b);
        }
        return left.Length.CompareTo(right.Length);
    }

    private static int CompareItems(JsonArray left, JsonArray right)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            var order = left[i].CompareTo(right[i]);
            if (order != 0) return order;
        }
        return left.Count.CompareTo(right.Count);
    }

    private static int CompareMembers(JsonObject left, JsonObject right)
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
            var order = a.CompareTo(b);
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
}
