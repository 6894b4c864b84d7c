namespace Millrace.Workflows.Schema.Formats;

/// <summary>URIs of RFC 3986 and IRIs of RFC 3987, by their grammar.</summary>
internal static class UriText
{
    private const string SubDelims = "!$&'()*+,;=";

    /// <summary>With a scheme; a fragment is allowed.</summary>
    public static bool IsAbsolute(string text, bool allowUnicode) => Scheme(text) > 0 && IsReference(text, allowUnicode);

    public static bool IsReference(string text, bool allowUnicode)
    {
        var rest = text.AsSpan();
        var scheme = Scheme(rest);
        if (scheme > 0) rest = rest[(scheme + 1)..];
        var hash = rest.IndexOf('#');
        if (hash >= 0)
        {
            if (!IsRun(rest[(hash + 1)..], ":@/?", allowUnicode)) return false;
            rest = rest[..hash];
        }
        var mark = rest.IndexOf('?');
        if (mark >= 0)
        {
            if (!IsRun(rest[(mark + 1)..], ":@/?", allowUnicode, allowPrivate: true)) return false;
            rest = rest[..mark];
        }
        if (rest.StartsWith("//"))
        {
            rest = rest[2..];
            var end = rest.IndexOf('/');
            if (end < 0) end = rest.Length;
            return IsAuthority(rest[..end], allowUnicode) && IsRun(rest[end..], ":@/", allowUnicode);
        }
        // Without a scheme a colon in the first segment would make one.
        if (scheme < 0 && FirstSegment(rest).Contains(':')) return false;
        return IsRun(rest, ":@/", allowUnicode);
    }

    /// <returns>The place of the colon after a scheme; -1 when there is none.</returns>
    private static int Scheme(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == ':') return i > 0 ? i : -1;
            if (!(char.IsAsciiLetter(text[i]) || i > 0 && (char.IsAsciiDigit(text[i]) || text[i] is '+' or '-' or '.'))) return -1;
        }
        return -1;
    }

    private static ReadOnlySpan<char> FirstSegment(ReadOnlySpan<char> path)
    {
        var slash = path.IndexOf('/');
        return slash < 0 ? path : path[..slash];
    }

    private static bool IsAuthority(ReadOnlySpan<char> authority, bool allowUnicode)
    {
        var at = authority.IndexOf('@');
        if (at >= 0 && !IsRun(authority[..at], ":", allowUnicode)) return false;
        var host = authority[(at + 1)..];
        if (host.StartsWith("["))
        {
            var end = host.IndexOf(']');
            return end > 0 && IsLiteral(host[1..end]) && (end + 1 == host.Length || host[end + 1] == ':' && IsPort(host[(end + 2)..]));
        }
        var colon = host.IndexOf(':');
        return colon < 0 ? IsRun(host, "", allowUnicode) : IsRun(host[..colon], "", allowUnicode) && IsPort(host[(colon + 1)..]);
    }

    private static bool IsPort(ReadOnlySpan<char> port) => !port.ContainsAnyExceptInRange('0', '9');

    /// <summary>IPv6, or an address of a version to come: <c>v1.fe80</c>.</summary>
    private static bool IsLiteral(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] is not ('v' or 'V')) return Addresses.IsIpv6(text);
        var dot = text.IndexOf('.');
        return dot > 1 && dot + 1 < text.Length
            && Addresses.IsHex(text[1..dot])
            && !text[(dot + 1)..].Contains('%') && IsRun(text[(dot + 1)..], ":", allowUnicode: false);
    }

    /// <summary>Unreserved characters, escapes, sub-delimiters, and <paramref name="extra"/>.</summary>
    private static bool IsRun(ReadOnlySpan<char> text, string extra, bool allowUnicode, bool allowPrivate = false)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~') continue;
            if (c == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2])) return false;
                i += 2;
            }
            else if (c >= 0x80)
            {
                if (!allowUnicode || !IsUnicode(text, ref i, allowPrivate)) return false;
            }
            else if (!SubDelims.Contains(c, StringComparison.Ordinal) && !extra.Contains(c, StringComparison.Ordinal)) return false;
        }
        return true;
    }

    /// <summary><c>ucschar</c> of RFC 3987 §2.2, and <c>iprivate</c> where it is allowed.</summary>
    public static bool IsUnicode(ReadOnlySpan<char> text, ref int at, bool allowPrivate)
    {
        int codePoint = text[at];
        if (char.IsSurrogate(text[at]))
        {
            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return false;
            codePoint = char.ConvertToUtf32(text[at], text[++at]);
        }
        if (codePoint is >= 0xE000 and <= 0xF8FF or >= 0xF0000) return allowPrivate && (codePoint & 0xFFFE) != 0xFFFE;
        return codePoint is >= 0xA0 and <= 0xFDCF or >= 0xFDF0 and <= 0xFFEF
            || codePoint >= 0x10000 && (codePoint & 0xFFFE) != 0xFFFE && codePoint is not (>= 0xE0000 and < 0xE1000);
    }
}
