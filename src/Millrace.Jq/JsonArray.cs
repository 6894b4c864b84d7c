using System.Collections;
using System.Runtime.InteropServices;

namespace Millrace.Jq;

/// <summary>
/// An immutable array of values. Appending shares the storage with the array appended to as long as that one has not
/// been appended to before, so building an array item by item costs amortised constant time for each item.
/// </summary>
public sealed class JsonArray : IReadOnlyList<Json>
{
    private sealed class Store(Json[] items, int used)
    {
        public Json[] Items = items;
        public int Used = used;
    }

    public static readonly JsonArray Empty = new(new Store([], 0), 0);

    private readonly Store _store;

    private JsonArray(Store store, int count)
    {
        _store = store;
        Count = count;
    }

    public int Count { get; }

    public Json this[int index] => (uint)index < (uint)Count ? _store.Items[index] : throw new ArgumentOutOfRangeException(nameof(index));

    public ReadOnlySpan<Json> Span => _store.Items.AsSpan(0, Count);

    public static JsonArray Of(ReadOnlySpan<Json> items) => items.Length == 0 ? Empty : Own(items.ToArray());

    public static JsonArray Of(List<Json> items) => Of(CollectionsMarshal.AsSpan(items));

    /// <summary>Wraps an array that the caller gives up.</summary>
    internal static JsonArray Own(Json[] items) => new(new Store(items, items.Length), items.Length);

    public JsonArray Append(Json item)
    {
        var store = _store;
        lock (store)
        {
            if (store.Used == Count && Count > 0)
            {
                if (store.Items.Length == Count) System.Array.Resize(ref store.Items, Math.Max(4, Count * 2));
                store.Items[Count] = item;
                store.Used = Count + 1;
                return new JsonArray(store, Count + 1);
            }
        }
        var copy = new Json[Math.Max(4, Count + 1)];
        Span.CopyTo(copy);
        copy[Count] = item;
        return new JsonArray(new Store(copy, Count + 1), Count + 1);
    }

    public JsonArray Concat(JsonArray other)
    {
        if (Count == 0) return other;
        if (other.Count == 0) return this;
        if (other.Count == 1) return Append(other[0]);
        var items = new Json[Count + other.Count];
        Span.CopyTo(items);
        other.Span.CopyTo(items.AsSpan(Count));
        return Own(items);
    }

    public JsonArray Slice(int start, int end) => start >= end ? Empty : Of(Span[start..end]);

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
        for (var i = 0; i < Count; i++) yield return _store.Items[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
