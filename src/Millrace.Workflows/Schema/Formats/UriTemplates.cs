namespace Millrace.Workflows.Schema.Formats;

/// <summary>URI templates of RFC 6570, all four levels and the operators it reserves.</summary>
internal static class UriTemplates
{
    public static bool IsTemplate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '{')
            {
                var end = text.IndexOf('}', i);
                if (end < 0 || !IsExpression(text.AsSpan(i + 1, end - i - 1))) return false;
                i = end;
            }
            else if (c == '%')
            {
                if (!IsEscape(text.AsSpan(i))) return false;
                i += 2;
            }
            else if (c >= 0x80)
            {
                if (!UriText.IsUnicode(text, ref i, allowPrivate: true)) return false;
            }
            else if (c is <= ' ' or '"' or '<' or '>' or '\\' or '^' or '`' or '|' or '}' or '\x7F') return false;
        }
        return true;
    }

    private static bool IsExpression(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty && "+#./;?&=,!@|".Contains(text[0], StringComparison.Ordinal)) text = text[1..];
        foreach (var range in text.Split(','))
            if (!IsVariable(text[range])) return false;
        return true;
    }

    private static bool IsVariable(ReadOnlySpan<char> text)
    {
        if (text.EndsWith("*")) text = text[..^1];
        var colon = text.IndexOf(':');
        if (colon >= 0)
        {
            var length = text[(colon + 1)..];
            if (length.Length is 0 or > 4 || length[0] == '0' || length.ContainsAnyExceptInRange('0', '9')) return false;
            text = text[..colon];
        }
        if (text.IsEmpty || text[0] == '.' || text[^1] == '.') return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (!IsEscape(text[i..])) return false;
                i += 2;
            }
            else if (text[i] == '.' ? text[i - 1] == '.' : !(char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_')) return false;
        }
        return true;
    }

    private static bool IsEscape(ReadOnlySpan<char> text) =>
        text.Length > 2 && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2]);
}
