using System.Globalization;
using System.Numerics;
using Millrace.Jq;

namespace Millrace.Workflows.Schema;

/// <summary>
/// Decimal arithmetic on JSON numbers. A number is what its text says, not the double nearest to it, so 0.3 is a
/// multiple of 0.1 and numbers beyond 2^53 keep apart. Where doubles decide, nothing is allocated.
/// </summary>
internal static class ExactNumber
{
    private const double ExactIntegerMax = 1L << 53;

    public static bool IsInteger(Json number)
    {
        var value = number.AsNumber();
        if (Math.Floor(value) != value) return false;
        return !IsLiteral(number) || Decimal.Of(number).Exponent >= 0;
    }

    /// <summary>Rounding to doubles keeps the order, so only equal doubles need a second look. NaN comes before all others.</summary>
    public static int Compare(Json left, Json right)
    {
        double a = left.AsNumber(), b = right.AsNumber();
        if (a < b) return -1;
        if (a > b) return 1;
        if (double.IsNaN(a) || double.IsNaN(b)) return a.CompareTo(b);
        return IsLiteral(left) || IsLiteral(right) ? Decimal.Of(left).CompareTo(Decimal.Of(right)) : 0;
    }

    /// <returns>Null when the numbers have more digits than <see cref="SchemaLimits.DigitsMax"/>.</returns>
    public static bool? IsMultiple(Json number, Json divisor)
    {
        double a = number.AsNumber(), b = divisor.AsNumber();
        if (!double.IsFinite(a) && !IsLiteral(number)) return false;
        if (!IsLiteral(number) && !IsLiteral(divisor))
        {
            if (IsSmallInteger(a) && IsSmallInteger(b)) return a % b == 0;
            if (TryDecimal(a, out var left) && TryDecimal(b, out var right)) return left % right == 0;
        }
        return Decimal.Of(number).IsMultipleOf(Decimal.Of(divisor));
    }

    /// <summary>The number was kept as text since a double does not hold it; then it is no plain boxed double.</summary>
    private static bool IsLiteral(Json number)
    {
        var value = number.AsNumber();
        return !double.IsNaN(value) && !number.SameReference(Json.Of(value));
    }

    private static bool IsSmallInteger(double value) => Math.Abs(value) <= ExactIntegerMax && Math.Floor(value) == value;

    /// <summary>Within these bounds the 17 digits of a double's text fit the 28 of a decimal.</summary>
    private static bool TryDecimal(double value, out decimal result)
    {
        result = 0;
        if (Math.Abs(value) is not (0 or (>= 1e-9 and <= 1e9))) return false;
        Span<char> text = stackalloc char[32];
        return value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture)
            && decimal.TryParse(text[..length], NumberStyles.Float, CultureInfo.InvariantCulture, out result);
    }

    /// <summary>digits × 10^exponent, digits without leading and trailing zeros; zero has no digits.</summary>
    private readonly record struct Decimal(bool Negative, string Digits, long Exponent) : IComparable<Decimal>
    {
        public static Decimal Of(Json number)
        {
            var value = number.AsNumber();
            return Parse(double.IsNaN(value) ? "0" : number.ToString());
        }

        private static Decimal Parse(string text)
        {
            var mantissaEnd = text.AsSpan().IndexOfAny('e', 'E');
            var exponent = 0L;
            if (mantissaEnd >= 0) exponent = ParseExponent(text.AsSpan(mantissaEnd + 1));
            var mantissa = mantissaEnd < 0 ? text : text[..mantissaEnd];
            var negative = mantissa.StartsWith('-');
            mantissa = mantissa.TrimStart('-', '+');
            var dot = mantissa.IndexOf('.', StringComparison.Ordinal);
            if (dot >= 0)
            {
                exponent -= mantissa.Length - dot - 1;
                mantissa = mantissa.Remove(dot, 1);
            }
            var digits = mantissa.TrimEnd('0');
            exponent += mantissa.Length - digits.Length;
            digits = digits.TrimStart('0');
            return digits.Length == 0 ? new(false, "", 0) : new(negative, digits, exponent);
        }

        /// <summary>Exponents past any use are cut, far enough from the ends of long to add to them.</summary>
        private static long ParseExponent(ReadOnlySpan<char> text) =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? Math.Clamp(value, -(1L << 60), 1L << 60)
                : text[0] == '-' ? -(1L << 60) : 1L << 60;

        public int CompareTo(Decimal other)
        {
            if (Digits.Length == 0) return other.Digits.Length == 0 ? 0 : other.Negative ? 1 : -1;
            if (other.Digits.Length == 0) return Negative ? -1 : 1;
            if (Negative != other.Negative) return Negative ? -1 : 1;
            var byMagnitude = (Digits.Length + Exponent).CompareTo(other.Digits.Length + other.Exponent);
            var order = byMagnitude != 0 ? byMagnitude : string.CompareOrdinal(Digits, other.Digits);
            return Negative ? -order : order;
        }

        public bool? IsMultipleOf(Decimal divisor)
        {
            if (Digits.Length == 0) return true;
            if (divisor.Digits.Length == 0) return false;
            // Without trailing zeros these digits have no factor ten, so a smaller exponent leaves a remainder.
            if (Exponent < divisor.Exponent) return false;
            if (Digits.Length > SchemaLimits.DigitsMax || divisor.Digits.Length > SchemaLimits.DigitsMax) return null;
            var modulus = BigInteger.Parse(divisor.Digits, CultureInfo.InvariantCulture);
            var digits = BigInteger.Parse(Digits, CultureInfo.InvariantCulture);
            var scale = BigInteger.ModPow(10, Exponent - divisor.Exponent, modulus);
            return (digits % modulus * scale % modulus).IsZero;
        }
    }
}
