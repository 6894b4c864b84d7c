using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Jq.Builtins;

/// <summary>
/// Writes an Oniguruma pattern (syntax Perl_NG, as jq sets it) as one of .NET. Groups are named by their number, because
/// .NET counts named groups after the others; the names are kept beside. With <c>astral</c>, what matches one code point
/// matches a surrogate pair as a whole.
/// </summary>
internal sealed class RegexTranslation
{
    private const string Pair = @"[\uD800-\uDBFF][\uDC00-\uDFFF]";

    private static readonly System.Buffers.SearchValues<char> Bounds = System.Buffers.SearchValues.Create("0123456789,");

    private readonly string _pattern;
    private readonly bool _astral;
    private readonly StringBuilder _to = new();
    private readonly List<string?> _names = [];
    private readonly Stack<(int Start, bool Extended)> _open = new();
    private bool _extended;
    private int _at;
    private int _atom = -1;

    private RegexTranslation(string pattern, bool extended, bool astral)
    {
        _pattern = pattern;
        _extended = extended;
        _astral = astral;
    }

    /// <exception cref="FormatException">The pattern has what .NET has no counterpart for.</exception>
    public static (string Pattern, List<string?> Names) Translate(string pattern, bool extended, bool astral)
    {
        var translation = new RegexTranslation(pattern, extended, astral);
        translation.Run();
        return (translation._to.ToString(), translation._names);
    }

    private char Peek(int ahead = 0) => _at + ahead < _pattern.Length ? _pattern[_at + ahead] : '\0';

    private void Run()
    {
        while (_at < _pattern.Length)
        {
            var c = _pattern[_at];
            switch (c)
            {
                case '\\': Escape(); break;
                case '[': Class(); break;
                case '(': Open(); break;
                case ')': Close(); break;
                case '*' or '+' or '?': Quantify(1); break;
                case '{' when Interval() is var length and > 0: Quantify(length); break;
                case '{':
                    Atom(@"\{");
                    _at++;
                    break;
                case '#' when _extended:
                    while (_at < _pattern.Length && _pattern[_at] != '\n') _at++;
                    break;
                case '.':
                    Atom(_astral ? $"(?:{Pair}|.)" : ".");
                    _at++;
                    break;
                default: Literal(c); break;
            }
        }
    }

    private void Atom(string text)
    {
        _atom = _to.Length;
        _to.Append(text);
    }

    private void Literal(char c)
    {
        if (char.IsHighSurrogate(c) && char.IsLowSurrogate(Peek(1)))
        {
            Atom($"(?:{_pattern.AsSpan(_at, 2)})");
            _at += 2;
            return;
        }
        Atom(c.ToString());
        _at++;
    }

    /// <summary>The length of <c>{n}</c>, <c>{n,}</c>, <c>{,m}</c> or <c>{n,m}</c> here; 0 when the brace is a plain one.</summary>
    private int Interval()
    {
        var end = _pattern.IndexOf('}', _at);
        if (end < 0 || _atom < 0) return 0;
        var inner = _pattern.AsSpan(_at + 1, end - _at - 1);
        return inner.ContainsAnyInRange('0', '9') && !inner.ContainsAnyExcept(Bounds) && inner.Count(',') <= 1 ? end - _at + 1 : 0;
    }

    private void Quantify(int length)
    {
        var quantifier = _pattern.Substring(_at, length);
        if (quantifier.StartsWith("{,", StringComparison.Ordinal)) quantifier = "{0" + quantifier[1..];
        _at += length;
        if (_atom < 0) throw new FormatException("target of repeat operator is not specified");
        if (Peek() == '+')
        {
            // Possessive: what it took is not given back.
            _at++;
            _to.Insert(_atom, "(?>").Append(quantifier).Append(')');
            return;
        }
        _to.Append(quantifier);
        if (Peek() == '?')
        {
            _to.Append('?');
            _at++;
        }
        // A further quantifier applies to all of this.
        if (Peek() is '*' or '+' or '?') _to.Insert(_atom, "(?:").Append(')');
    }

    private void Open()
    {
        var start = _to.Length;
        _open.Push((start, _extended));
        _atom = -1;
        if (Peek(1) != '?')
        {
            Capture(null);
            _at++;
            return;
        }
        var rest = _pattern.AsSpan(_at);
        if (rest.StartsWith("(?#"))
        {
            _open.Pop();
            var end = _pattern.IndexOf(')', _at);
            _at = end < 0 ? throw new FormatException("end pattern in group") : end + 1;
            return;
        }
        foreach (var head in (ReadOnlySpan<string>)["(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"])
        {
            if (!rest.StartsWith(head)) continue;
            _to.Append(head);
            _at += head.Length;
            return;
        }
        if (Peek(2) is '<' or '\'' || rest.StartsWith("(?P<"))
        {
            var from = Peek(2) == 'P' ? _at + 4 : _at + 3;
            var end = _pattern.IndexOf(Peek(2) == '\'' ? '\'' : '>', from);
            if (end <= from) throw new FormatException("group name is empty");
            Capture(_pattern[from..end]);
            _at = end + 1;
            return;
        }
        Options();
    }

    private void Capture(string? name)
    {
        _names.Add(name);
        _to.Append(CultureInfo.InvariantCulture, $"(?<_{_names.Count}>");
    }

    private void Options()
    {
        var end = _at + 2;
        while (end < _pattern.Length && (char.IsAsciiLetter(_pattern[end]) || _pattern[end] == '-')) end++;
        var options = _pattern[(_at + 2)..end];
        if (end >= _pattern.Length || _pattern[end] is not (')' or ':') || options.AsSpan().ContainsAnyExcept("imsx-"))
            throw new FormatException("undefined group option");
        var minus = options.IndexOf('-', StringComparison.Ordinal);
        var x = options.IndexOf('x', StringComparison.Ordinal);
        if (x >= 0) _extended = minus < 0 || x < minus;
        _to.Append("(?").Append(options).Append(_pattern[end]);
        if (_pattern[end] == ')') _open.Pop();
        _at = end + 1;
    }

    private void Close()
    {
        if (!_open.TryPop(out var group)) throw new FormatException("unmatched close parenthesis");
        _extended = group.Extended;
        _to.Append(')');
        _atom = group.Start;
        _at++;
    }

    private void Escape()
    {
        var c = Peek(1);
        _at += 2;
        switch (c)
        {
            case '\0' when _at > _pattern.Length: throw new FormatException("end pattern at escape");
            case 'h': Atom("[0-9a-fA-F]"); return;
            case 'H': Atom(Negated("[^0-9a-fA-F]")); return;
            case 'R': Atom(@"(?:\r\n|[\n\v\f\r\u0085\u2028\u2029])"); return;
            case 'X': Atom($@"(?:(?:{Pair}|[\s\S])\p{{M}}*)"); return;
            case 'd' or 'w' or 's' or 'A' or 'Z' or 'z' or 'b' or 'B' or 'G' or 'n' or 't' or 'r' or 'f' or 'v' or 'a' or 'e':
                Atom($"\\{c}");
                return;
            case 'D' or 'W' or 'S': Atom(Negated($"\\{c}")); return;
            case 'p' or 'P': Atom(Property(c == 'P') is var property && property.StartsWith(@"\P", StringComparison.Ordinal) ? Negated(property) : property); return;
            case 'k': Atom(Reference()); return;
            case 'K' or 'g': throw new FormatException($"\\{c} is not supported");
            case 'Q':
                var end = _pattern.IndexOf("\\E", _at, StringComparison.Ordinal);
                Atom($"(?:{Regex.Escape(_pattern[_at..(end < 0 ? _pattern.Length : end)])})");
                _at = end < 0 ? _pattern.Length : end + 2;
                return;
            case 'x' or 'u': Atom(CodePoint(c)); return;
            case >= '1' and <= '9': Atom(NumberedReference(c)); return;
            case '0': Atom(Octal()); return;
            default: Atom(Quote(c)); return;
        }
    }

    private string Negated(string single) => _astral ? $"(?:{Pair}|{single})" : single;

    private static string Quote(char c) => char.IsAsciiLetter(c) || char.IsAsciiDigit(c) || c == '_' || !char.IsAscii(c) ? c.ToString() : $"\\{c}";

    private string Reference()
    {
        var close = Peek() == '<' ? '>' : Peek() == '\'' ? '\'' : throw new FormatException("invalid backref number/name");
        var end = _pattern.IndexOf(close, _at + 1);
        if (end < 0) throw new FormatException("invalid backref number/name");
        var name = _pattern[(_at + 1)..end];
        _at = end + 1;
        var number = int.TryParse(name, CultureInfo.InvariantCulture, out var n) ? n : _names.LastIndexOf(name) + 1;
        if (number < 1 || number > _names.Count) throw new FormatException($"undefined name <{name}> reference");
        return $"\\k<_{number}>";
    }

    private string NumberedReference(char first)
    {
        var number = first - '0';
        while (char.IsAsciiDigit(Peek()) && number * 10 + (Peek() - '0') <= _names.Count) number = number * 10 + (_pattern[_at++] - '0');
        return number <= _names.Count ? $"\\k<_{number}>" : throw new FormatException("invalid backref number/name");
    }

    private string Octal()
    {
        var value = 0;
        for (var i = 0; i < 2 && Peek() is >= '0' and <= '7'; i++) value = value * 8 + (_pattern[_at++] - '0');
        return $"\\x{value:X2}";
    }

    private string CodePoint(char kind)
    {
        int end, from;
        if (kind == 'x' && Peek() == '{')
        {
            from = _at + 1;
            end = _pattern.IndexOf('}', _at);
            if (end < 0) throw new FormatException("invalid code point value");
            _at = end + 1;
        }
        else
        {
            from = _at;
            var max = kind == 'u' ? 4 : 2;
            while (_at - from < max && char.IsAsciiHexDigit(Peek())) _at++;
            end = _at;
        }
        if (!int.TryParse(_pattern.AsSpan(from, end - from), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
            throw new FormatException("invalid code point value");
        var text = new Rune(code).ToString();
        return text.Length == 2 ? $"(?:{text})" : $"\\u{code:X4}";
    }

    private string Property(bool negated)
    {
        if (Peek() != '{')
        {
            var one = _pattern[_at++];
            return $"\\{(negated ? 'P' : 'p')}{{{one}}}";
        }
        var end = _pattern.IndexOf('}', _at);
        if (end < 0) throw new FormatException("invalid character property name");
        var name = _pattern[(_at + 1)..end];
        _at = end + 1;
        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }
        return CharacterClass.Property(name, negated);
    }

    private void Class()
    {
        var set = CharacterClass.Read(_pattern, ref _at);
        Atom(set.Write(_astral));
    }
}
