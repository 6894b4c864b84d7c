using System.Text;
using Millrace.Jq.Evaluation;
using Millrace.Jq.Text;

namespace Millrace.Jq.Builtins;

internal static class Collections
{
    public static Json Keys(Machine m, Json value)
    {
        if (value.ObjectOrNull is not { } members) return UnsortedKeys(m, value);
        m.ChargeItems(members.Count);
        m.Spend(members.Count * 2);
        var keys = Json.SortedKeys(members);
        var items = new Json[keys.Length];
        for (var i = 0; i < keys.Length; i++) items[i] = keys[i];
        return JsonArray.Own(items, items.Length);
    }

    public static Json UnsortedKeys(Machine m, Json value)
    {
        var keys = new Gathering();
        if (value.ObjectOrNull is { } members)
        {
            foreach (var (key, _) in members.Members) keys.Add(m, key);
            return keys.ToJson();
        }
        if (value.ArrayOrNull is not { } items) return Fault.Type(value, "has no keys");
        for (var i = 0; i < items.Count; i++) keys.Add(m, i);
        return keys.ToJson();
    }

    public static Json Add(Machine m, Json value)
    {
        if (value.ObjectOrNull is { } members)
        {
            var items = new Gathering();
            foreach (var (_, member) in members.Members) items.Add(m, member);
            value = items.ToJson();
        }
        if (value.ArrayOrNull is not { } array) return Signal.Error(Iteration.Refusal(value));
        m.Spend(array.Count);
        if (array.Count > 1 && array[0].IsString) return Strings.Join(m, value, "") is { IsSignal: false } joined && AllStrings(array) ? joined : AddEach(m, array);
        return AddEach(m, array);
    }

    private static bool AllStrings(JsonArray items)
    {
        foreach (var item in items.Span)
            if (!item.IsString && !item.IsNull) return false;
        return true;
    }

    private static Json AddEach(Machine m, JsonArray items)
    {
        var sum = Json.Null;
        foreach (var item in items.Span)
        {
            sum = Arithmetic.Add(m, sum, item);
            if (sum.IsSignal) break;
        }
        return sum;
    }

    public static Json Any(Machine m, Json value) => Search(value, true);

    public static Json All(Machine m, Json value) => Search(value, false);

    private static Json Search(Json value, bool wanted)
    {
        if (value.ArrayOrNull is { } items)
        {
            foreach (var item in items.Span)
                if (item.IsTruthy == wanted) return wanted;
        }
        else if (value.ObjectOrNull is { } members)
        {
            foreach (var (_, item) in members.Members)
                if (item.IsTruthy == wanted) return wanted;
        }
        else
        {
            return Signal.Error(Iteration.Refusal(value));
        }
        return !wanted;
    }

    public static Json Flatten(Machine m, Json value) => Flatten(m, value, 1e9);

    public static Json Flatten(Machine m, Json value, Json depth)
    {
        if (!depth.IsNumber) return Fault.Of("flatten depth must not be negative");
        if (depth.AsNumber() < 0) return Fault.Of("flatten depth must not be negative");
        if (!value.IsArray && !value.IsObject) return Signal.Error(Iteration.Refusal(value));
        var flat = new Gathering();
        // Its own stack: what is flattened may be nested deeper than any thread's stack has room for.
        var open = new Stack<(Json Items, int At)>();
        open.Push((value, 0));
        while (open.TryPop(out var level))
        {
            var items = level.Items.ArrayOrNull;
            var count = items?.Count ?? level.Items.AsObject().Count;
            for (var i = level.At; i < count; i++)
            {
                var item = items is null ? level.Items.AsObject().Members[i].Value : items[i];
                m.Spend(1);
                if (item.IsArray && open.Count < depth.AsNumber())
                {
                    open.Push((level.Items, i + 1));
                    open.Push((item, 0));
                    break;
                }
                flat.Add(m, item);
            }
        }
        return flat.ToJson();
    }

    public static Json Contains(Machine m, Json value, Json part) => value.Kind == part.Kind || (value.IsBoolean && part.IsBoolean)
        ? Contains(m, value, part, 0)
        : Fault.Types(value, part, "cannot have their containment checked");

    private static bool Contains(Machine m, Json value, Json part, int depth)
    {
        m.Spend(1);
        if (value.StringOrNull is { } text && part.StringOrNull is { } other)
        {
            m.Spend(text.Length / 64);
            return text.Contains(other, StringComparison.Ordinal);
        }
        if (value.IsArray && part.IsArray || value.IsObject && part.IsObject)
        {
            if (depth > Json.CompareDepthMax) throw Json.TooDeep("Containment check too deep");
            return DeepStack.IsShort(depth) ? DeepStack.Run(() => ContainsLevel(m, value, part, depth)) : ContainsLevel(m, value, part, depth);
        }
        return value.Equals(m, part);
    }

    private static bool ContainsLevel(Machine m, Json value, Json part, int depth)
    {
        if (part.ObjectOrNull is { } wanted)
        {
            foreach (var (key, inner) in wanted.Members)
                if (!value.AsObject().TryGet(key, out var found) || !Contains(m, found, inner, depth + 1)) return false;
            return true;
        }
        foreach (var inner in part.AsArray().Span)
        {
            var any = false;
            foreach (var item in value.AsArray().Span)
                if (any = Contains(m, item, inner, depth + 1)) break;
            if (!any) return false;
        }
        return true;
    }

    public static Json Indices(Machine m, Json value, Json wanted)
    {
        if (value.IsString && wanted.IsString) return Strings.Indices(m, value, wanted);
        if (value.ArrayOrNull is not { } items) return Paths.Get(m, value, wanted);
        return Indices(m, items, wanted.ArrayOrNull ?? JsonArray.Empty.Append(wanted));
    }

    /// <summary>Where the items of <paramref name="part"/> stand in a row in <paramref name="whole"/>.</summary>
    public static Json Indices(Machine m, JsonArray whole, JsonArray part)
    {
        if (part.Count == 0) return default;
        var places = new Gathering();
        for (var i = 0; i + part.Count <= whole.Count; i++)
        {
            m.Spend(1);
            var same = 0;
            while (same < part.Count && whole[i + same].Equals(m, part[same])) same++;
            m.Spend(same);
            if (same == part.Count) places.Add(m, i);
        }
        return places.ToJson();
    }

    public static Json Index(Machine m, Json value, Json wanted)
    {
        var places = Indices(m, value, wanted);
        return places.IsSignal ? places : Paths.Get(m, places, 0);
    }

    public static Json LastIndex(Machine m, Json value, Json wanted)
    {
        var places = Indices(m, value, wanted);
        return places.ArrayOrNull is { Count: > 0 } found ? found[found.Count - 1] : places.IsSignal ? places : default;
    }

    public static Json Reverse(Machine m, Json value)
    {
        if (value.IsNull) return Json.EmptyArray;
        if (value.StringOrNull is { } text)
        {
            m.ChargeText(text.Length);
            var runes = text.EnumerateRunes().ToArray();
            System.Array.Reverse(runes);
            var reversed = new StringBuilder(text.Length);
            foreach (var rune in runes) reversed.Append(rune.ToString());
            return reversed.ToString();
        }
        if (value.ArrayOrNull is not { } items) return Fault.Type(value, "cannot be reversed, as it is not an array");
        m.ChargeItems(items.Count);
        var copy = items.Span.ToArray();
        System.Array.Reverse(copy);
        return JsonArray.Own(copy, copy.Length);
    }

    public static Json Entries(Machine m, Json value)
    {
        var count = value.ArrayOrNull?.Count ?? value.ObjectOrNull?.Count ?? -1;
        if (count < 0) return Fault.Type(value, "has no keys");
        m.ChargeCopy(count * 112L);
        var entries = new Json[count];
        if (value.ArrayOrNull is { } items)
        {
            for (var i = 0; i < count; i++) entries[i] = Json.Object("key", i, "value", items[i]);
            return JsonArray.Own(entries, count);
        }
        var at = 0;
        foreach (var (key, member) in value.AsObject().Members) entries[at++] = Json.Object("key", key, "value", member);
        return JsonArray.Own(entries, at);
    }

    public static Json FromEntries(Machine m, Json value)
    {
        if (value.ArrayOrNull is not { } items) return value.IsObject ? Fault.Of("Cannot index object with string (\"key\")") : Signal.Error(Iteration.Refusal(value));
        m.ChargeCopy(items.Count * 24L);
        var members = new JsonObject.Builder(items.Count);
        foreach (var item in items.Span)
        {
            if (!item.IsNull && !item.IsObject) return Paths.Get(m, item, "key");
            var key = First(item, "key", "k", "name", "Name", "Key", "K");
            if (key.StringOrNull is not { } name) return Fault.Of($"Cannot use {Describe.Shown(key)} as object key");
            members.Set(name, First(item, "value", "v", "Value", "V"));
        }
        return members.Build();
    }

    /// <summary>The first member that is there, null ones only when none is better.</summary>
    private static Json First(Json item, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (!item[name].IsNull) return item[name];
        return default;
    }

    public static Json ToArray(Machine m, Json value) => value.IsArray ? value : Json.Array(value);

    public static Json Transpose(Machine m, Json value)
    {
        if (value.ArrayOrNull is not { } rows) return Signal.Error(Iteration.Refusal(value));
        var width = 0;
        foreach (var row in rows.Span)
        {
            if (row.ArrayOrNull is not { } items) return Paths.Get(m, row, 0);
            width = Math.Max(width, items.Count);
        }
        m.ChargeItems((long)width * rows.Count);
        var columns = new Json[width];
        for (var i = 0; i < width; i++)
        {
            var column = new Json[rows.Count];
            for (var j = 0; j < column.Length; j++) column[j] = rows[j][i];
            columns[i] = JsonArray.Own(column, column.Length);
        }
        return JsonArray.Own(columns, width);
    }

    /// <summary>A stable sort.</summary>
    public static Json[] Sorted(Machine m, JsonArray items)
    {
        m.ChargeItems(items.Count);
        m.Spend((long)(items.Count * Math.Log2(items.Count + 1)));
        var sorted = items.Span.ToArray();
        Ordering.Sort(sorted, (a, b) => a.CompareTo(m, b));
        return sorted;
    }
}
