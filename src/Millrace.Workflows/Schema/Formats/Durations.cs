namespace Millrace.Workflows.Schema.Formats;

/// <summary>Durations of RFC 3339 appendix A: whole numbers, no gaps between units, weeks alone.</summary>
internal static class Durations
{
    public static bool IsDuration(string text)
    {
        if (!text.StartsWith('P')) return false;
        var rest = text.AsSpan(1);
        var split = rest.IndexOf('T');
        var date = split < 0 ? rest : rest[..split];
        if (split >= 0 && (split + 1 == rest.Length || !IsRun(rest[(split + 1)..], "HMS"))) return false;
        return date.IsEmpty ? split >= 0 : IsRun(date, "YMD") || split < 0 && IsRun(date, "W");
    }

    /// <summary>Numbers with units that follow one another in <paramref name="units"/> without leaving one out between.</summary>
    private static bool IsRun(ReadOnlySpan<char> text, string units)
    {
        var next = -1;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0) return false;
            var unit = units.IndexOf(text[digits], StringComparison.Ordinal);
            if (unit < 0 || next >= 0 && unit != next) return false;
            next = unit + 1;
            text = text[(digits + 1)..];
        }
        return true;
    }
}
