using System.Globalization;

namespace Millrace.Jq.Builtins;

/// <summary>C's <c>strptime</c> in the C locale; the time zone is read and ignored, as jq does.</summary>
internal ref struct DateParser
{
    private readonly ReadOnlySpan<char> _text;
    private readonly double[] _fields = [1900, 0, 0, 0, 0, 0, 0, 0];
    private int _at;
    private bool _afternoon;
    private bool _hour12;
    private double? _seconds;
    private int? _century;
    private int? _ofYear;

    private DateParser(string text)
    {
        _text = text;
        _at = 0;
    }

    /// <summary>Null when the text does not match.</summary>
    public static double[]? Parse(string text, string pattern)
    {
        var parser = new DateParser(text);
        if (!parser.Match(pattern) || parser._at != text.Length) return null;
        parser.Finish();
        return parser._fields;
    }

    private bool Match(string pattern)
    {
        for (var i = 0; i < pattern.Length; i++)
        {
            if (char.IsWhiteSpace(pattern[i]))
            {
                SkipBlank();
                continue;
            }
            if (pattern[i] != '%' || i + 1 == pattern.Length)
            {
                if (_at >= _text.Length || _text[_at++] != pattern[i]) return false;
                continue;
            }
            i++;
            while (pattern[i] is '-' or '_' or '0' or 'E' or 'O' && i + 1 < pattern.Length) i++;
            if (!Part(pattern[i])) return false;
        }
        return true;
    }

    private bool Part(char code)
    {
        switch (code)
        {
            case 'a' or 'A': return Name(DateFormat.Days, 6);
            case 'b' or 'B' or 'h': return Name(DateFormat.Months, 1);
            case 'd' or 'e': return Field(2, 1, 31);
            case 'H' or 'k': return Field(3, 0, 23);
            case 'I' or 'l':
                _hour12 = true;
                return Field(3, 1, 12);
            case 'm':
                if (!Number(2, 1, 12, out var month)) return false;
                _fields[1] = month - 1;
                return true;
            case 'M': return Field(4, 0, 59);
            case 'S': return Field(5, 0, 61);
            case 'j':
                if (!Number(3, 1, 366, out var day)) return false;
                _ofYear = day - 1;
                return true;
            case 'y':
                if (!Number(2, 0, 99, out var two)) return false;
                _fields[0] = two + (two < 69 ? 2000 : 1900);
                return true;
            case 'C':
                if (!Number(2, 0, 99, out var century)) return false;
                _century = century;
                return true;
            case 'Y': return Signed(0);
            case 'u':
                if (!Number(1, 1, 7, out var u)) return false;
                _fields[6] = u % 7;
                return true;
            case 'w': return Field(6, 0, 6, 1);
            case 'p' or 'P': return Half();
            case 's': return Epoch();
            case 'z': return Offset();
            case 'Z': return Zone();
            case 'n' or 't':
                SkipBlank();
                return true;
            case '%': return _at < _text.Length && _text[_at++] == '%';
            case 'T': return Match("%H:%M:%S");
            case 'R': return Match("%H:%M");
            case 'r': return Match("%I:%M:%S %p");
            case 'D' or 'x': return Match("%m/%d/%y");
            case 'F': return Match("%Y-%m-%d");
            case 'X': return Match("%H:%M:%S");
            case 'c': return Match("%a %b %e %H:%M:%S %Y");
            case 'U' or 'W' or 'V': return Number(2, 0, 53, out _);
            case 'G': return Number(4, 0, 9999, out _);
            case 'g': return Number(2, 0, 99, out _);
            default: return false;
        }
    }

    private bool Field(int field, int min, int max, int width = 2)
    {
        if (!Number(width, min, max, out var value)) return false;
        _fields[field] = value;
        return true;
    }

    private bool Number(int width, int min, int max, out int value)
    {
        value = 0;
        SkipBlank();
        var start = _at;
        while (_at < _text.Length && _at - start < width && char.IsAsciiDigit(_text[_at])) value = value * 10 + (_text[_at++] - '0');
        return _at > start && value >= min && value <= max;
    }

    private bool Signed(int field)
    {
        SkipBlank();
        var sign = 1;
        if (_at < _text.Length && _text[_at] is '+' or '-') sign = _text[_at++] == '-' ? -1 : 1;
        if (!Number(4, 0, 9999, out var value)) return false;
        _fields[field] = sign * value;
        return true;
    }

    private bool Name(string[] names, int field)
    {
        for (var i = 0; i < names.Length; i++)
        {
            foreach (var length in (ReadOnlySpan<int>)[names[i].Length, 3])
            {
                if (!_text[_at..].StartsWith(names[i].AsSpan(0, length), StringComparison.OrdinalIgnoreCase)) continue;
                _at += length;
                _fields[field] = i;
                return true;
            }
        }
        return false;
    }

    private bool Half()
    {
        if (_text[_at..].StartsWith("AM", StringComparison.OrdinalIgnoreCase)) _afternoon = false;
        else if (_text[_at..].StartsWith("PM", StringComparison.OrdinalIgnoreCase)) _afternoon = true;
        else return false;
        _at += 2;
        return true;
    }

    private bool Epoch()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _at == start && _text[_at] == '-')) _at++;
        if (_at - start > 15 || !double.TryParse(_text[start.._at], CultureInfo.InvariantCulture, out var seconds)) return false;
        _seconds = seconds;
        return true;
    }

    private bool Offset()
    {
        SkipBlank();
        if (_at < _text.Length && _text[_at] == 'Z')
        {
            _at++;
            return true;
        }
        if (_at >= _text.Length || _text[_at] is not ('+' or '-')) return false;
        _at++;
        if (!Number(2, 0, 23, out _)) return false;
        if (_at < _text.Length && _text[_at] == ':') _at++;
        return _at >= _text.Length || !char.IsAsciiDigit(_text[_at]) || Number(2, 0, 59, out _);
    }

    private bool Zone()
    {
        while (_at < _text.Length && char.IsAsciiLetter(_text[_at])) _at++;
        return true;
    }

    private void SkipBlank()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++;
    }

    private void Finish()
    {
        if (_seconds is { } seconds)
        {
            var broken = Dates.UtcTime(null!, seconds).AsArray();
            for (var i = 0; i < _fields.Length; i++) _fields[i] = broken[i].AsNumber();
            return;
        }
        if (_century is { } century) _fields[0] = century * 100 + _fields[0] % 100;
        if (_hour12) _fields[3] = _fields[3] % 12 + (_afternoon ? 12 : 0);
        if (_ofYear is { } day && _fields[2] == 0)
        {
            var broken = Dates.UtcTime(null!, Dates.Seconds([_fields[0], 0, day + 1, 0, 0, 0, 0, 0])).AsArray();
            for (var i = 0; i < 3; i++) _fields[i] = broken[i].AsNumber();
        }
        if (_fields[2] != 0) Dates.Complete(_fields);
    }
}
