using System.Collections;

namespace Millrace.Jq;

/// <summary>
/// An immutable object that keeps the order in which its members were first set. Setting a new member shares the storage
/// with the object it is set on, as <see cref="JsonArray.Append"/> does.
/// </summary>
public sealed class JsonObject : IReadOnlyCollection<KeyValuePair<string, Json>>
{
    private const int ScanMax = 8;

    public static readonly JsonObject Empty = new([], 0, null);

    private readonly KeyValuePair<string, Json>[] _members;
    private MemberTable? _table;

    private JsonObject(KeyValuePair<string, Json>[] members, int count, MemberTable? table)
    {
        _members = members;
        _table = table;
        Count = count;
    }

    public int Count { get; }

    public ReadOnlySpan<KeyValuePair<string, Json>> Members => _members.AsSpan(0, Count);

    /// <summary>The same for all objects that share a storage.</summary>
    internal object Storage => _members;

    /// <summary>Later members of the same name win and keep the place of the first.</summary>
    public static JsonObject Of(ReadOnlySpan<KeyValuePair<string, Json>> members)
    {
        var builder = new Builder(members.Length);
        foreach (var (key, value) in members) builder.Set(key, value);
        return builder.Build();
    }

    internal static JsonObject Of(ReadOnlySpan<string> keys, ReadOnlySpan<Json> values)
    {
        var builder = new Builder(keys.Length);
        for (var i = 0; i < keys.Length; i++) builder.Set(keys[i], values[i]);
        return builder.Build();
    }

    /// <summary>Wraps members whose names differ and that the caller gives up.</summary>
    internal static JsonObject Own(KeyValuePair<string, Json>[] members) => new(members, members.Length, null);

    public bool TryGet(string key, out Json value)
    {
        var at = Find(key);
        if (at < 0)
        {
            value = default;
            return false;
        }
        value = _members[at].Value;
        return true;
    }

    /// <summary>The member of that name, or null.</summary>
    internal Json Get(string key)
    {
        var at = Find(key);
        return at < 0 ? default : _members[at].Value;
    }

    public bool Has(string key) => Find(key) >= 0;

    public JsonObject With(string key, Json value)
    {
        var at = Find(key);
        if (at < 0) return Append(key, value);
        var members = Members.ToArray();
        members[at] = new(members[at].Key, value);
        // The names stay where they are, so the table of the names can be shared for reading.
        return new JsonObject(members, Count, _table is { } table && table.Used == Count ? table.Detached() : null);
    }

    public JsonObject Without(string key)
    {
        var at = Find(key);
        if (at < 0) return this;
        var members = new KeyValuePair<string, Json>[Count - 1];
        System.Array.Copy(_members, members, at);
        System.Array.Copy(_members, at + 1, members, at, Count - at - 1);
        return Own(members);
    }

    public IEnumerator<KeyValuePair<string, Json>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return _members[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private JsonObject Append(string key, Json value)
    {
        var members = _members;
        if (_table is { } table)
        {
            lock (table)
            {
                if (table.Used == Count && !table.IsDetached)
                {
                    if (members.Length == Count) System.Array.Resize(ref members, Count * 2);
                    members[Count] = new(key, value);
                    table.Add(members, Count);
                    return new JsonObject(members, Count + 1, table);
                }
            }
        }
        var copy = new KeyValuePair<string, Json>[Count < ScanMax ? Count + 1 : Count * 2];
        Members.CopyTo(copy);
        copy[Count] = new(key, value);
        return new JsonObject(copy, Count + 1, Count < ScanMax ? null : new MemberTable(copy, Count + 1));
    }

    private int Find(string key)
    {
        var members = _members;
        if (Count <= ScanMax)
        {
            for (var i = 0; i < Count; i++)
                if (string.Equals(members[i].Key, key)) return i;
            return -1;
        }
        return (_table ??= new MemberTable(members, Count)).Find(members, Count, key);
    }

    /// <summary>Collects members; not thread safe.</summary>
    public sealed class Builder(int capacity = 4)
    {
        private KeyValuePair<string, Json>[] _members = capacity == 0 ? [] : new KeyValuePair<string, Json>[capacity];
        private MemberTable? _table;

        public int Count { get; private set; }

        public Builder Set(string key, Json value)
        {
            var at = Find(key);
            if (at >= 0)
            {
                _members[at] = new(_members[at].Key, value);
                return this;
            }
            if (_members.Length == Count) System.Array.Resize(ref _members, Math.Max(4, Count * 2));
            _members[Count] = new(key, value);
            _table?.Add(_members, Count);
            Count++;
            return this;
        }

        /// <summary>The object of the members set so far; the builder may go on.</summary>
        public JsonObject Build() => Count == 0 ? Empty : new JsonObject(_members.AsSpan(0, Count).ToArray(), Count, null);

        private int Find(string key)
        {
            if (Count <= ScanMax)
            {
                for (var i = 0; i < Count; i++)
                    if (string.Equals(_members[i].Key, key)) return i;
                return -1;
            }
            return (_table ??= new MemberTable(_members, Count)).Find(_members, Count, key);
        }
    }
}
