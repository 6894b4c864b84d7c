using System.Text;
using Millrace.Jq.Text;

namespace Millrace.Jq.Syntax;

/// <summary>Reads tokens of jq's grammar (jq 1.8, src/lexer.l). Strings are read by <see cref="ReadText"/>, piece by piece.</summary>
internal sealed class Lexer(string source)
{
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "as", "def", "module", "import", "include", "if", "then", "else", "elif", "end", "reduce", "foreach",
        "and", "or", "try", "catch", "label", "break", "__loc__",
    };

    private static readonly string[] Symbols =
    [
        "?//=", "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..",
        ".", "?", "=", ";", ",", ":", "|", "+", "-", "*", "/", "%", "$", "<", ">", "(", ")", "[", "]", "{", "}",
    ];

    private int _at;

    public int Position => _at;

    public static bool IsKeyword(string text) => Keywords.Contains(text);

    public Token Next()
    {
        SkipBlank();
        var start = _at;
        if (_at >= source.Length) return new(TokenKind.End, "", default, new(start, start));
        var c = source[_at];
        if (c == '"')
        {
            _at++;
            return new(TokenKind.Quote, "\"", default, new(start, _at));
        }
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1)))) return Number();
        if (IsNameStart(c)) return Name();
        if (c == '.' && IsNameStart(Peek(1)))
        {
            _at++;
            return new(TokenKind.Field, Word(), default, new(start, _at));
        }
        if (c == '@' && (IsNameStart(Peek(1)) || char.IsAsciiDigit(Peek(1))))
        {
            _at++;
            return new(TokenKind.Format, Word(), default, new(start, _at));
        }
        if (c == '$' && IsNameStart(Peek(1)))
        {
            _at++;
            return new(TokenKind.Binding, QualifiedWord(), default, new(start, _at));
        }
        return Symbol();
    }

    /// <summary>Reads a string's text up to the closing quote or an interpolation's opening, after which tokens are read again.</summary>
    public string ReadText(out bool interpolates)
    {
        var text = new StringBuilder();
        interpolates = false;
        while (true)
        {
            if (_at >= source.Length)
                throw new SyntaxError("unfinished string, expecting QQSTRING_TEXT or QQSTRING_INTERP_START or QQSTRING_END", new(_at, _at));
            var c = source[_at];
            if (c == '"')
            {
                _at++;
                return Surrogates.Repair(text.ToString());
            }
            if (c != '\\')
            {
                text.Append(c);
                _at++;
                continue;
            }
            if (Peek(1) == '(')
            {
                _at += 2;
                interpolates = true;
                return Surrogates.Repair(text.ToString());
            }
            Escape(text);
        }
    }

    private void Escape(StringBuilder text)
    {
        var simple = Peek(1) switch
        {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => '\0',
        };
        if (simple != '\0')
        {
            text.Append(simple);
            _at += 2;
            return;
        }
        // The message and the columns are those of the JSON reader on the run of escapes between quotes.
        if (Peek(1) != 'u')
        {
            var end = Math.Min(_at + 2, source.Length);
            throw new SyntaxError($"Invalid escape at line 1, column 4 (while parsing '\"{source[_at..end]}\"')", new(_at, end));
        }
        if (_at + 6 > source.Length || !int.TryParse(source.AsSpan(_at + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var unit))
            throw new SyntaxError("Invalid escape", new(_at, Math.Min(_at + 6, source.Length)));
        text.Append((char)unit);
        _at += 6;
    }

    private Token Number()
    {
        var start = _at;
        while (char.IsAsciiDigit(Peek(0))) _at++;
        if (Peek(0) == '.' && Peek(1) != '.')
        {
            _at++;
            while (char.IsAsciiDigit(Peek(0))) _at++;
        }
        if (Peek(0) is 'e' or 'E')
        {
            var sign = Peek(1) is '+' or '-' ? 2 : 1;
            if (char.IsAsciiDigit(Peek(sign)))
            {
                _at += sign;
                while (char.IsAsciiDigit(Peek(0))) _at++;
            }
        }
        var text = source[start.._at];
        var span = new Span(start, _at);
        return NumberText.TryParse(text, out var value)
            ? new(TokenKind.Number, text, value, span)
            : throw new SyntaxError("Invalid numeric literal", span);
    }

    private Token Name()
    {
        var start = _at;
        var word = QualifiedWord();
        return new(Keywords.Contains(word) ? TokenKind.Keyword : TokenKind.Identifier, word, default, new(start, _at));
    }

    private Token Symbol()
    {
        var start = _at;
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(source, _at, symbol, 0, symbol.Length) != 0) continue;
            _at += symbol.Length;
            return new(TokenKind.Symbol, symbol, default, new(start, _at));
        }
        _at++;
        return new(TokenKind.Invalid, source[start.._at], default, new(start, _at));
    }

    private string QualifiedWord()
    {
        var start = _at;
        Word();
        while (Peek(0) == ':' && Peek(1) == ':' && IsNameStart(Peek(2)))
        {
            _at += 2;
            Word();
        }
        return source[start.._at];
    }

    private string Word()
    {
        var start = _at;
        while (IsNameStart(Peek(0)) || char.IsAsciiDigit(Peek(0))) _at++;
        return source[start.._at];
    }

    private void SkipBlank()
    {
        while (_at < source.Length)
        {
            var c = source[_at];
            if (c is ' ' or '\t' or '\r' or '\n') _at++;
            else if (c == '#') SkipComment();
            else return;
        }
    }

    /// <summary>A comment ends at a line's end, unless an odd number of backslashes stands before it (jq 1.7.1).</summary>
    private void SkipComment()
    {
        while (_at < source.Length && source[_at] != '\n')
        {
            if (source[_at] == '\\' && Peek(1) is '\\' or '\n') _at++;
            else if (source[_at] == '\\' && Peek(1) == '\r' && Peek(2) == '\n') _at += 2;
            _at++;
        }
    }

    private char Peek(int ahead) => _at + ahead < source.Length ? source[_at + ahead] : '\0';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';
}

/// <summary>An error in a filter's text, before it is given line and column.</summary>
internal sealed class SyntaxError(string message, Span at) : Exception(message)
{
    public Span At { get; } = at;
}
