using System.Globalization;

namespace Millrace.Jq.Text;

/// <summary>
/// Numbers and their text as jq 1.8 has them with <c>have_decnum</c>: a double prints with the fewest digits that read back
/// the same, a number read from text keeps its decimal digits until arithmetic is done with it, and is written in the
/// scientific notation of the General Decimal Arithmetic specification (<c>100e-2</c> is <c>1.00</c>).
/// </summary>
internal static class NumberText
{
    private const long ExponentMax = 999_999_999;
    private const int ExactDigitsMax = 15;

    /// <summary>Reads what jq's JSON reader takes for a number: signs, <c>.5</c>, <c>nan</c> and <c>Infinity</c> as well.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Json value)
    {
        value = default;
        var at = 0;
        var negative = false;
        if (text.Length > 0 && text[0] is '+' or '-') negative = text[at++] == '-';
        var digitsFrom = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        var digits = at - digitsFrom;
        if (digits is > 0 and <= 15 && at == text.Length && (text[digitsFrom] != '0' || digits == 1))
        {
            var integer = 0L;
            foreach (var c in text[digitsFrom..]) integer = integer * 10 + (c - '0');
            value = negative && integer == 0 ? Json.OfLiteral(new NumberLiteral("-0", -0.0)) : Json.Of(negative ? -(double)integer : integer);
            return true;
        }
        return digits == 0 && (at == text.Length || text[at] != '.') ? TryParseName(text[at..], negative, out value) : TryParseDecimal(text, out value);
    }

    private static bool TryParseName(ReadOnlySpan<char> name, bool negative, out Json value)
    {
        value = default;
        if (name.Equals("nan", StringComparison.OrdinalIgnoreCase)) value = double.NaN;
        else if (name.Equals("infinity", StringComparison.OrdinalIgnoreCase) || name.Equals("inf", StringComparison.OrdinalIgnoreCase))
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
        else return false;
        return true;
    }

    private static bool TryParseDecimal(ReadOnlySpan<char> text, out Json value)
    {
        value = default;
        if (Decimal.Parse(text) is not { } read) return false;
        var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (read.Adjusted > ExponentMax)
        {
            value = read.Digits == "0" ? 0 : read.Negative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        var integral = read.Exponent == 0 && Math.Abs(number) <= 1L << 53;
        if (integral || read.Digits.Length <= ExactDigitsMax)
        {
            var canonical = read.ToString();
            value = canonical == Format(number) ? number : Json.OfLiteral(new NumberLiteral(canonical, number));
            return true;
        }
        value = Json.OfLiteral(new NumberLiteral(read.ToString(), number));
        return true;
    }

    public static string Of(Json value) => value.Literal is { } literal ? literal.Text : Format(value.AsNumber());

    /// <summary>NaN is written as null, infinities as the largest double.</summary>
    public static string Format(double number)
    {
        Span<char> buffer = stackalloc char[40];
        return new string(buffer[..Format(number, buffer)]);
    }

    public static int Format(double number, Span<char> to)
    {
        if (number is > -1e16 and < 1e16 && Math.Floor(number) == number)
        {
            if (number == 0 && double.IsNegative(number))
            {
                "-0".CopyTo(to);
                return 2;
            }
            ((long)number).TryFormat(to, out var length, default, CultureInfo.InvariantCulture);
            return length;
        }
        if (double.IsNaN(number))
        {
            "null".CopyTo(to);
            return 4;
        }
        return FormatShortest(Math.Clamp(number, double.MinValue, double.MaxValue), to);
    }

    private static int FormatShortest(double number, Span<char> to)
    {
        Span<char> raw = stackalloc char[32];
        Math.Abs(number).TryFormat(raw, out var length, "R", CultureInfo.InvariantCulture);
        Span<char> digits = stackalloc char[32];
        var (count, point) = Digits(raw[..length], digits);
        var text = new Cursor(to);
        if (number < 0) text.Add('-');
        if (point <= -4 || point > count + 15)
        {
            text.Add(digits[0]);
            if (count > 1) text.Add('.');
            text.Add(digits[1..count]);
            text.Add('e');
            text.Add(point - 1 < 0 ? '-' : '+');
            Span<char> exponent = stackalloc char[8];
            Math.Abs(point - 1).TryFormat(exponent, out var width, "00", CultureInfo.InvariantCulture);
            text.Add(exponent[..width]);
        }
        else if (point <= 0)
        {
            text.Add("0.");
            for (var i = point; i < 0; i++) text.Add('0');
            text.Add(digits[..count]);
        }
        else
        {
            for (var i = 0; i < Math.Max(point, count); i++)
            {
                if (i == point) text.Add('.');
                text.Add(i < count ? digits[i] : '0');
            }
        }
        return text.Length;
    }

    /// <summary>Significant digits, and where the point stands behind the first of them.</summary>
    private static (int Count, int Point) Digits(ReadOnlySpan<char> raw, Span<char> digits)
    {
        int count = 0, point = 0, exponent = 0;
        var seenPoint = false;
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '.')
            {
                seenPoint = true;
            }
            else if (c == 'E')
            {
                exponent = int.Parse(raw[(i + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                break;
            }
            else
            {
                if (count == 0 && c == '0')
                {
                    if (seenPoint) point--;
                    continue;
                }
                digits[count++] = c;
                if (!seenPoint) point++;
            }
        }
        while (count > 1 && digits[count - 1] == '0') count--;
        return (count, point + exponent);
    }

    private ref struct Cursor(Span<char> to)
    {
        private readonly Span<char> _to = to;

        public int Length { get; private set; }

        public void Add(char c) => _to[Length++] = c;

        public void Add(scoped ReadOnlySpan<char> text)
        {
            text.CopyTo(_to[Length..]);
            Length += text.Length;
        }
    }
}
