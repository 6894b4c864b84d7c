using System.Text;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>Mailboxes of RFC 5321 §4.1.2, with RFC 6531 when Unicode is allowed.</summary>
internal static class Emails
{
    private const int LocalOctetsMax = 64;

    /// <summary>What an atom may have beside letters and digits: RFC 5322 §3.2.3.</summary>
    private const string Atom = "!#$%&'*+-/=?^_`{|}~";

    public static bool IsEmail(string text, bool allowUnicode)
    {
        var at = text.LastIndexOf('@');
        if (at < 1) return false;
        var local = text.AsSpan(0, at);
        var domain = text[(at + 1)..];
        if (Encoding.UTF8.GetByteCount(local) > LocalOctetsMax) return false;
        if (!(local[0] == '"' ? IsQuoted(local, allowUnicode) : IsDotted(local, allowUnicode))) return false;
        if (domain.StartsWith('[')) return IsLiteral(domain);
        return allowUnicode ? Hostnames.IsInternationalHostname(domain) : Hostnames.IsHostname(domain);
    }

    private static bool IsDotted(ReadOnlySpan<char> local, bool allowUnicode)
    {
        foreach (var range in local.Split('.'))
        {
            if (local[range].IsEmpty) return false;
            foreach (var c in local[range])
                if (!(char.IsAsciiLetterOrDigit(c) || Atom.Contains(c, StringComparison.Ordinal) || allowUnicode && c >= 0x80)) return false;
        }
        return true;
    }

    private static bool IsQuoted(ReadOnlySpan<char> local, bool allowUnicode)
    {
        if (local.Length < 2 || local[^1] != '"') return false;
        var inner = local[1..^1];
        for (var i = 0; i < inner.Length; i++)
        {
            if (inner[i] == '"' || inner[i] == '\\' && ++i == inner.Length) return false;
            if (inner[i] is not (>= ' ' and <= '~') && !(allowUnicode && inner[i] >= 0x80)) return false;
        }
        return true;
    }

    private static bool IsLiteral(string domain)
    {
        if (!domain.EndsWith(']')) return false;
        var inner = domain.AsSpan(1, domain.Length - 2);
        return inner.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase) ? Addresses.IsIpv6(inner[5..]) : Addresses.IsIpv4(inner);
    }
}
