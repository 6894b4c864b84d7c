using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>Sorting and grouping by keys that were computed before: <c>_by_impl</c> of jq.</summary>
internal static class Ordering
{
    /// <summary>A merge sort: stable, and at peace with an order in which NaN is below itself.</summary>
    public static void Sort<T>(T[] items, Comparison<T> compare)
    {
        var from = items;
        var to = new T[items.Length];
        for (var width = 1; width < items.Length; width *= 2)
        {
            for (var start = 0; start < items.Length; start += 2 * width)
            {
                int middle = Math.Min(start + width, items.Length), end = Math.Min(start + 2 * width, items.Length);
                int left = start, right = middle;
                for (var at = start; at < end; at++)
                    to[at] = left < middle && (right >= end || compare(from[right], from[left]) >= 0) ? from[left++] : from[right++];
                if (end == items.Length) break;
            }
            (from, to) = (to, from);
        }
        if (from != items) from.CopyTo(items, 0);
    }

    public static Json Sort(Machine m, Json value) => value.ArrayOrNull is { } items
        ? JsonArray.Of(Collections.Sorted(m, items))
        : Fault.Type(value, "cannot be sorted, as it is not an array");

    public static Json SortBy(Machine m, Json value, Json keys)
    {
        if (Keyed(m, value, keys, out var error) is not { } keyed) return error;
        return JsonArray.Own([.. keyed.Select(k => k.Item)], keyed.Length);
    }

    public static Json GroupBy(Machine m, Json value, Json keys)
    {
        if (Keyed(m, value, keys, out var error) is not { } keyed) return error;
        var groups = new Gathering();
        for (var from = 0; from < keyed.Length;)
        {
            var upto = from + 1;
            while (upto < keyed.Length && keyed[upto].Key.Equals(m, keyed[from].Key)) upto++;
            groups.Add(m, JsonArray.Own([.. keyed[from..upto].Select(k => k.Item)], upto - from));
            from = upto;
        }
        return groups.ToJson();
    }

    public static Json UniqueBy(Machine m, Json value, Json keys)
    {
        if (Keyed(m, value, keys, out var error) is not { } keyed) return error;
        var unique = new Gathering();
        for (var i = 0; i < keyed.Length; i++)
            if (i == 0 || !keyed[i].Key.Equals(m, keyed[i - 1].Key)) unique.Add(m, keyed[i].Item);
        return unique.ToJson();
    }

    public static Json Unique(Machine m, Json value) => UniqueBy(m, value, value);

    public static Json Min(Machine m, Json value) => Extreme(m, value, value, -1);

    public static Json Max(Machine m, Json value) => Extreme(m, value, value, 1);

    public static Json MinBy(Machine m, Json value, Json keys) => Extreme(m, value, keys, -1);

    public static Json MaxBy(Machine m, Json value, Json keys) => Extreme(m, value, keys, 1);

    /// <summary>The first of the smallest, or the last of the largest.</summary>
    private static Json Extreme(Machine m, Json value, Json keys, int sign)
    {
        if (value.ArrayOrNull is not { } items || keys.ArrayOrNull is not { } by || items.Count != by.Count)
            return Fault.Types(value, keys, "cannot be iterated over");
        m.Spend(items.Count);
        var best = 0;
        for (var i = 1; i < items.Count; i++)
        {
            var order = by[i].CompareTo(m, by[best]);
            if (sign < 0 ? order < 0 : order >= 0) best = i;
        }
        return items.Count == 0 ? default : items[best];
    }

    private static bool AllSingle(JsonArray keys)
    {
        foreach (var key in keys.Span)
            if (key.ArrayOrNull is not { Count: 1 }) return false;
        return true;
    }

    private static (Json Key, Json Item)[]? Keyed(Machine m, Json value, Json keys, out Json error)
    {
        error = default;
        if (value.ArrayOrNull is not { } items || keys.ArrayOrNull is not { } by || items.Count != by.Count)
        {
            error = value.IsArray || value.IsObject && keys.IsArray
                ? Fault.Types(value, keys, "cannot be sorted, as they are not both arrays")
                : Fault.Type(value, "cannot be sorted, as it is not an array");
            return null;
        }
        m.ChargeCopy(items.Count * 48L);
        m.Spend((long)(items.Count * Math.Log2(items.Count + 1)));
        var keyed = new (Json Key, Json Item)[items.Count];
        // Keys come in arrays, nearly always of one item; that item sorts the same and faster.
        var single = !ReferenceEquals(items, by) && AllSingle(by);
        for (var i = 0; i < keyed.Length; i++) keyed[i] = (single ? by[i].AsArray()[0] : by[i], items[i]);
        Sort(keyed, (a, b) => a.Key.CompareTo(m, b.Key));
        return keyed;
    }
}
