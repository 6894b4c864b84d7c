using System.Globalization;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>A place in the text of a regular expression.</summary>
internal sealed class EcmaReader(string source)
{
    private int _at;

    public bool AtEnd => _at >= source.Length;

    /// <summary>The character here, or NUL at the end.</summary>
    public char Peek => AtEnd ? '\0' : source[_at];

    public void Skip() => _at++;

    public char Next() => AtEnd ? throw Wrong("unexpected end") : source[_at++];

    public bool Take(char c)
    {
        if (AtEnd || source[_at] != c) return false;
        _at++;
        return true;
    }

    public bool TakePrefix(string text)
    {
        if (!source.AsSpan(_at).StartsWith(text, StringComparison.Ordinal)) return false;
        _at += text.Length;
        return true;
    }

    public void Expect(char c)
    {
        if (!Take(c)) throw Wrong($"expected '{c}'");
    }

    /// <summary>One code point; a pair of surrogates is one.</summary>
    public int CodePoint()
    {
        var first = Next();
        return char.IsHighSurrogate(first) && !AtEnd && char.IsLowSurrogate(Peek) ? char.ConvertToUtf32(first, Next()) : first;
    }

    /// <returns>Null when no digit stands here. Larger numbers than an int holds are cut.</returns>
    public int? Digits()
    {
        var start = _at;
        while (char.IsAsciiDigit(Peek)) _at++;
        if (_at == start) return null;
        return int.TryParse(source.AsSpan(start, _at - start), CultureInfo.InvariantCulture, out var value) ? value : int.MaxValue;
    }

    public int Hex(int length)
    {
        var digits = source.AsSpan(_at, Math.Min(length, source.Length - _at));
        if (digits.Length < length || !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            throw Wrong($"expected {length} hexadecimal digits");
        _at += length;
        return value;
    }

    /// <summary>The text up to a closing character, which is skipped.</summary>
    public string Until(char end)
    {
        var found = source.IndexOf(end, _at);
        if (found < 0) throw Wrong($"expected '{end}'");
        var text = source[_at..found];
        _at = found + 1;
        return text;
    }

    public string GroupName()
    {
        var name = Until('>');
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsLetterOrDigit(c) || c is '_' or '$'))
            throw Wrong("expected a group's name");
        return name;
    }

    public EcmaPatternException Wrong(string message) => new($"{message} (at character {Math.Min(_at, source.Length) + 1})");
}

/// <summary>The capturing groups of an expression, found ahead since references may point forward.</summary>
internal sealed class EcmaGroups
{
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    public int? Find(string name) => _names.TryGetValue(name, out var number) ? number : null;

    public static EcmaGroups Scan(string source)
    {
        var groups = new EcmaGroups();
        var reader = new EcmaReader(source);
        var inClass = false;
        while (!reader.AtEnd)
        {
            var c = reader.Next();
            if (c == '\\' && !reader.AtEnd) reader.Skip();
            else if (c == '[') inClass = true;
            else if (c == ']') inClass = false;
            else if (c == '(' && !inClass) groups.Open(reader);
        }
        return groups;
    }

    private void Open(EcmaReader reader)
    {
        if (reader.Peek != '?')
        {
            Count++;
            return;
        }
        if (!reader.TakePrefix("?<") || reader.Peek is '=' or '!') return;
        Count++;
        if (!_names.TryAdd(reader.GroupName(), Count)) throw reader.Wrong("two groups have the same name");
    }
}
