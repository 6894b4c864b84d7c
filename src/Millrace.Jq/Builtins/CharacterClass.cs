using System.Globalization;
using System.Text;

namespace Millrace.Jq.Builtins;

/// <summary>A bracketed class of an Oniguruma pattern: POSIX names, nested classes and intersections become what .NET has.</summary>
internal sealed class CharacterClass
{
    private static readonly Dictionary<string, string> Posix = new(StringComparer.OrdinalIgnoreCase)
    {
        ["alnum"] = @"\p{L}\p{M}\p{N}",
        ["alpha"] = @"\p{L}\p{M}",
        ["ascii"] = @"\u0000-\u007F",
        ["blank"] = @" \t\p{Zs}",
        ["cntrl"] = @"\p{Cc}",
        ["digit"] = @"\p{Nd}",
        ["graph"] = @"\p{L}\p{M}\p{N}\p{P}\p{S}",
        ["lower"] = @"\p{Ll}",
        ["print"] = @"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}",
        ["punct"] = @"\p{P}\p{S}",
        ["space"] = @"\s",
        ["upper"] = @"\p{Lu}",
        ["xdigit"] = "0-9a-fA-F",
        ["word"] = @"\w",
    };

    private static readonly HashSet<string> Scripts = new(StringComparer.OrdinalIgnoreCase)
    {
        "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Thai", "Hiragana", "Katakana",
    };

    private readonly StringBuilder _members = new();
    private readonly List<(int From, int Upto)> _astral = [];
    private readonly List<CharacterClass> _and = [];
    private readonly List<CharacterClass> _or = [];
    private bool _negated;

    /// <exception cref="FormatException">The class is not closed or names an unknown property.</exception>
    public static CharacterClass Read(string pattern, ref int at)
    {
        var set = new CharacterClass();
        at++;
        if (at < pattern.Length && pattern[at] == '^')
        {
            set._negated = true;
            at++;
        }
        set.ReadMembers(pattern, ref at);
        return set;
    }

    public static string Property(string name, bool negated)
    {
        var mark = negated ? 'P' : 'p';
        if (Posix.TryGetValue(name, out var members)) return $"[{(negated ? "^" : "")}{members}]";
        var plain = name.Replace("_", "", StringComparison.Ordinal);
        var category = plain.ToUpperInvariant() switch
        {
            "LETTER" => "L",
            "MARK" => "M",
            "NUMBER" => "N",
            "PUNCTUATION" => "P",
            "SYMBOL" => "S",
            "SEPARATOR" => "Z",
            "OTHER" => "C",
            "UPPERCASELETTER" => "Lu",
            "LOWERCASELETTER" => "Ll",
            "DECIMALNUMBER" => "Nd",
            "SPACESEPARATOR" => "Zs",
            "MATHSYMBOL" => "Sm",
            "CURRENCYSYMBOL" => "Sc",
            "LATIN" => "",
            "HAN" => "IsCJKUnifiedIdeographs",
            _ when plain.Length <= 2 => plain,
            _ when Scripts.Contains(plain) => "Is" + char.ToUpperInvariant(plain[0]) + plain[1..].ToLowerInvariant(),
            _ => throw new FormatException("invalid character property name {" + name + "}"),
        };
        if (category.Length == 0) return $"[{(negated ? "^" : "")}A-Za-z\\u00AA\\u00BA\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02B8\\u1E00-\\u1EFF]";
        return $"\\{mark}{{{category}}}";
    }

    public string Write(bool astral)
    {
        var own = _members.ToString();
        var alternatives = new List<string>();
        foreach (var (from, upto) in _astral) Ranges(from, upto, alternatives);
        foreach (var inner in _or) alternatives.Add(inner.Write(astral));
        string text;
        if (_negated)
        {
            var refused = alternatives.Count == 0 ? "" : $"(?!{string.Join('|', alternatives)})";
            var single = own.Length == 0 ? @"[\s\S]" : $"[^{own}]";
            text = astral ? $"(?:{refused}(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]|{single}))" : refused.Length == 0 ? single : $"(?:{refused}{single})";
        }
        else
        {
            if (own.Length > 0) alternatives.Insert(0, $"[{own}]");
            text = alternatives.Count switch { 0 => "(?!)", 1 => alternatives[0], _ => $"(?:{string.Join('|', alternatives)})" };
        }
        foreach (var inner in _and) text = $"(?:(?={inner.Write(astral)}){text})";
        return text;
    }

    private void ReadMembers(string pattern, ref int at)
    {
        var first = true;
        while (true)
        {
            if (at >= pattern.Length) throw new FormatException("premature end of char-class");
            var c = pattern[at];
            if (c == ']' && !first)
            {
                at++;
                return;
            }
            first = false;
            if (c == '[')
            {
                if (!ReadPosix(pattern, ref at)) _or.Add(Read(pattern, ref at));
            }
            else if (c == '&' && at + 1 < pattern.Length && pattern[at + 1] == '&')
            {
                at += 2;
                var rest = new CharacterClass();
                rest.ReadMembers(pattern, ref at);
                _and.Add(rest);
                return;
            }
            else
            {
                ReadRange(pattern, ref at);
            }
        }
    }

    private bool ReadPosix(string pattern, ref int at)
    {
        if (at + 1 >= pattern.Length || pattern[at + 1] != ':') return false;
        var end = pattern.IndexOf(":]", at + 2, StringComparison.Ordinal);
        if (end < 0) return false;
        var name = pattern[(at + 2)..end];
        var negated = name.StartsWith('^');
        if (!Posix.TryGetValue(negated ? name[1..] : name, out var members)) return false;
        at = end + 2;
        if (negated) _or.Add(new CharacterClass { _negated = true }.Adding(members));
        else _members.Append(members);
        return true;
    }

    private CharacterClass Adding(string members)
    {
        _members.Append(members);
        return this;
    }

    private void ReadRange(string pattern, ref int at)
    {
        if (ReadPoint(pattern, ref at) is not { } from) return;
        var upto = from;
        if (at + 1 < pattern.Length && pattern[at] == '-' && pattern[at + 1] != ']')
        {
            at++;
            if (ReadPoint(pattern, ref at) is not { } end) throw new FormatException("char-class value at end of range");
            upto = end;
        }
        if (upto < from) throw new FormatException("empty range in char class");
        if (from <= 0xFFFF) _members.Append(CultureInfo.InvariantCulture, $"\\u{from:X4}-\\u{Math.Min(upto, 0xFFFF):X4}");
        if (upto > 0xFFFF) _astral.Add((Math.Max(from, 0x10000), upto));
    }

    /// <summary>A code point; null when what stood there was a class of its own.</summary>
    private int? ReadPoint(string pattern, ref int at)
    {
        var c = pattern[at++];
        if (char.IsHighSurrogate(c) && at < pattern.Length && char.IsLowSurrogate(pattern[at])) return char.ConvertToUtf32(c, pattern[at++]);
        if (c != '\\' || at >= pattern.Length) return c;
        c = pattern[at++];
        switch (c)
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return 27;
            case 'b': return '\b';
            case 'x' or 'u': return ReadHex(pattern, ref at, c == 'u' ? 4 : 2);
            case 'd' or 'w' or 's' or 'D' or 'W' or 'S':
                _members.Append('\\').Append(c);
                return null;
            case 'h':
                _members.Append("0-9a-fA-F");
                return null;
            case 'p' or 'P' when at < pattern.Length && pattern[at] == '{':
                var end = pattern.IndexOf('}', at);
                if (end < 0) throw new FormatException("invalid character property name");
                var name = pattern[(at + 1)..end];
                at = end + 1;
                var property = Property(name.TrimStart('^'), c == 'P' != name.StartsWith('^'));
                var start = 0;
                if (property[0] == '[') _or.Add(Read(property, ref start));
                else _members.Append(property);
                return null;
            case >= '0' and <= '7':
                var value = c - '0';
                for (var i = 0; i < 2 && at < pattern.Length && pattern[at] is >= '0' and <= '7'; i++) value = value * 8 + (pattern[at++] - '0');
                return value;
            default: return c;
        }
    }

    private static int ReadHex(string pattern, ref int at, int width)
    {
        int from = at, end;
        if (at < pattern.Length && pattern[at] == '{')
        {
            from++;
            end = pattern.IndexOf('}', at);
            if (end < 0) throw new FormatException("invalid code point value");
            at = end + 1;
        }
        else
        {
            while (at < pattern.Length && at - from < width && char.IsAsciiHexDigit(pattern[at])) at++;
            end = at;
        }
        return int.TryParse(pattern.AsSpan(from, end - from), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && code is >= 0 and <= 0x10FFFF
            ? code
            : throw new FormatException("invalid code point value");
    }

    /// <summary>A range of surrogate pairs, split where the first half changes.</summary>
    private static void Ranges(int from, int upto, List<string> to)
    {
        while (from <= upto)
        {
            var high = 0xD800 + ((from - 0x10000) >> 10);
            var last = Math.Min(upto, 0x10000 + ((high - 0xD800) << 10) + 0x3FF);
            // Whole blocks of first halves are one range.
            var blocks = high;
            while (((from - 0x10000) & 0x3FF) == 0 && 0x10000 + ((blocks - 0xD800) << 10) + 0x3FF <= upto) blocks++;
            if (blocks > high)
            {
                to.Add($"[\\u{high:X4}-\\u{blocks - 1:X4}][\\uDC00-\\uDFFF]");
                from = 0x10000 + ((blocks - 0xD800) << 10);
                continue;
            }
            to.Add($"\\u{high:X4}[\\u{0xDC00 + ((from - 0x10000) & 0x3FF):X4}-\\u{0xDC00 + ((last - 0x10000) & 0x3FF):X4}]");
            from = last + 1;
        }
    }
}
