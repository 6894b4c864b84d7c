using System.Collections;

namespace Millrace.Jq;

/// <summary>
/// An immutable object that keeps the order in which its members were first set. Setting a new member shares the storage
/// with the object it is set on, as <see cref="JsonArray.Append"/> does; setting a member of a large object anew keeps a
/// few changes beside the shared storage, so that counting into an object does not copy it each time.
/// </summary>
public sealed class JsonObject : IReadOnlyCollection<KeyValuePair<string, Json>>
{
    private const int ScanMax = 8;
    private const int PatchFrom = 32;
    private const int PatchesMax = 64;

    public static readonly JsonObject Empty = new([], 0, null);

    private readonly KeyValuePair<string, Json>[] _members;
    private readonly (int At, Json Value)[]? _patches;
    private KeyValuePair<string, Json>[]? _patched;
    private MemberTable? _table;

    private JsonObject(KeyValuePair<string, Json>[] members, int count, MemberTable? table, (int At, Json Value)[]? patches = null)
    {
        _members = members;
        _patches = patches;
        _table = table;
        Count = count;
    }

    public int Count { get; }

    public ReadOnlySpan<KeyValuePair<string, Json>> Members => (_patches is null ? _members : _patched ??= Patched()).AsSpan(0, Count);

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
        if (keys.Length > ScanMax || Repeats(keys))
        {
            var builder = new Builder(keys.Length);
            for (var i = 0; i < keys.Length; i++) builder.Set(keys[i], values[i]);
            return builder.Build();
        }
        var members = new KeyValuePair<string, Json>[keys.Length];
        for (var i = 0; i < members.Length; i++) members[i] = new(keys[i], values[i]);
        return Own(members);
    }

    private static bool Repeats(ReadOnlySpan<string> keys)
    {
        for (var i = 1; i < keys.Length; i++)
            for (var j = 0; j < i; j++)
                if (string.Equals(keys[i], keys[j])) return true;
        return false;
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
        value = At(at);
        return true;
    }

    /// <summary>The member of that name, or null.</summary>
    internal Json Get(string key)
    {
        var at = Find(key);
        return at < 0 ? default : At(at);
    }

    /// <summary>Roughly how many members are copied by <see cref="With"/>.</summary>
    internal int CopiedBySetting(string key) =>
        Count < PatchFrom ? Count + 1 : Has(key) ? PatchesMax / 2 + Count / PatchesMax : 2;

    public bool Has(string key) => Find(key) >= 0;

    public JsonObject With(string key, Json value)
    {
        var at = Find(key);
        if (at < 0) return Append(key, value);
        if (Count >= PatchFrom && (_patches?.Length ?? 0) < PatchesMax) return Patch(at, value);
        var members = Members.ToArray();
        members[at] = new(members[at].Key, value);
        // The names stay where they are, so the table of the names can be shared for reading.
        return new JsonObject(members, Count, _table is { } table && table.Used == Count ? table.Detached() : null);
    }

    private Json At(int place)
    {
        if (_patches is not null)
        {
            foreach (var (at, value) in _patches)
                if (at == place) return value;
        }
        return _members[place].Value;
    }

    private JsonObject Patch(int place, Json value)
    {
        var patches = _patches ?? [];
        var known = System.Array.FindIndex(patches, p => p.At == place);
        if (known >= 0)
        {
            patches = [.. patches];
            patches[known] = (place, value);
        }
        else
        {
            patches = [.. patches, (place, value)];
        }
        return new JsonObject(_members, Count, _table, patches);
    }

    private KeyValuePair<string, Json>[] Patched()
    {
        var members = _members.AsSpan(0, Count).ToArray();
        foreach (var (at, value) in _patches!) members[at] = new(members[at].Key, value);
        return members;
    }

    public JsonObject Without(string key)
    {
        var at = Find(key);
        if (at < 0) return this;
        var members = new KeyValuePair<string, Json>[Count - 1];
        Members[..at].CopyTo(members);
        Members[(at + 1)..].CopyTo(members.AsSpan(at));
        return Own(members);
    }

    public IEnumerator<KeyValuePair<string, Json>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return new(_members[i].Key, At(i));
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
                    return new JsonObject(members, Count + 1, table, _patches);
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
