using System.Text;
using System.Text.Unicode;

namespace Millrace.Jq.Text;

/// <summary>
/// Reads one JSON value after the other from UTF-8. Strict as RFC 8259 says, or lenient as jq's own reader (numbers such as
/// <c>.5</c>, <c>nan</c>). Keeps its own stack, so nesting costs no stack of the thread.
/// </summary>
internal ref struct JsonReader(ReadOnlySpan<byte> text, bool lenient, int depthMax)
{
    private const int KeyCacheSize = 256;
    private const int RoomMax = 4_096;

    [ThreadStatic]
    private static Room? _idle;

    private readonly ReadOnlySpan<byte> _text = text;
    private readonly Room _room = Room.Take();
    private int _at;

    /// <summary>Stacks of values that are not complete, and names seen lately; a thread keeps one from text to text.</summary>
    private sealed class Room
    {
        public readonly string?[] Keys = new string?[KeyCacheSize];
        public Json[] Values = new Json[32];
        public string[] Names = new string[16];
        public (bool IsObject, int Values, int Names)[] Open = new (bool, int, int)[8];
        public int ValueCount;
        public int NameCount;
        public int OpenCount;

        public static Room Take()
        {
            var room = _idle ?? new Room();
            _idle = null;
            return room;
        }
    }

    /// <summary>Gives the stacks back for the next text.</summary>
    public readonly void Dispose()
    {
        var room = _room;
        if (room.Values.Length > RoomMax || room.Open.Length > RoomMax) return;
        System.Array.Clear(room.Values, 0, room.ValueCount);
        room.ValueCount = room.NameCount = room.OpenCount = 0;
        _idle = room;
    }

    public readonly int Position => _at;

    /// <summary>False at the end of the text.</summary>
    /// <exception cref="JsonTextException">The text is no JSON.</exception>
    public bool TryRead(out Json value)
    {
        SkipBlank();
        value = default;
        if (_at == _text.Length) return false;
        while (true)
        {
            if (!Begin(out value)) continue;
            // A value is complete: hand it to what is open, closing what ends with it.
            var room = _room;
            while (room.OpenCount > 0)
            {
                if (room.ValueCount == room.Values.Length) System.Array.Resize(ref room.Values, room.ValueCount * 2);
                room.Values[room.ValueCount++] = value;
                if (!Close(out value)) break;
            }
            if (room.OpenCount == 0) return true;
        }
    }

    /// <exception cref="JsonTextException">Something but blanks is left.</exception>
    public void ExpectEnd()
    {
        SkipBlank();
        if (_at < _text.Length) throw Error("Expected the end of the text");
    }

    /// <summary>Reads a scalar or an opening bracket; true when a value is complete.</summary>
    private bool Begin(out Json value)
    {
        SkipBlank();
        value = default;
        if (_at == _text.Length) throw Error("Expected a value, found the end of the text");
        switch (_text[_at])
        {
            case (byte)'{':
                return Open(true, (byte)'}', out value);
            case (byte)'[':
                return Open(false, (byte)']', out value);
            case (byte)'"':
                value = ReadString();
                return true;
            case (byte)'t' when Word("true"u8):
                value = true;
                return true;
            case (byte)'f' when Word("false"u8):
                value = false;
                return true;
            case (byte)'n' when Word("null"u8):
                return true;
            default:
                value = ReadNumber();
                return true;
        }
    }

    private bool Open(bool isObject, byte closing, out Json value)
    {
        value = isObject ? Json.EmptyObject : Json.EmptyArray;
        var room = _room;
        if (room.OpenCount >= depthMax) throw Error($"Nested deeper than {depthMax} levels");
        _at++;
        SkipBlank();
        if (_at < _text.Length && _text[_at] == closing)
        {
            _at++;
            return true;
        }
        if (room.OpenCount == room.Open.Length) System.Array.Resize(ref room.Open, room.OpenCount * 2);
        room.Open[room.OpenCount++] = (isObject, room.ValueCount, room.NameCount);
        if (isObject) ReadName();
        return false;
    }

    /// <summary>After a value inside brackets: a comma goes on (false), a closing bracket completes the value (true).</summary>
    private bool Close(out Json value)
    {
        value = default;
        SkipBlank();
        var room = _room;
        var (isObject, values, names) = room.Open[room.OpenCount - 1];
        if (_at == _text.Length) throw Error(isObject ? "Expected ',' or '}', found the end of the text" : "Expected ',' or ']', found the end of the text");
        if (_text[_at] == (byte)',')
        {
            _at++;
            if (isObject) ReadName();
            return false;
        }
        if (_text[_at] != (isObject ? (byte)'}' : (byte)']')) throw Error(isObject ? "Expected ',' or '}'" : "Expected ',' or ']'");
        _at++;
        room.OpenCount--;
        var items = room.Values.AsSpan(values, room.ValueCount - values);
        value = isObject ? JsonObject.Of(room.Names.AsSpan(names, room.NameCount - names), items) : JsonArray.Of(items);
        items.Clear();
        room.ValueCount = values;
        room.NameCount = names;
        return true;
    }

    private void ReadName()
    {
        SkipBlank();
        if (_at == _text.Length || _text[_at] != (byte)'"') throw Error("Expected a member's name in quotes");
        var room = _room;
        if (room.NameCount == room.Names.Length) System.Array.Resize(ref room.Names, room.NameCount * 2);
        room.Names[room.NameCount++] = ReadKey();
        SkipBlank();
        if (_at == _text.Length || _text[_at] != (byte)':') throw Error("Expected ':'");
        _at++;
    }

    /// <summary>Names repeat from object to object; sharing their strings saves memory and makes look-ups quick.</summary>
    private string ReadKey()
    {
        var rest = _text[(_at + 1)..];
        var end = rest.IndexOfAny((byte)'"', (byte)'\\');
        if (end is <= 0 or > 40 || rest[end] != (byte)'"' || !Ascii.IsValid(rest[..end]) || rest[..end].ContainsAnyInRange((byte)0, (byte)31)) return ReadString();
        var bytes = rest[..end];
        ref var slot = ref _room.Keys[(uint)(bytes[0] * 31 + bytes[^1] * 7 + bytes[bytes.Length / 2] + bytes.Length) % KeyCacheSize];
        if (slot is null || !Ascii.Equals(bytes, slot)) slot = Encoding.ASCII.GetString(bytes);
        _at += end + 2;
        return slot;
    }

    private string ReadString()
    {
        var start = ++_at;
        ToQuoteOrEscape();
        if (_text[_at] != (byte)'"') return ReadEscaped(start);
        var raw = _text[start.._at];
        Check(raw, start);
        _at++;
        return Encoding.UTF8.GetString(raw);
    }

    private void ToQuoteOrEscape()
    {
        var stop = _text[_at..].IndexOfAny((byte)'"', (byte)'\\');
        if (stop < 0)
        {
            _at = _text.Length;
            throw Error("The string is not closed");
        }
        _at += stop;
    }

    private string ReadEscaped(int start)
    {
        var built = new StringBuilder();
        var from = start;
        while (true)
        {
            ToQuoteOrEscape();
            Check(_text[from.._at], from);
            built.Append(Encoding.UTF8.GetString(_text[from.._at]));
            if (_text[_at++] == (byte)'"') return Surrogates.Repair(built.ToString());
            built.Append(ReadEscape());
            from = _at;
        }
    }

    private char ReadEscape()
    {
        var c = _at < _text.Length ? _text[_at++] : (byte)0;
        switch (c)
        {
            case (byte)'"' or (byte)'\\' or (byte)'/': return (char)c;
            case (byte)'b': return '\b';
            case (byte)'f': return '\f';
            case (byte)'n': return '\n';
            case (byte)'r': return '\r';
            case (byte)'t': return '\t';
            case (byte)'u' when _at + 4 <= _text.Length && ushort.TryParse(_text.Slice(_at, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var unit):
                _at += 4;
                return (char)unit;
            default:
                throw Error("Invalid escape");
        }
    }

    private void Check(ReadOnlySpan<byte> raw, int start)
    {
        if (lenient) return;
        var control = raw.IndexOfAnyInRange((byte)0, (byte)31);
        if (control >= 0)
        {
            _at = start + control;
            throw Error("A control character in a string must be escaped");
        }
        if (!Utf8.IsValid(raw)) throw Error("The text is not UTF-8");
    }

    private Json ReadNumber()
    {
        var start = _at;
        while (_at < _text.Length && !IsDelimiter(_text[_at])) _at++;
        var raw = _text[start.._at];
        Span<char> small = stackalloc char[64];
        var chars = raw.Length <= small.Length ? small[..raw.Length] : new char[raw.Length];
        for (var i = 0; i < raw.Length; i++) chars[i] = (char)raw[i];
        if ((lenient || IsStrictNumber(raw)) && NumberText.TryParse(chars, out var value)) return value;
        _at = start;
        throw Error("Expected a JSON value");
    }

    private static bool IsStrictNumber(ReadOnlySpan<byte> raw)
    {
        var at = raw.Length > 0 && raw[0] == (byte)'-' ? 1 : 0;
        if (at == raw.Length) return false;
        if (raw[at] == (byte)'0') at++;
        else if (!Digits(raw, ref at)) return false;
        if (at < raw.Length && raw[at] == (byte)'.')
        {
            at++;
            if (!Digits(raw, ref at)) return false;
        }
        if (at < raw.Length && raw[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (at < raw.Length && raw[at] is (byte)'+' or (byte)'-') at++;
            if (!Digits(raw, ref at)) return false;
        }
        return at == raw.Length;
    }

    private static bool Digits(ReadOnlySpan<byte> raw, ref int at)
    {
        var start = at;
        while (at < raw.Length && raw[at] is >= (byte)'0' and <= (byte)'9') at++;
        return at > start;
    }

    private bool Word(ReadOnlySpan<byte> word)
    {
        if (!_text[_at..].StartsWith(word)) return false;
        var end = _at + word.Length;
        if (end < _text.Length && !IsDelimiter(_text[end])) return false;
        _at = end;
        return true;
    }

    private static bool IsDelimiter(byte c) => c is (byte)',' or (byte)']' or (byte)'}' or (byte)'[' or (byte)'{' or (byte)':' or (byte)'"' or <= 32;

    private void SkipBlank()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') _at++;
    }

    private readonly JsonTextException Error(string message)
    {
        var before = _text[..Math.Min(_at, _text.Length)];
        var line = 1 + before.Count((byte)'\n');
        return new JsonTextException(message + ".", line, _at - before.LastIndexOf((byte)'\n'));
    }
}
