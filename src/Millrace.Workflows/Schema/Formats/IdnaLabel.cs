using System.Globalization;
using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>U-labels of IDNA 2008: which code points they may have (RFC 5892) and in which company (its appendix A).</summary>
internal static class IdnaLabel
{
    /// <param name="label">Not ASCII alone.</param>
    public static bool IsValid(string label)
    {
        var points = label.EnumerateRunes().Select(r => r.Value).ToArray();
        if (points[0] == '-' || points[^1] == '-' || points is [_, _, '-', '-', ..]) return false;
        if (IsMark(points[0])) return false;
        for (var i = 0; i < points.Length; i++)
            if (!IsAllowed(points, i)) return false;
        return !(points.Any(p => p is >= 0x660 and <= 0x669) && points.Any(p => p is >= 0x6F0 and <= 0x6F9));
    }

    private static bool IsAllowed(int[] points, int at) => points[at] switch
    {
        // MIDDLE DOT between two l.
        0xB7 => at > 0 && points[at - 1] == 'l' && at + 1 < points.Length && points[at + 1] == 'l',
        // GREEK KERAIA before Greek.
        0x375 => at + 1 < points.Length && UnicodeScript.Greek.Contains(points[at + 1]),
        // HEBREW GERESH and GERSHAYIM after Hebrew.
        0x5F3 or 0x5F4 => at > 0 && UnicodeScript.Hebrew.Contains(points[at - 1]),
        // KATAKANA MIDDLE DOT in a label with Japanese or Chinese.
        0x30FB => points.Any(IsJapaneseOrChinese),
        // ZERO WIDTH NON-JOINER and JOINER.
        0x200C => IsAfterVirama(points, at) || IsBetweenJoining(points, at),
        0x200D => IsAfterVirama(points, at),
        // The exceptions of RFC 5892 §2.6.
        0xDF or 0x3C2 or 0x6FD or 0x6FE or 0xF0B or 0x3007 => true,
        0x640 or 0x7FA or 0x302E or 0x302F or (>= 0x3031 and <= 0x3035) or 0x303B => false,
        var point => IsPermitted(point),
    };

    private static bool IsPermitted(int point)
    {
        if (point < 0x80) return point is '-' or (>= '0' and <= '9') or (>= 'a' and <= 'z');
        switch (CharUnicodeInfo.GetUnicodeCategory(point))
        {
            case UnicodeCategory.UppercaseLetter:
                if (System.Text.Rune.ToLowerInvariant(new System.Text.Rune(point)).Value != point) return false;
                break;
            case UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter:
            case UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark:
                break;
            default:
                return false;
        }
        return !IdnaTables.Unstable.Contains(point) && !IdnaTables.Ignorable.Contains(point);
    }

    private static bool IsMark(int point) => CharUnicodeInfo.GetUnicodeCategory(point)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static bool IsJapaneseOrChinese(int point) =>
        UnicodeScript.Hiragana.Contains(point) || UnicodeScript.Katakana.Contains(point) || UnicodeScript.Han.Contains(point);

    private static bool IsAfterVirama(int[] points, int at) => at > 0 && IdnaTables.Virama.Contains(points[at - 1]);

    /// <summary>Between letters that would join across it, marks left out.</summary>
    private static bool IsBetweenJoining(int[] points, int at)
    {
        var (before, after) = (at - 1, at + 1);
        while (before >= 0 && IsTransparent(points[before])) before--;
        while (after < points.Length && IsTransparent(points[after])) after++;
        return before >= 0 && after < points.Length
            && IdnaTables.JoinsBefore.Contains(points[before]) && IdnaTables.JoinsAfter.Contains(points[after]);
    }

    private static bool IsTransparent(int point) => CharUnicodeInfo.GetUnicodeCategory(point)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format;
}
