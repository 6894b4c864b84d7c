using System.Globalization;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>
/// Host names of RFC 1123 §2.1, whose labels may be A-labels, and internationalized ones of RFC 5890. Whether a U-label
/// is normalised (NFC) is not checked: the process runs without the data for it.
/// </summary>
internal static class Hostnames
{
    private const int NameMax = 253, LabelMax = 63;
    private const string AcePrefix = "xn--";

    private static readonly char[] Dots = ['.', '\u3002', '\uFF0E', '\uFF61'];

    public static bool IsHostname(string text)
    {
        if (text.Length > NameMax) return false;
        var labels = new List<string>();
        foreach (var label in text.Split('.'))
        {
            if (!IsAsciiLabel(label)) return false;
            if (Decode(label) is not { } unicode) return false;
            labels.Add(unicode);
        }
        return Bidi.IsSound(labels);
    }

    public static bool IsInternationalHostname(string text)
    {
        var length = -1;
        var labels = new List<string>();
        foreach (var label in text.Split(Dots))
        {
            if (label.Length > NameMax) return false;
            string? ascii = label, unicode;
            if (System.Text.Ascii.IsValid(label)) unicode = IsAsciiLabel(label) ? Decode(label) : null;
            else
            {
                unicode = IdnaLabel.IsValid(label) ? label : null;
                ascii = Punycode.Encode(label) is { } encoded ? AcePrefix + encoded : null;
            }
            if (unicode is null || ascii is null || ascii.Length > LabelMax) return false;
            labels.Add(unicode);
            length += ascii.Length + 1;
        }
        return length <= NameMax && Bidi.IsSound(labels);
    }

    private static bool IsAsciiLabel(string label) =>
        label.Length is > 0 and <= LabelMax && label[0] != '-' && label[^1] != '-'
        && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    /// <returns>The U-label of an A-label, any other label as it is; null for an A-label that stands for none.</returns>
    private static string? Decode(string label)
    {
        if (!label.StartsWith(AcePrefix, StringComparison.OrdinalIgnoreCase)) return label;
        var encoded = label[AcePrefix.Length..];
        if (Punycode.Decode(encoded) is not { } unicode || System.Text.Ascii.IsValid(unicode)) return null;
        // One label has one encoding; another way to write it is no A-label.
        var isCanonical = string.Equals(Punycode.Encode(unicode), encoded, StringComparison.OrdinalIgnoreCase);
        return isCanonical && IdnaLabel.IsValid(unicode) ? unicode : null;
    }
}

/// <summary>The rule for names with labels written from right to left: RFC 5893 §2.</summary>
internal static class Bidi
{
    private enum Direction { Left, Right, EuropeanNumber, ArabicNumber, Mark, Other }

    public static bool IsSound(List<string> labels) =>
        !labels.Any(l => l.EnumerateRunes().Any(r => Of(r.Value) is Direction.Right or Direction.ArabicNumber)) || labels.TrueForAll(IsSound);

    private static bool IsSound(string label)
    {
        var directions = label.EnumerateRunes().Select(r => Of(r.Value)).ToList();
        var last = directions.FindLast(d => d != Direction.Mark);
        if (directions[0] == Direction.Left)
            return last is Direction.Left or Direction.EuropeanNumber && !directions.Any(d => d is Direction.Right or Direction.ArabicNumber);
        return directions[0] == Direction.Right
            && last is Direction.Right or Direction.EuropeanNumber or Direction.ArabicNumber
            && !directions.Contains(Direction.Left)
            && !(directions.Contains(Direction.EuropeanNumber) && directions.Contains(Direction.ArabicNumber));
    }

    private static Direction Of(int codePoint)
    {
        if (codePoint is >= '0' and <= '9' or >= 0x6F0 and <= 0x6F9) return Direction.EuropeanNumber;
        if (codePoint is '-' or 0x200C or 0x200D) return Direction.Other;
        if (IdnaTables.ArabicNumber.Contains(codePoint)) return Direction.ArabicNumber;
        if (CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark) return Direction.Mark;
        return IdnaTables.RightToLeft.Contains(codePoint) ? Direction.Right : Direction.Left;
    }
}
