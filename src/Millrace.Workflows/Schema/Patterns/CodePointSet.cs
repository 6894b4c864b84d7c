using System.Globalization;
using System.Text;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>A set of Unicode code points without the surrogates, as sorted ranges that do not touch.</summary>
internal sealed class CodePointSet
{
    public const int Last = 0x10FFFF;
    private const int SurrogateFirst = 0xD800, SurrogateLast = 0xDFFF;

    public static readonly CodePointSet All = Of([(0, Last)]);

    private readonly (int First, int Last)[] _ranges;
    private string? _pattern;

    private CodePointSet((int, int)[] ranges) => _ranges = ranges;

    public ReadOnlySpan<(int First, int Last)> Ranges => _ranges;

    public static CodePointSet Of(IEnumerable<(int First, int Last)> ranges)
    {
        var joined = new List<(int First, int Last)>();
        foreach (var (first, last) in ranges.SelectMany(WithoutSurrogates).Order())
        {
            if (joined.Count > 0 && first <= joined[^1].Last + 1)
                joined[^1] = (joined[^1].First, Math.Max(joined[^1].Last, last));
            else joined.Add((first, last));
        }
        return new CodePointSet([.. joined]);
    }

    /// <summary>Reads ranges in hexadecimal: <c>41-5A 61</c>.</summary>
    public static CodePointSet Parse(string ranges) => Of(ranges.Split(' ').Select(range =>
    {
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        var first = int.Parse(dash < 0 ? range : range[..dash], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (first, dash < 0 ? first : int.Parse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }));

    public bool Contains(int codePoint)
    {
        int low = 0, high = _ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (codePoint < _ranges[middle].First) high = middle - 1;
            else if (codePoint > _ranges[middle].Last) low = middle + 1;
            else return true;
        }
        return false;
    }

    public CodePointSet Complement()
    {
        var gaps = new List<(int, int)>();
        var next = 0;
        foreach (var (first, last) in _ranges)
        {
            if (first > next) gaps.Add((next, first - 1));
            next = last + 1;
        }
        if (next <= Last) gaps.Add((next, Last));
        return Of(gaps);
    }

    /// <summary>
    /// A .NET pattern of one unit that matches exactly one code point of the set. .NET sees UTF-16, so the code points
    /// past U+FFFF become pairs of surrogates.
    /// </summary>
    public string ToPattern() => _pattern ??= BuildPattern();

    private string BuildPattern()
    {
        var units = new StringBuilder();
        var pairs = new StringBuilder();
        foreach (var (first, last) in _ranges)
        {
            if (first <= 0xFFFF) AppendRange(units, first, Math.Min(last, 0xFFFF));
            if (last > 0xFFFF) AppendPairs(pairs, Math.Max(first, 0x10000), last);
        }
        if (pairs.Length == 0) return units.Length == 0 ? "(?!)" : $"[{units}]";
        return units.Length == 0 ? $"(?:{pairs.ToString(1, pairs.Length - 1)})" : $"(?:[{units}]{pairs})";
    }

    private static void AppendPairs(StringBuilder pairs, int first, int last)
    {
        while (first <= last)
        {
            var (high, low) = Split(first);
            var (lastHigh, lastLow) = Split(last);
            // A part of one high surrogate's block, or as many whole blocks as there are.
            var (endHigh, endLow) = high == lastHigh ? (high, lastLow)
                : low != 0xDC00 ? (high, 0xDFFF)
                : (lastLow == 0xDFFF ? lastHigh : lastHigh - 1, 0xDFFF);
            pairs.Append('|');
            AppendClass(pairs, high, endHigh);
            AppendClass(pairs, low, endLow);
            first = Join(endHigh, endLow) + 1;
        }
    }

    private static void AppendClass(StringBuilder to, int first, int last)
    {
        if (first != last) to.Append('[');
        AppendRange(to, first, last);
        if (first != last) to.Append(']');
    }

    private static void AppendRange(StringBuilder to, int first, int last)
    {
        AppendUnit(to, first);
        if (last == first) return;
        if (last > first + 1) to.Append('-');
        AppendUnit(to, last);
    }

    private static void AppendUnit(StringBuilder to, int unit)
    {
        if (unit < 0x80 && char.IsAsciiLetterOrDigit((char)unit)) to.Append((char)unit);
        else to.Append(CultureInfo.InvariantCulture, $"\\u{unit:X4}");
    }

    private static (int High, int Low) Split(int codePoint) =>
        (0xD800 + ((codePoint - 0x10000) >> 10), 0xDC00 + ((codePoint - 0x10000) & 0x3FF));

    private static int Join(int high, int low) => 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);

    private static IEnumerable<(int, int)> WithoutSurrogates((int First, int Last) range)
    {
        if (range.Last < SurrogateFirst || range.First > SurrogateLast) yield return range;
        else
        {
            if (range.First < SurrogateFirst) yield return (range.First, SurrogateFirst - 1);
            if (range.Last > SurrogateLast) yield return (SurrogateLast + 1, range.Last);
        }
    }
}
