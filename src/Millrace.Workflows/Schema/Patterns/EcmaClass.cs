using System.Globalization;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>Character classes and the escapes that stand for characters, with the meaning of the unicode flag.</summary>
internal static class EcmaClass
{
    private static readonly CodePointSet Digit = CodePointSet.Parse("30-39");
    private static readonly CodePointSet Word = CodePointSet.Parse("30-39 41-5A 5F 61-7A");

    /// <summary>WhiteSpace and LineTerminator of ECMA-262 §12.</summary>
    private static readonly CodePointSet Space = CodePointSet.Parse("9-D 20 A0 1680 2000-200A 2028-2029 202F 205F 3000 FEFF");

    private static readonly CodePointSet NoDigit = Digit.Complement(), NoWord = Word.Complement(), NoSpace = Space.Complement();

    /// <summary>Reads <c>[…]</c>.</summary>
    public static CodePointSet Read(EcmaReader reader)
    {
        reader.Skip();
        var negated = reader.Take('^');
        var ranges = new List<(int, int)>();
        while (!reader.Take(']'))
        {
            if (reader.AtEnd) throw reader.Wrong("expected ']'");
            var (set, first) = Member(reader);
            if (set is not null)
            {
                ranges.AddRange(set.Ranges);
                continue;
            }
            ranges.Add((first, RangeEnd(reader, first, ranges)));
        }
        var all = CodePointSet.Of(ranges);
        return negated ? all.Complement() : all;
    }

    /// <summary>The end of a range that began with <paramref name="first"/>; a dash before a set or the end is a dash.</summary>
    private static int RangeEnd(EcmaReader reader, int first, List<(int, int)> ranges)
    {
        if (!reader.Take('-')) return first;
        if (reader.Peek == ']')
        {
            ranges.Add(('-', '-'));
            return first;
        }
        var (set, last) = Member(reader);
        if (set is not null)
        {
            ranges.Add(('-', '-'));
            ranges.AddRange(set.Ranges);
            return first;
        }
        return last >= first ? last : throw reader.Wrong("a range of characters is out of order");
    }

    private static (CodePointSet? Set, int CodePoint) Member(EcmaReader reader)
    {
        if (!reader.Take('\\')) return (null, reader.CodePoint());
        if (reader.Take('b')) return (null, '\b');
        return ReadSetEscape(reader) is { } set ? (set, 0) : (null, ReadCharacterEscape(reader));
    }

    /// <summary>Reads what follows a backslash.</summary>
    /// <returns>Null, with nothing read, when it stands for one character.</returns>
    public static CodePointSet? ReadSetEscape(EcmaReader reader)
    {
        var set = reader.Peek switch
        {
            'd' => Digit,
            'D' => NoDigit,
            'w' => Word,
            'W' => NoWord,
            's' => Space,
            'S' => NoSpace,
            _ => null,
        };
        if (set is not null)
        {
            reader.Skip();
            return set;
        }
        if (reader.Peek is not ('p' or 'P')) return null;
        var negated = reader.Next() == 'P';
        reader.Expect('{');
        var name = reader.Until('}');
        var property = UnicodeProperty.Find(name)
            ?? throw new EcmaPatternException($"the Unicode property '{name}' is not known here", isUnsupported: true);
        return negated ? property.Complement() : property;
    }

    /// <summary>Reads what follows a backslash.</summary>
    public static int ReadCharacterEscape(EcmaReader reader)
    {
        var c = reader.Next();
        switch (c)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'v': return '\v';
            case 'f': return '\f';
            case 'r': return '\r';
            case '0' when !char.IsAsciiDigit(reader.Peek): return 0;
            case 'c' when char.IsAsciiLetter(reader.Peek): return reader.Next() % 32;
            case 'x': return reader.Hex(2);
            case 'u': return UnicodeEscape(reader);
        }
        if (char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c) || c == ' ')) return c;
        throw reader.Wrong($"\\{c} is no escape of ECMA-262");
    }

    private static int UnicodeEscape(EcmaReader reader)
    {
        if (reader.Take('{'))
        {
            var digits = reader.Until('}').TrimStart('0');
            if (digits.Length == 0) return 0;
            return digits.Length <= 6
                && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
                && value <= CodePointSet.Last
                    ? value
                    : throw reader.Wrong("expected a code point of at most 10FFFF");
        }
        var unit = reader.Hex(4);
        if (unit is < 0xD800 or > 0xDBFF || !reader.TakePrefix("\\u")) return unit;
        var low = reader.Hex(4);
        return low is >= 0xDC00 and <= 0xDFFF
            ? char.ConvertToUtf32((char)unit, (char)low)
            : throw reader.Wrong("expected the second half of a surrogate pair");
    }
}
