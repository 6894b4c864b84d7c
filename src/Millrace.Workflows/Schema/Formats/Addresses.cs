using System.Globalization;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>IPv4 of RFC 2673 §3.2 (dotted quad, no leading zeros) and IPv6 of RFC 4291 §2.2.</summary>
internal static class Addresses
{
    public static bool IsIpv4(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (++count > 4 || part.Length is 0 or > 3 || part.Length > 1 && part[0] == '0') return false;
            if (!byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _)) return false;
        }
        return count == 4;
    }

    public static bool IsIpv6(ReadOnlySpan<char> text)
    {
        var gap = text.IndexOf("::");
        if (gap < 0) return Groups(text, mayEndInIpv4: true) == 8;
        var before = text[..gap];
        var after = text[(gap + 2)..];
        var left = before.IsEmpty ? 0 : Groups(before, mayEndInIpv4: false);
        var right = after.IsEmpty ? 0 : Groups(after, mayEndInIpv4: true);
        return left >= 0 && right >= 0 && left + right <= 7;
    }

    /// <returns>How many groups of 16 bits there are; -1 when one is none.</returns>
    private static int Groups(ReadOnlySpan<char> text, bool mayEndInIpv4)
    {
        var count = 0;
        foreach (var range in text.Split(':'))
        {
            var part = text[range];
            if (mayEndInIpv4 && range.End.Value == text.Length && part.Contains('.')) return IsIpv4(part) ? count + 2 : -1;
            if (part.Length is 0 or > 4 || !IsHex(part)) return -1;
            count++;
        }
        return count;
    }

    public static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (!char.IsAsciiHexDigit(c)) return false;
        return true;
    }
}
