using System.Collections;
using System.Runtime.InteropServices;

namespace Millrace.Jq;

/// <summary>
/// An immutable array of values. Appending shares the storage with the array appended to as long as that one has not
/// been appended to before, so building an array item by item costs amortised constant time for each item.
/// </summary>
public sealed class JsonArray : IReadOnlyList<Json>
{
    /// <summary>How many places of a storage shared by several arrays are taken.</summary>
    internal sealed class Tail(int used)
    {
        public int Used = used;
    }

    public static readonly JsonArray Empty = new([], 0, null);

    private readonly Json[] _items;
    private readonly Tail? _tail;

    private JsonArray(Json[] items, int count, Tail? tail)
    {
        _items = items;
        _tail = tail;
        Count = count;
    }

    public int Count { get; }

    public Json this[int index] => (uint)index < (uint)Count ? _items[index] : throw new ArgumentOutOfRangeException(nameof(index));

    public ReadOnlySpan<Json> Span => _items.AsSpan(0, Count);

    /// <summary>The same for all arrays that share a storage.</summary>
    internal object Storage => _items;

    public static JsonArray Of(ReadOnlySpan<Json> items) => items.Length == 0 ? Empty : Own(items.ToArray());

    public static JsonArray Of(List<Json> items) => Of(CollectionsMarshal.AsSpan(items));

    /// <summary>Wraps an array that the caller gives up.</summary>
    internal static JsonArray Own(Json[] items) => new(items, items.Length, null);

    /// <summary>Wraps the first places of an array that the caller gives up.</summary>
    internal static JsonArray Own(Json[] items, int count) => count == 0 ? Empty : new(items, count, null);

    public JsonArray Append(Json item)
    {
        if (_tail is not { } tail)
        {
            var copy = new Json[Math.Max(4, Count * 2)];
            Span.CopyTo(copy);
            copy[Count] = item;
            return new JsonArray(copy, Count + 1, new Tail(Count + 1));
        }
        var items = _items;
        lock (tail)
        {
            if (tail.Used == Count)
            {
                if (items.Length == Count) System.Array.Resize(ref items, Count * 2);
                items[Count] = item;
                tail.Used = Count + 1;
                return new JsonArray(items, Count + 1, tail);
            }
        }
        return new JsonArray(items, Count, null).Append(item);
    }

    public JsonArray Concat(JsonArray other)
    {
        if (Count == 0) return other;
        if (other.Count == 0) return this;
        if (other.Count <= 4)
        {
            var appended = this;
            foreach (var item in other.Span) appended = appended.Append(item);
            return appended;
        }
        var items = new Json[Count + other.Count];
        Span.CopyTo(items);
        other.Span.CopyTo(items.AsSpan(Count));
        return Own(items);
    }

    public JsonArray Slice(int start, int end) => start >= end ? Empty : start == 0 && end == Count ? this : Of(Span[start..end]);

    /// <summary>A copy with the item at <paramref name="index"/> replaced; past the end the gap is filled with null.</summary>
    public JsonArray With(int index, Json item)
    {
        if (index == Count) return Append(item);
        var items = new Json[Math.Max(Count, index + 1)];
        Span.CopyTo(items);
        items[index] = item;
        return Own(items);
    }

    public IEnumerator<Json> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return _items[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
