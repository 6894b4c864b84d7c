using System.Globalization;
using System.Text;

namespace Millrace.Jq.Text;

/// <summary>A decimal number of any length: <c>(-1)^negative × digits × 10^exponent</c>; digits without leading zeros.</summary>
internal readonly record struct Decimal(bool Negative, string Digits, long Exponent)
{
    /// <summary>An exponent with more digits than this counts as endless; it lies far beyond what jq tells apart.</summary>
    private const int ExponentDigitsMax = 15;

    public long Adjusted => Exponent + Digits.Length - 1;

    public bool IsZero => Digits == "0";

    public static Decimal? Parse(ReadOnlySpan<char> text)
    {
        var at = 0;
        var negative = false;
        if (text.Length > 0 && text[0] is '+' or '-') negative = text[at++] == '-';
        var digits = new StringBuilder();
        var exponent = 0L;
        var any = false;
        for (var point = false; at < text.Length; at++)
        {
            if (text[at] == '.' && !point)
            {
                point = true;
                continue;
            }
            if (!char.IsAsciiDigit(text[at])) break;
            any = true;
            if (digits.Length > 0 || text[at] != '0') digits.Append(text[at]);
            if (point) exponent--;
        }
        if (!any) return null;
        if (at < text.Length)
        {
            if (text[at] is not ('e' or 'E') || ParseExponent(text[(at + 1)..]) is not { } written) return null;
            exponent += written;
        }
        return new(negative, digits.Length == 0 ? "0" : digits.ToString(), exponent);
    }

    /// <summary>By value: <c>1.0</c> is <c>1</c>.</summary>
    public static int Compare(Decimal left, Decimal right)
    {
        if (left.IsZero || right.IsZero) return left.Sign.CompareTo(right.Sign);
        if (left.Negative != right.Negative) return left.Negative ? -1 : 1;
        var order = left.Adjusted.CompareTo(right.Adjusted);
        if (order == 0) order = string.CompareOrdinal(left.Digits.TrimEnd('0'), right.Digits.TrimEnd('0'));
        return left.Negative ? -order : order;
    }

    private int Sign => IsZero ? 0 : Negative ? -1 : 1;

    /// <summary>to-scientific-string of the General Decimal Arithmetic specification.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Digits.Length + 8);
        if (Negative) text.Append('-');
        if (Exponent <= 0 && Adjusted >= -6)
        {
            var point = Digits.Length + (int)Exponent;
            if (Exponent == 0) return text.Append(Digits).ToString();
            if (point > 0) return text.Append(Digits, 0, point).Append('.').Append(Digits, point, Digits.Length - point).ToString();
            return text.Append("0.").Append('0', -point).Append(Digits).ToString();
        }
        text.Append(Digits[0]);
        if (Digits.Length > 1) text.Append('.').Append(Digits, 1, Digits.Length - 1);
        return text.Append('E').Append(Adjusted < 0 ? '-' : '+').Append(Math.Abs(Adjusted).ToString(CultureInfo.InvariantCulture)).ToString();
    }

    private static long? ParseExponent(ReadOnlySpan<char> text)
    {
        var negative = text.Length > 0 && text[0] == '-';
        if (text.Length > 0 && text[0] is '+' or '-') text = text[1..];
        if (text.Length == 0 || text.ContainsAnyExceptInRange('0', '9')) return null;
        text = text.TrimStart('0');
        var value = text.Length > ExponentDigitsMax ? 1_000_000_000_000_000 : text.Length == 0 ? 0 : long.Parse(text, CultureInfo.InvariantCulture);
        return negative ? -value : value;
    }
}
