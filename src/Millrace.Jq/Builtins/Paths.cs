using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>Reading parts of values, by a key or a path of keys.</summary>
internal static partial class Paths
{
    /// <summary>Keys a path may have.</summary>
    public const int LengthMax = 10_000;

    /// <summary>Items an array may be made to have by setting one (jq: INT_MAX / 4).</summary>
    private const int IndexMax = 536_870_911;

    public static Json Get(Machine m, Json target, Json key)
    {
        if (key.StringOrNull is { } name && target.ObjectOrNull is { } members) return members.Get(name);
        if (key.IsNumber && target.ArrayOrNull is { } items) return Item(items, key.AsNumber());
        if (key.ObjectOrNull is { } slice) return GetSlice(m, target, key, slice);
        if (key.ArrayOrNull is { } part && target.ArrayOrNull is { } whole) return Collections.Indices(m, whole, part);
        if (target.IsNull && (key.IsString || key.IsNumber)) return default;
        return CannotIndex(target, key);
    }

    /// <summary>The refusal of an index that needs no machine: the target is neither object nor null.</summary>
    public static Json Get(Json target, string name) => CannotIndex(target, name);

    private static Json CannotIndex(Json target, Json key) =>
        Fault.Of($"Cannot index {Describe.Kind(target)} with {Describe.Shown(key)}");

    private static Json Item(JsonArray items, double at)
    {
        if (double.IsNaN(at)) return default;
        var index = (long)Math.Truncate(Math.Clamp(at, int.MinValue, int.MaxValue));
        if (index < 0) index += items.Count;
        return index >= 0 && index < items.Count ? items[(int)index] : default;
    }

    private static Json GetSlice(Machine m, Json target, Json key, JsonObject slice)
    {
        if (target.IsNull) return default;
        if (target.ArrayOrNull is { } items)
        {
            if (Bounds(slice, items.Count) is not { } bounds) return BadSlice("an array");
            if (bounds.End - bounds.Start < items.Count) m.ChargeItems(bounds.End - bounds.Start);
            return items.Slice(bounds.Start, bounds.End);
        }
        if (target.StringOrNull is { } text)
        {
            if (Bounds(slice, Text.Surrogates.Count(text)) is not { } bounds) return BadSlice("a string");
            return Strings.Slice(m, text, bounds.Start, bounds.End);
        }
        return CannotIndex(target, key);
    }

    private static Json BadSlice(string what) => Fault.Of($"Start and end indices of {what} slice must be numbers");

    /// <summary>Null when start or end is no number.</summary>
    private static (int Start, int End)? Bounds(JsonObject slice, int length)
    {
        if (!slice.TryGet("start", out var from) || !slice.TryGet("end", out var upto)) return null;
        if (!(from.IsNull || from.IsNumber) || !(upto.IsNull || upto.IsNumber)) return null;
        var start = from.IsNull || double.IsNaN(from.AsNumber()) ? 0 : from.AsNumber();
        var end = upto.IsNull || double.IsNaN(upto.AsNumber()) ? length : upto.AsNumber();
        if (start < 0) start += length;
        if (end < 0) end += length;
        start = Math.Clamp(start, 0, length);
        // The end is exclusive: up to 1.5 takes the item at 1.
        end = Math.Clamp(Math.Ceiling(Math.Min(end, length)), Math.Floor(start), length);
        return ((int)start, (int)end);
    }

    public static Json GetPath(Machine m, Json target, Json path)
    {
        if (path.ArrayOrNull is not { } keys) return Fault.Of("Path must be specified as an array");
        if (keys.Count > LengthMax) return Fault.Of("Path too deep");
        foreach (var key in keys.Span)
        {
            target = Get(m, target, key);
            if (target.IsSignal) return target;
        }
        return target;
    }

    public static Json Has(Machine m, Json target, Json key)
    {
        if (target.ObjectOrNull is { } members && key.StringOrNull is { } name) return members.Has(name);
        if (target.ArrayOrNull is { } items && key.IsNumber) return key.AsNumber() is >= 0 and var at && Math.Truncate(at) < items.Count;
        if (target.IsNull) return false;
        return Fault.Of($"Cannot check whether {Describe.Kind(target)} has a {Describe.Kind(key)} key");
    }

    public static Json Set(Machine m, Json target, Json path, Json value)
    {
        if (path.ArrayOrNull is not { } keys) return Fault.Of("Path must be specified as an array");
        if (keys.Count > LengthMax) return Fault.Of("Path too deep");
        if (keys.Count == 1) return SetAt(m, target, keys[0], value);
        m.Spend(keys.Count / 4);
        // Down to the place, then up again, setting each level in the one above.
        var levels = new Json[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            levels[i] = target;
            if (i == keys.Count - 1) break;
            target = Get(m, target, keys[i]);
            if (target.IsSignal) return target;
        }
        for (var i = keys.Count - 1; i >= 0; i--)
        {
            value = SetAt(m, levels[i], keys[i], value);
            if (value.IsSignal) return value;
        }
        return value;
    }

    public static Json SetAt(Machine m, Json target, Json key, Json value)
    {
        if (key.StringOrNull is { } name && (target.IsObject || target.IsNull))
        {
            var members = target.ObjectOrNull ?? JsonObject.Empty;
            m.ChargeCopy(48 + 24L * members.CopiedBySetting(name));
            return members.With(name, value);
        }
        if (key.IsNumber && (target.IsArray || target.IsNull)) return SetItem(m, target.ArrayOrNull ?? JsonArray.Empty, key.AsNumber(), value);
        if (key.ObjectOrNull is { } slice)
        {
            if (target.IsArray || target.IsNull) return SetSlice(m, target.ArrayOrNull ?? JsonArray.Empty, slice, value);
            if (target.IsString) return Fault.Of("Cannot update string slices");
        }
        return key.IsArray && target.IsArray || key.IsObject
            ? Fault.Of($"Cannot update field at {Describe.Kind(key)} index of {Describe.Kind(target)}")
            : CannotIndex(target, key);
    }

    private static Json SetItem(Machine m, JsonArray items, double at, Json value)
    {
        if (double.IsNaN(at)) return Fault.Of("Cannot set array element at NaN index");
        var index = (long)Math.Truncate(Math.Clamp(at, int.MinValue, int.MaxValue));
        if (index < 0) index += items.Count;
        if (index < 0) return Fault.Of("Out of bounds negative array index");
        if (index > IndexMax) return Fault.Of("Array index too large");
        m.ChargeItems(index == items.Count ? 1 : Math.Max(index + 1, items.Count));
        return items.With((int)index, value);
    }

    private static Json SetSlice(Machine m, JsonArray items, JsonObject slice, Json value)
    {
        if (Bounds(slice, items.Count) is not var (start, end)) return BadSlice("an array");
        if (value.ArrayOrNull is not { } inserted) return Fault.Of("A slice of an array can only be assigned another array");
        m.ChargeItems((long)items.Count + inserted.Count);
        var result = new Json[items.Count - (end - start) + inserted.Count];
        items.Span[..start].CopyTo(result);
        inserted.Span.CopyTo(result.AsSpan(start));
        items.Span[end..].CopyTo(result.AsSpan(start + inserted.Count));
        return JsonArray.Own(result, result.Length);
    }
}
