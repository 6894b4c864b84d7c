namespace Millrace.Jq.Evaluation;

/// <summary>Items of an array under construction.</summary>
internal sealed class Gathering
{
    private Json[] _items = [];

    public int Count { get; private set; }

    public ReadOnlySpan<Json> Span => _items.AsSpan(0, Count);

    public void Add(Machine m, Json item)
    {
        if (Count == _items.Length)
        {
            var room = Math.Max(4, Count * 2);
            m.ChargeItems(room - Count);
            Array.Resize(ref _items, room);
        }
        _items[Count++] = item;
    }

    /// <summary>The array; nothing may be added afterwards.</summary>
    public Json ToJson() => JsonArray.Own(_items, Count);
}
