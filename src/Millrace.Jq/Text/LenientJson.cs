using System.Text;

namespace Millrace.Jq.Text;

/// <summary>JSON as <c>fromjson</c> reads it, and what it says of text that is none (jq 1.8, src/jv_parse.c).</summary>
internal static class LenientJson
{
    public const int DepthMax = 10_000;

    /// <summary>Null with an error when the text is not exactly one value.</summary>
    public static Json? Parse(string text, out string error)
    {
        error = "";
        var bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            using var reader = new JsonReader(bytes, lenient: true, DepthMax);
            if (reader.TryRead(out var value))
            {
                reader.ExpectEnd();
                return value;
            }
        }
        catch (JsonTextException)
        {
        }
        error = $"{new Diagnosis().Of(bytes)} (while parsing '{text}')";
        return null;
    }

    /// <summary>Follows jq's reader byte by byte, building no values, to say what it stumbles over and where.</summary>
    private sealed class Diagnosis
    {
        /// <summary>'[' and '{', and 'k' for a key that waits for its value.</summary>
        private readonly Stack<(char Kind, int Count)> _open = new();
        private readonly StringBuilder _token = new();
        private int _line = 1;
        private int _column;
        private bool _hasNext;
        private bool _nextIsString;
        private int _values;

        public string Of(ReadOnlySpan<byte> text)
        {
            var quoted = false;
            var escaped = false;
            foreach (var unit in text)
            {
                _column++;
                if (unit == '\n')
                {
                    _line++;
                    _column = 0;
                }
                var c = (char)unit;
                if (quoted)
                {
                    if (escaped) escaped = false;
                    else if (c == '\\') escaped = true;
                    if (c == '"' && !escaped && !EndsEscaped())
                    {
                        quoted = false;
                        if (Found(isString: true) is { } wrong) return At(wrong);
                        _token.Clear();
                        continue;
                    }
                    _token.Append(c);
                    continue;
                }
                if (Scan(c, ref quoted) is { } message) return At(message);
            }
            if (quoted) return AtEnd("Unfinished string");
            if (CheckLiteral() is { } last) return AtEnd(last);
            if (_open.Count > 0) return AtEnd("Unfinished JSON term");
            if (_values + (_hasNext ? 1 : 0) == 0) return "Expected JSON value";
            return _values + (_hasNext ? 1 : 0) > 1 ? "Unexpected extra JSON values" : "Invalid JSON text";
        }

        private bool EndsEscaped()
        {
            var count = 0;
            for (var i = _token.Length - 1; i >= 0 && _token[i] == '\\'; i--) count++;
            return count % 2 == 1;
        }

        private string? Scan(char c, ref bool quoted)
        {
            var structural = c is '[' or ']' or '{' or '}' or ',' or ':';
            var blank = c is ' ' or '\t' or '\r' or '\n';
            if (!structural && !blank && c != '"')
            {
                _token.Append(c);
                return null;
            }
            if (CheckLiteral() is { } wrong) return wrong;
            if (structural && Structure(c) is { } message) return message;
            quoted = c == '"';
            if (_open.Count == 0 && _hasNext && !quoted)
            {
                _values++;
                _hasNext = false;
            }
            return null;
        }

        private string? Structure(char c)
        {
            var top = _open.Count > 0 ? _open.Peek() : default;
            switch (c)
            {
                case '[' or '{':
                    if (_open.Count >= DepthMax) return "Exceeds depth limit for parsing";
                    if (_hasNext) return "Expected separator between values";
                    _open.Push((c, 0));
                    return null;
                case ':':
                    if (top.Kind != '{') return _open.Count == 0 ? "':' not as part of an object" : "':' should follow a key";
                    if (!_hasNext) return "Expected string key before ':'";
                    if (!_nextIsString) return "Object keys must be strings";
                    _open.Push(('k', 0));
                    _hasNext = false;
                    return null;
                case ',':
                    if (!_hasNext) return "Expected value before ','";
                    if (_open.Count == 0) return "',' not as part of an object or array";
                    return Add(top.Kind) ? null : "Objects must consist of key:value pairs";
                default:
                    return End(c, top);
            }
        }

        private string? End(char c, (char Kind, int Count) top)
        {
            if (_open.Count == 0 || (c == ']' ? top.Kind != '[' : top.Kind == '[')) return c == ']' ? "Unmatched ']'" : "Unmatched '}'";
            if (_hasNext)
            {
                if (!Add(top.Kind)) return "Objects must consist of key:value pairs";
            }
            else if (top.Kind == 'k')
            {
                return "Unmatched '}'";
            }
            else if (top.Count > 0)
            {
                return c == ']' ? "Expected another array element" : "Expected another key-value pair";
            }
            _open.Pop();
            _hasNext = true;
            _nextIsString = false;
            return null;
        }

        private bool Add(char kind)
        {
            if (kind == '{') return false;
            if (kind == 'k') _open.Pop();
            var (container, count) = _open.Pop();
            _open.Push((container, count + 1));
            _hasNext = false;
            return true;
        }

        private string? Found(bool isString)
        {
            if (isString && InvalidEscape()) return "Invalid escape";
            if (_hasNext) return "Expected separator between values";
            _hasNext = true;
            _nextIsString = isString;
            return null;
        }

        private bool InvalidEscape()
        {
            for (var i = 0; i < _token.Length; i++)
            {
                if (_token[i] != '\\') continue;
                if (++i == _token.Length) return true;
                if (_token[i] == 'u')
                {
                    for (var j = 1; j <= 4; j++)
                        if (i + j >= _token.Length || !char.IsAsciiHexDigit(_token[i + j])) return true;
                }
                else if (!"\"\\/bfnrt".Contains(_token[i], StringComparison.Ordinal))
                {
                    return true;
                }
            }
            return false;
        }

        private string? CheckLiteral()
        {
            if (_token.Length == 0) return null;
            var text = _token.ToString();
            _token.Clear();
            if (text[0] == '\'') return "Invalid string literal; expected \", but got '";
            var word = text[0] switch { 't' => "true", 'f' => "false", 'n' when text != "nan" => "null", _ => null };
            if (word is not null && text != word) return "Invalid literal";
            if (word is null && !NumberText.TryParse(text, out _)) return "Invalid numeric literal";
            return Found(isString: false);
        }

        private string At(string message) => $"{message} at line {_line}, column {_column}";

        private string AtEnd(string message) => $"{message} at EOF at line {_line}, column {_column}";
    }
}
