using System.Collections;

namespace Millrace.Jq;

/// <summary>An immutable object that keeps the order in which its members were first set.</summary>
public sealed class JsonObject : IReadOnlyCollection<KeyValuePair<string, Json>>
{
    private const int ScanMax = 8;

    public static readonly JsonObject Empty = new([]);

    private readonly KeyValuePair<string, Json>[] _members;
    private Dictionary<string, int>? _index;

    private JsonObject(KeyValuePair<string, Json>[] members) => _members = members;

    public int Count => _members.Length;

    public ReadOnlySpan<KeyValuePair<string, Json>> Members => _members;

    /// <summary>Later members of the same name win and keep the place of the first.</summary>
    public static JsonObject Of(ReadOnlySpan<KeyValuePair<string, Json>> members)
    {
        var builder = new Builder(members.Length);
        foreach (var (key, value) in members) builder.Set(key, value);
        return builder.Build();
    }

    public bool TryGet(string key, out Json value)
    {
        var at = Find(key);
        value = at < 0 ? default : _members[at].Value;
        return at >= 0;
    }

    public bool Has(string key) => Find(key) >= 0;

    public JsonObject With(string key, Json value)
    {
        var at = Find(key);
        var members = new KeyValuePair<string, Json>[at < 0 ? Count + 1 : Count];
        _members.CopyTo(members, 0);
        members[at < 0 ? Count : at] = new(key, value);
        return new JsonObject(members);
    }

    public JsonObject Without(string key)
    {
        var at = Find(key);
        if (at < 0) return this;
        var members = new KeyValuePair<string, Json>[Count - 1];
        System.Array.Copy(_members, members, at);
        System.Array.Copy(_members, at + 1, members, at, Count - at - 1);
        return new JsonObject(members);
    }

    public IEnumerator<KeyValuePair<string, Json>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, Json>>)_members).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int Find(string key)
    {
        if (_members.Length <= ScanMax)
        {
            for (var i = 0; i < _members.Length; i++)
                if (string.Equals(_members[i].Key, key)) return i;
            return -1;
        }
        var index = _index;
        if (index is null)
        {
            index = new Dictionary<string, int>(_members.Length, StringComparer.Ordinal);
            for (var i = 0; i < _members.Length; i++) index[_members[i].Key] = i;
            _index = index;
        }
        return index.TryGetValue(key, out var at) ? at : -1;
    }

    /// <summary>Collects members; not thread safe.</summary>
    public sealed class Builder(int capacity = 4)
    {
        private readonly List<KeyValuePair<string, Json>> _members = new(capacity);
        private Dictionary<string, int>? _index;

        public int Count => _members.Count;

        public Builder Set(string key, Json value)
        {
            var at = Find(key);
            if (at >= 0)
            {
                _members[at] = new(key, value);
                return this;
            }
            _members.Add(new(key, value));
            _index?.Add(key, _members.Count - 1);
            return this;
        }

        public JsonObject Build() => _members.Count == 0 ? Empty : new JsonObject([.. _members]);

        private int Find(string key)
        {
            if (_index is null && _members.Count <= ScanMax)
            {
                for (var i = 0; i < _members.Count; i++)
                    if (string.Equals(_members[i].Key, key)) return i;
                return -1;
            }
            if (_index is null)
            {
                _index = new Dictionary<string, int>(StringComparer.Ordinal);
                for (var i = 0; i < _members.Count; i++) _index[_members[i].Key] = i;
            }
            return _index.TryGetValue(key, out var at) ? at : -1;
        }
    }
}
