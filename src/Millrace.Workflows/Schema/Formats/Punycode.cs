using System.Text;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>Punycode of RFC 3492, without the ACE prefix.</summary>
internal static class Punycode
{
    private const int Base = 36, ThresholdMin = 1, ThresholdMax = 26, Skew = 38, Damp = 700, FirstBias = 72, FirstCodePoint = 0x80;

    /// <returns>Null when the text is no Punycode.</returns>
    public static string? Decode(string text)
    {
        var delimiter = text.LastIndexOf('-');
        var output = delimiter > 0 ? text[..delimiter].EnumerateRunes().ToList() : [];
        var (codePoint, position, bias) = (FirstCodePoint, 0, FirstBias);
        var at = delimiter > 0 ? delimiter + 1 : 0;
        while (at < text.Length)
        {
            var before = position;
            long weight = 1, sum = position;
            for (var k = Base; ; k += Base)
            {
                if (at == text.Length || Digit(text[at++]) is not { } digit) return null;
                sum += digit * weight;
                if (sum > int.MaxValue) return null;
                var threshold = Threshold(k, bias);
                if (digit < threshold) break;
                weight *= Base - threshold;
            }
            bias = Adapt((int)sum - before, output.Count + 1, before == 0);
            var next = codePoint + sum / (output.Count + 1);
            if (next > 0x10FFFF || !Rune.IsValid((int)next)) return null;
            codePoint = (int)next;
            position = (int)(sum % (output.Count + 1));
            output.Insert(position++, new Rune(codePoint));
        }
        return string.Concat(output);
    }

    /// <returns>Null for text with a lone surrogate.</returns>
    public static string? Encode(string text)
    {
        var input = text.EnumerateRunes().Select(r => r.Value).ToArray();
        if (input.Contains(Rune.ReplacementChar.Value)) return null;
        var output = new StringBuilder();
        foreach (var c in input)
            if (c < FirstCodePoint) output.Append((char)c);
        var basic = output.Length;
        if (basic > 0) output.Append('-');
        var (codePoint, delta, bias) = (FirstCodePoint, 0L, FirstBias);
        for (var handled = basic; handled < input.Length;)
        {
            var next = input.Where(c => c >= codePoint).Min();
            delta += (long)(next - codePoint) * (handled + 1);
            codePoint = next;
            foreach (var c in input)
            {
                if (c < codePoint) delta++;
                if (c != codePoint) continue;
                AppendNumber(output, delta, bias);
                bias = Adapt((int)delta, handled + 1, handled == basic);
                delta = 0;
                handled++;
            }
            delta++;
            codePoint++;
        }
        return output.ToString();
    }

    private static void AppendNumber(StringBuilder output, long number, int bias)
    {
        for (var k = Base; ; k += Base)
        {
            var threshold = Threshold(k, bias);
            if (number < threshold) break;
            output.Append(Character(threshold + (int)((number - threshold) % (Base - threshold))));
            number = (number - threshold) / (Base - threshold);
        }
        output.Append(Character((int)number));
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, ThresholdMin, ThresholdMax);

    private static int Adapt(int delta, int count, bool isFirst)
    {
        delta /= isFirst ? Damp : 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - ThresholdMin) * ThresholdMax / 2; k += Base) delta /= Base - ThresholdMin;
        return k + (Base - ThresholdMin + 1) * delta / (delta + Skew);
    }

    private static int? Digit(char c) =>
        char.IsAsciiLetter(c) ? (c | 0x20) - 'a' : char.IsAsciiDigit(c) ? c - '0' + 26 : null;

    private static char Character(int digit) => (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
}
