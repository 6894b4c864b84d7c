namespace Millrace.Jq.Text;

/// <summary>Strings of jq are sequences of code points; a UTF-16 half without its other half becomes U+FFFD.</summary>
internal static class Surrogates
{
    public static string Repair(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else return Replace(text);
        }
        return text;
    }

    private static string Replace(string text)
    {
        var units = text.ToCharArray();
        for (var i = 0; i < units.Length; i++)
        {
            if (!char.IsSurrogate(units[i])) continue;
            if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1])) i++;
            else units[i] = '\uFFFD';
        }
        return new string(units);
    }

    /// <summary>How many code points the text has.</summary>
    public static int Count(string text)
    {
        if (System.Text.Ascii.IsValid(text)) return text.Length;
        var count = text.Length;
        for (var i = 1; i < text.Length; i++)
            if (char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1])) count--;
        return count;
    }

    /// <summary>The UTF-16 offset of a code point; the text's length when it has fewer.</summary>
    public static int Offset(string text, int codePoint, int start = 0)
    {
        var at = start;
        for (; codePoint > 0 && at < text.Length; codePoint--)
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
        return at;
    }

    public static bool Any(string text)
    {
        foreach (var c in text)
            if (char.IsSurrogate(c)) return true;
        return false;
    }
}
