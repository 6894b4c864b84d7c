using System.Globalization;
using System.Text;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>Reads the grammar of ECMA-262 §22.2.1 and writes the same expression for .NET.</summary>
internal sealed class EcmaTranslation
{
    private const int GroupNestingMax = 100;

    private const string WordBefore = "(?<=[A-Za-z0-9_])", NoWordBefore = "(?<![A-Za-z0-9_])";
    private const string WordAfter = "(?=[A-Za-z0-9_])", NoWordAfter = "(?![A-Za-z0-9_])";

    private static readonly CodePointSet Dot = CodePointSet.Parse("A D 2028-2029").Complement();

    private readonly EcmaReader _reader;
    private readonly EcmaGroups _groups;
    private readonly StringBuilder _to = new();
    private int _nesting;
    private int _group;

    private EcmaTranslation(string source)
    {
        _reader = new EcmaReader(source);
        _groups = EcmaGroups.Scan(source);
    }

    /// <exception cref="EcmaPatternException"/>
    public static string ToDotNet(string source)
    {
        if (source.Length > SchemaLimits.PatternCharactersMax)
            throw new EcmaPatternException($"it has more than {SchemaLimits.PatternCharactersMax} characters");
        var translation = new EcmaTranslation(source);
        translation.Disjunction();
        if (!translation._reader.AtEnd) throw translation._reader.Wrong("unexpected ')'");
        return translation._to.ToString();
    }

    private void Disjunction()
    {
        while (!_reader.AtEnd && _reader.Peek != ')')
        {
            if (_reader.Take('|')) _to.Append('|');
            else Term();
            if (_to.Length > SchemaLimits.PatternExpandedMax)
                throw new EcmaPatternException("it becomes too large once its character classes are written out", isUnsupported: true);
        }
    }

    private void Term()
    {
        var isAtom = true;
        switch (_reader.Peek)
        {
            case '^':
                _reader.Skip();
                _to.Append("\\A");
                isAtom = false;
                break;
            case '$':
                _reader.Skip();
                _to.Append("\\z");
                isAtom = false;
                break;
            case '(':
                isAtom = Group();
                break;
            case '[':
                _to.Append(EcmaClass.Read(_reader).ToPattern());
                break;
            case '.':
                _reader.Skip();
                _to.Append(Dot.ToPattern());
                break;
            case '\\':
                isAtom = Escape();
                break;
            case '*' or '+' or '?' or '{':
                throw _reader.Wrong($"'{_reader.Peek}' repeats nothing; write \\{_reader.Peek} for the character");
            case '}' or ']':
                throw _reader.Wrong($"unexpected '{_reader.Peek}'; write \\{_reader.Peek} for the character");
            default:
                Literal(_reader.CodePoint());
                break;
        }
        Quantifier(isAtom);
    }

    private void Quantifier(bool isAtom)
    {
        if (_reader.AtEnd || _reader.Peek is not ('*' or '+' or '?' or '{')) return;
        if (!isAtom) throw _reader.Wrong("an assertion cannot be repeated");
        if (_reader.Peek != '{') _to.Append(_reader.Next());
        else
        {
            _reader.Skip();
            var least = _reader.Digits() ?? throw _reader.Wrong("expected a number after '{'; write \\{ for the character");
            var most = least;
            var isOpen = false;
            if (_reader.Take(','))
            {
                isOpen = _reader.Peek == '}';
                if (!isOpen) most = _reader.Digits() ?? throw _reader.Wrong("expected a number or '}'");
            }
            _reader.Expect('}');
            if (!isOpen && most < least) throw _reader.Wrong("the numbers of a repetition are out of order");
            _to.Append(CultureInfo.InvariantCulture, $"{{{least},").Append(isOpen ? "" : most.ToString(CultureInfo.InvariantCulture)).Append('}');
        }
        if (_reader.Take('?')) _to.Append('?');
    }

    /// <returns>Whether it may be repeated.</returns>
    private bool Group()
    {
        if (++_nesting > GroupNestingMax) throw _reader.Wrong($"groups nest deeper than {GroupNestingMax}");
        _reader.Skip();
        var opening = Opening();
        _to.Append(opening);
        Disjunction();
        _reader.Expect(')');
        _to.Append(')');
        _nesting--;
        return opening[1] != '?' || opening[2] is ':' || opening.StartsWith("(?<g", StringComparison.Ordinal);
    }

    private string Opening()
    {
        if (!_reader.Take('?')) return $"(?<g{++_group}>";
        if (_reader.Take(':')) return "(?:";
        if (_reader.Take('=')) return "(?=";
        if (_reader.Take('!')) return "(?!";
        if (_reader.Take('<'))
        {
            if (_reader.Take('=')) return "(?<=";
            if (_reader.Take('!')) return "(?<!";
            _reader.GroupName();
            return $"(?<g{++_group}>";
        }
        throw _reader.Wrong("unknown kind of group; ECMA-262 has (?:…), (?=…), (?!…), (?<=…), (?<!…) and (?<name>…)");
    }

    /// <returns>Whether it may be repeated.</returns>
    private bool Escape()
    {
        _reader.Skip();
        switch (_reader.Peek)
        {
            case 'b':
                _reader.Skip();
                _to.Append($"(?:{WordBefore}{NoWordAfter}|{NoWordBefore}{WordAfter})");
                return false;
            case 'B':
                _reader.Skip();
                _to.Append($"(?:{WordBefore}{WordAfter}|{NoWordBefore}{NoWordAfter})");
                return false;
            case 'k':
                _reader.Skip();
                _reader.Expect('<');
                Reference(_groups.Find(_reader.GroupName()) ?? throw _reader.Wrong("no group has that name"));
                return true;
            case >= '1' and <= '9':
                var number = _reader.Digits()!.Value;
                if (number > _groups.Count) throw _reader.Wrong($"there is no group {number}");
                Reference(number);
                return true;
        }
        if (EcmaClass.ReadSetEscape(_reader) is { } set) _to.Append(set.ToPattern());
        else Literal(EcmaClass.ReadCharacterEscape(_reader));
        return true;
    }

    /// <summary>A group that took no part matches the empty string; in .NET it would match nothing.</summary>
    private void Reference(int group) => _to.Append(CultureInfo.InvariantCulture, $"(?:(?(g{group})\\k<g{group}>|))");

    private void Literal(int codePoint)
    {
        if (codePoint is >= 0xD800 and <= 0xDFFF) _to.Append(CultureInfo.InvariantCulture, $"\\u{codePoint:X4}");
        else if (codePoint > 0xFFFF) _to.Append(CodePointSet.Of([(codePoint, codePoint)]).ToPattern());
        else if (codePoint < 0x80 && char.IsAsciiLetterOrDigit((char)codePoint)) _to.Append((char)codePoint);
        else _to.Append(CultureInfo.InvariantCulture, $"\\u{codePoint:X4}");
    }
}
