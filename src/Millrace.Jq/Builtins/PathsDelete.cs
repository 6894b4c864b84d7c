using Millrace.Jq.Evaluation;
using Millrace.Jq.Text;

namespace Millrace.Jq.Builtins;

internal static partial class Paths
{
    /// <summary>Deletes all paths at once, so that none shifts the place another names.</summary>
    public static Json Delete(Machine m, Json target, Json paths)
    {
        if (paths.ArrayOrNull is not { } list) return Fault.Of("Paths must be specified as an array");
        foreach (var path in list.Span)
        {
            if (path.ArrayOrNull is not { } keys) return Fault.Of("Path must be specified as an array");
            if (keys.Count > LengthMax) return Fault.Of("Path too deep");
        }
        if (list.Count == 0) return target;
        var sorted = Collections.Sorted(m, list);
        if (sorted[0].AsArray().Count == 0) return default;
        return DeleteIn(m, target, sorted, 0);
    }

    /// <summary>Deletes sorted paths that agree in their first <paramref name="depth"/> keys.</summary>
    private static Json DeleteIn(Machine m, Json target, ReadOnlyMemory<Json> paths, int depth) => DeepStack.IsShort(depth)
        ? DeepStack.Run(() => DeleteLevel(m, target, paths, depth))
        : DeleteLevel(m, target, paths, depth);

    private static Json DeleteLevel(Machine m, Json target, ReadOnlyMemory<Json> paths, int depth)
    {
        var whole = new List<Json>();
        for (var from = 0; from < paths.Length;)
        {
            var first = paths.Span[from].AsArray();
            var key = first[depth];
            var upto = from + 1;
            while (upto < paths.Length && paths.Span[upto].AsArray()[depth].Equals(m, key)) upto++;
            m.Spend(upto - from);
            if (first.Count == depth + 1)
            {
                whole.Add(key);
            }
            else
            {
                var inner = Get(m, target, key);
                if (inner.IsSignal) return inner;
                if (!inner.IsNull)
                {
                    inner = DeleteIn(m, inner, paths[from..upto], depth + 1);
                    if (inner.IsSignal) return inner;
                    target = SetAt(m, target, key, inner);
                    if (target.IsSignal) return target;
                }
            }
            from = upto;
        }
        return DeleteKeys(m, target, whole);
    }

    private static Json DeleteKeys(Machine m, Json target, List<Json> keys)
    {
        if (target.IsNull || keys.Count == 0) return target;
        if (target.ArrayOrNull is { } items) return DeleteItems(m, items, keys);
        if (target.ObjectOrNull is not { } members) return Fault.Of($"Cannot delete fields from {Describe.Kind(target)}");
        foreach (var key in keys)
            if (!key.IsString) return Fault.Of($"Cannot delete {Describe.Kind(key)} field of object");
        m.ChargeCopy(48 + 24L * members.Count);
        var gone = keys.Select(k => k.AsString()).ToHashSet(StringComparer.Ordinal);
        var kept = new List<KeyValuePair<string, Json>>();
        foreach (var member in members.Members)
            if (!gone.Contains(member.Key)) kept.Add(member);
        return kept.Count == members.Count ? target : JsonObject.Own([.. kept]);
    }

    private static Json DeleteItems(Machine m, JsonArray items, List<Json> keys)
    {
        m.ChargeItems(items.Count);
        var gone = new bool[items.Count];
        foreach (var key in keys)
        {
            if (key.IsNumber)
            {
                if (double.IsNaN(key.AsNumber())) continue;
                var at = (long)Math.Truncate(Math.Clamp(key.AsNumber(), int.MinValue, int.MaxValue));
                if (at < 0) at += items.Count;
                if (at >= 0 && at < items.Count) gone[at] = true;
            }
            else if (key.ObjectOrNull is { } slice)
            {
                if (Bounds(slice, items.Count) is not var (start, end)) return BadSlice("an array");
                m.Spend((end - start) / 16);
                gone.AsSpan(start, end - start).Fill(true);
            }
            else
            {
                return Fault.Of($"Cannot delete {Describe.Kind(key)} element of array");
            }
        }
        var kept = new Json[items.Count];
        var count = 0;
        for (var i = 0; i < items.Count; i++)
            if (!gone[i]) kept[count++] = items[i];
        return JsonArray.Own(kept, count);
    }
}
