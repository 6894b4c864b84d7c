using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Workflows.Graph;

/// <summary>
/// Which versions of a definition may be run: <c>^1.2</c>, <c>~1.2</c>, <c>1.x</c>, <c>&gt;=1 &lt;2</c>, <c>*</c>, as npm reads them, without alternatives. Pre-releases are
/// in no range; they are named exactly.
/// </summary>
public sealed partial class VersionRange
{
    public const string Latest = "latest";
    private const int LengthMax = 128;

    private readonly List<(V From, V Before)> _bounds = [];

    private readonly record struct V(ulong Major, ulong Minor, ulong Patch) : IComparable<V>
    {
        public static readonly V End = new(ulong.MaxValue, 0, 0);
        public int CompareTo(V other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
    }

    /// <summary>Whether the text names one version: exactly, or as the latest.</summary>
    public static bool IsOne(string text) => text == Latest || Exact().IsMatch(text);

    /// <returns>Null when the text is no range.</returns>
    public static VersionRange? Parse(string text)
    {
        if (text.Length is 0 or > LengthMax) return null;
        var range = new VersionRange();
        foreach (Match match in Comparator().Matches(text))
        {
            if (match.Groups["junk"].Success || Bound(match) is not { } bound) return null;
            range._bounds.Add(bound);
        }
        return range._bounds.Count == 0 ? null : range;
    }

    public bool Accepts(string version)
    {
        if (Exact().Match(version) is not { Success: true } match || match.Groups["pre"].Success) return false;
        if (Number(match, "major") is not { } major || Number(match, "minor") is not { } minor || Number(match, "patch") is not { } patch) return false;
        var one = new V(major, minor, patch);
        return _bounds.TrueForAll(b => b.From.CompareTo(one) <= 0 && one.CompareTo(b.Before) < 0);
    }

    private static (V From, V Before)? Bound(Match match)
    {
        var (major, minor, patch) = (Number(match, "major"), Number(match, "minor"), Number(match, "patch"));
        if (major == ulong.MaxValue || minor == ulong.MaxValue || patch == ulong.MaxValue) return null;
        var from = new V(major ?? 0, minor ?? 0, patch ?? 0);
        // The first version behind all that the text may stand for.
        var behind = major is not { } a ? V.End : minor is not { } b ? new V(a + 1, 0, 0) : patch is not { } c ? new V(a, b + 1, 0) : new V(a, b, c + 1);
        return match.Groups["op"].Value switch
        {
            "^" => (from, major is null ? V.End : from.Major > 0 || minor is null ? new V(from.Major + 1, 0, 0) : from.Minor > 0 || patch is null ? new V(0, from.Minor + 1, 0) : behind),
            "~" => (from, minor is null ? behind : new V(from.Major, from.Minor + 1, 0)),
            ">=" => (from, V.End),
            ">" => (behind, V.End),
            "<=" => (default, behind),
            "<" => (default, from),
            _ => (from, behind),
        };
    }

    /// <returns>Null where any number may stand; the largest number for one that is too large.</returns>
    private static ulong? Number(Match match, string group) =>
        match.Groups[group] is not { Success: true } part || part.ValueSpan is "x" or "X" or "*" ? null
        : ulong.TryParse(part.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < ulong.MaxValue - 1 ? number : ulong.MaxValue;

    [GeneratedRegex(@"^(?<major>0|[1-9]\d*)\.(?<minor>0|[1-9]\d*)\.(?<patch>0|[1-9]\d*)(?<pre>-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Exact();

    [GeneratedRegex(@"\G\s*(?<op>\^|~|>=|<=|>|<|=)?\s*v?(?<major>0|[1-9]\d*|[xX*])(\.(?<minor>0|[1-9]\d*|[xX*])(\.(?<patch>0|[1-9]\d*|[xX*]))?)?(?=\s|\z)\s*|(?<junk>\S+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Comparator();
}
