using System.Buffers;
using System.Text;

namespace Millrace.Jq.Text;

/// <summary>How JSON text is laid out.</summary>
internal readonly record struct JsonLayout(int Indent = 0, bool Tabs = false, bool SortKeys = false, bool Ascii = false)
{
    public static readonly JsonLayout Compact;
    public static readonly JsonLayout Indented = new(2);

    public bool IsIndented => Indent > 0 || Tabs;
}

/// <summary>Writes JSON as jq does: no needless escapes, DEL escaped, at most <see cref="DepthMax"/> levels.</summary>
/// <param name="layout">How the text is laid out.</param>
/// <param name="bytesEnough">Once so much is written, nested values are left out: only the beginning is wanted.</param>
internal sealed class JsonWriter(JsonLayout layout, int bytesEnough = int.MaxValue)
{
    /// <summary>jq's MAX_PRINT_DEPTH; what lies deeper is replaced by a string that says so.</summary>
    public const int DepthMax = 10_000;

    private static readonly SearchValues<char> Special = SearchValues.Create(
        "\"\\\u007f" + string.Concat(Enumerable.Range(0, 32).Select(i => (char)i)));

    private byte[] _buffer = new byte[256];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Write(Json value, int depth = 0)
    {
        if (_length > bytesEnough) return;
        switch (value.Kind)
        {
            case JsonKind.Null: Add("null"u8); break;
            case JsonKind.False: Add("false"u8); break;
            case JsonKind.True: Add("true"u8); break;
            case JsonKind.Number: WriteNumber(value); break;
            case JsonKind.String: WriteString(value.AsString()); break;
            default:
                if (depth > DepthMax) Add("\"<skipped: too deep>\""u8);
                else if (DeepStack.IsShort(depth)) DeepStack.Run(() => WriteNested(value, depth));
                else WriteNested(value, depth);
                break;
        }
    }

    private void WriteNested(Json value, int depth)
    {
        if (value.ArrayOrNull is { } array) WriteArray(array, depth);
        else WriteObject(value.AsObject(), depth);
    }

    private void WriteArray(JsonArray array, int depth)
    {
        if (array.Count == 0)
        {
            Add("[]"u8);
            return;
        }
        Add((byte)'[');
        var first = true;
        foreach (var item in array.Span)
        {
            if (_length > bytesEnough) return;
            if (!first) Add((byte)',');
            first = false;
            Break(depth + 1);
            Write(item, depth + 1);
        }
        Break(depth);
        Add((byte)']');
    }

    private void WriteObject(JsonObject value, int depth)
    {
        if (value.Count == 0)
        {
            Add("{}"u8);
            return;
        }
        Add((byte)'{');
        var members = value.Members;
        if (layout.SortKeys)
        {
            var sorted = members.ToArray();
            Array.Sort(sorted, (a, b) => Json.CompareCodePoints(a.Key, b.Key));
            members = sorted;
        }
        var first = true;
        foreach (var (key, member) in members)
        {
            if (_length > bytesEnough) return;
            if (!first) Add((byte)',');
            first = false;
            Break(depth + 1);
            WriteString(key);
            Add((byte)':');
            if (layout.IsIndented) Add((byte)' ');
            Write(member, depth + 1);
        }
        Break(depth);
        Add((byte)'}');
    }

    private void Break(int depth)
    {
        if (!layout.IsIndented) return;
        Add((byte)'\n');
        var width = layout.Tabs ? depth : depth * layout.Indent;
        Room(width).Fill(layout.Tabs ? (byte)'\t' : (byte)' ');
        _length += width;
    }

    private void WriteNumber(Json value)
    {
        if (value.Literal is { } literal)
        {
            AddAscii(literal.Text);
            return;
        }
        Span<char> text = stackalloc char[40];
        AddAscii(text[..NumberText.Format(value.AsNumber(), text)]);
    }

    private void WriteString(ReadOnlySpan<char> text)
    {
        Add((byte)'"');
        while (text.Length > 0 && _length <= bytesEnough)
        {
            var plain = text.IndexOfAny(Special);
            if (plain < 0) plain = text.Length;
            WritePlain(text[..plain]);
            if (plain == text.Length) break;
            WriteEscape(text[plain]);
            text = text[(plain + 1)..];
        }
        Add((byte)'"');
    }

    private void WritePlain(ReadOnlySpan<char> text)
    {
        if (layout.Ascii && !System.Text.Ascii.IsValid(text))
        {
            foreach (var c in text)
            {
                if (char.IsAscii(c)) Add((byte)c);
                else WriteUnit(c);
            }
            return;
        }
        var room = Room(text.Length * 3);
        _length += Encoding.UTF8.GetBytes(text, room);
    }

    private void WriteEscape(char c)
    {
        switch (c)
        {
            case '"': Add("\\\""u8); break;
            case '\\': Add("\\\\"u8); break;
            case '\b': Add("\\b"u8); break;
            case '\t': Add("\\t"u8); break;
            case '\r': Add("\\r"u8); break;
            case '\n': Add("\\n"u8); break;
            case '\f': Add("\\f"u8); break;
            default: WriteUnit(c); break;
        }
    }

    private void WriteUnit(char c)
    {
        Add("\\u"u8);
        for (var shift = 12; shift >= 0; shift -= 4) Add("0123456789abcdef"u8[(c >> shift) & 15]);
    }

    private void AddAscii(ReadOnlySpan<char> text)
    {
        System.Text.Ascii.FromUtf16(text, Room(text.Length), out var written);
        _length += written;
    }

    private void Add(byte value)
    {
        if (_length == _buffer.Length) Grow(1);
        _buffer[_length++] = value;
    }

    private void Add(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        _length += text.Length;
    }

    private Span<byte> Room(int count)
    {
        if (_buffer.Length - _length < count) Grow(count);
        return _buffer.AsSpan(_length, count);
    }

    private void Grow(int count) => Array.Resize(ref _buffer, Math.Max(_length + count, (int)Math.Min(_buffer.Length * 2L, Array.MaxLength)));
}
