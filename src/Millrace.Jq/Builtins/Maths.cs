using Millrace.Jq.Evaluation;

namespace Millrace.Jq.Builtins;

/// <summary>C's mathematics, as far as jq shows it.</summary>
internal static class Maths
{
    public static readonly Dictionary<string, Func<double, double>> One = new(StringComparer.Ordinal)
    {
        ["floor"] = Math.Floor,
        ["ceil"] = Math.Ceiling,
        ["sqrt"] = Math.Sqrt,
        ["cbrt"] = Math.Cbrt,
        ["fabs"] = Math.Abs,
        ["round"] = static x => Math.Round(x, MidpointRounding.AwayFromZero),
        ["trunc"] = Math.Truncate,
        ["rint"] = static x => Math.Round(x, MidpointRounding.ToEven),
        ["nearbyint"] = static x => Math.Round(x, MidpointRounding.ToEven),
        ["sin"] = Math.Sin,
        ["cos"] = Math.Cos,
        ["tan"] = Math.Tan,
        ["asin"] = Math.Asin,
        ["acos"] = Math.Acos,
        ["atan"] = Math.Atan,
        ["sinh"] = Math.Sinh,
        ["cosh"] = Math.Cosh,
        ["tanh"] = Math.Tanh,
        ["asinh"] = Math.Asinh,
        ["acosh"] = Math.Acosh,
        ["atanh"] = Math.Atanh,
        ["exp"] = Math.Exp,
        ["exp2"] = static x => Math.Pow(2, x),
        ["exp10"] = static x => Math.Pow(10, x),
        ["pow10"] = static x => Math.Pow(10, x),
        ["expm1"] = Special.ExponentialMinusOne,
        ["log"] = Math.Log,
        ["log2"] = Math.Log2,
        ["log10"] = Math.Log10,
        ["log1p"] = Special.LogarithmOfOnePlus,
        ["logb"] = Exponent,
        ["significand"] = Significand,
        ["gamma"] = Special.LogGamma,
        ["lgamma"] = Special.LogGamma,
        ["lgamma_r"] = Special.LogGamma,
        ["tgamma"] = Special.Gamma,
        ["j0"] = Bessel.J0,
        ["j1"] = Bessel.J1,
        ["y0"] = Bessel.Y0,
        ["y1"] = Bessel.Y1,
        ["erf"] = Special.ErrorFunction,
        ["erfc"] = static x => 1 - Special.ErrorFunction(x),
    };

    public static readonly Dictionary<string, Func<double, double, double>> Two = new(StringComparer.Ordinal)
    {
        ["pow"] = Power,
        ["atan2"] = Math.Atan2,
        ["fmod"] = static (x, y) => x % y,
        ["fmin"] = FMin,
        ["fmax"] = FMax,
        ["fdim"] = static (x, y) => double.IsNaN(x) || double.IsNaN(y) ? double.NaN : Math.Max(x - y, 0),
        ["hypot"] = double.Hypot,
        ["copysign"] = Math.CopySign,
        ["drem"] = Math.IEEERemainder,
        ["remainder"] = Math.IEEERemainder,
        ["ldexp"] = Scale,
        ["scalb"] = Scale,
        ["scalbln"] = Scale,
        ["nextafter"] = Next,
        ["nexttoward"] = Next,
    };

    public static Json Abs(Machine m, Json value)
    {
        if (!value.IsNumber) return value.Kind > JsonKind.Number ? value : Fault.Type(value, "has no absolute value");
        if (value.Literal is { } literal) return literal.Text[0] == '-' ? Json.OfLiteral(literal.Negated()) : value;
        return Math.Abs(value.AsNumber());
    }

    public static Json AbsOf(Machine m, Json value) => value.IsNumber || value.IsSignal
        ? Abs(m, value)
        : value.CompareTo(0) < 0 ? Arithmetic.Negate(value) : value;

    public static Json Apply(Func<double, double> function, Json value) =>
        value.IsNumber ? function(value.AsNumber()) : Fault.Type(value, "number required");

    public static Json Apply(Func<double, double, double> function, Json a, Json b)
    {
        if (!a.IsNumber) return Fault.Type(a, "number required");
        return b.IsNumber ? function(a.AsNumber(), b.AsNumber()) : Fault.Type(b, "number required");
    }

    public static Json MultiplyAdd(Machine m, Json input, Json a, Json b, Json c)
    {
        foreach (var operand in (ReadOnlySpan<Json>)[a, b, c])
            if (!operand.IsNumber) return Fault.Type(operand, "number required");
        return Math.FusedMultiplyAdd(a.AsNumber(), b.AsNumber(), c.AsNumber());
    }

    public static Json Fraction(Machine m, Json value)
    {
        if (!value.IsNumber) return Fault.Type(value, "number required");
        var number = value.AsNumber();
        if (number == 0 || !double.IsFinite(number)) return Json.Array(number, 0);
        var exponent = Math.ILogB(number) + 1;
        return Json.Array(Math.ScaleB(number, -exponent), exponent);
    }

    public static Json Parts(Machine m, Json value)
    {
        if (!value.IsNumber) return Fault.Type(value, "number required");
        var number = value.AsNumber();
        var whole = Math.Truncate(number);
        return Json.Array(double.IsInfinity(number) ? Math.CopySign(0, number) : number - whole, whole);
    }

    public static Json LogGammaSign(Machine m, Json value)
    {
        if (!value.IsNumber) return Fault.Type(value, "number required");
        var number = value.AsNumber();
        var negative = number < 0 && Math.Floor(number) != number && (long)Math.Floor(number) % 2 != 0;
        return Json.Array(Special.LogGamma(number), negative ? -1 : 1);
    }

    private static double Exponent(double x) => x == 0 ? double.NegativeInfinity : double.IsFinite(x) ? Math.ILogB(x) : double.IsNaN(x) ? x : double.PositiveInfinity;

    private static double Significand(double x) => x == 0 || !double.IsFinite(x) ? x : Math.ScaleB(x, -Math.ILogB(x));

    private static double Power(double x, double y) => x == 1 || y == 0 ? 1 : Math.Pow(x, y);

    private static double Scale(double x, double by) => double.IsNaN(by) ? by : Math.ScaleB(x, (int)Math.Clamp(by, -5000, 5000));

    private static double FMin(double x, double y) => double.IsNaN(x) ? y : double.IsNaN(y) ? x : Math.Min(x, y);

    private static double FMax(double x, double y) => double.IsNaN(x) ? y : double.IsNaN(y) ? x : Math.Max(x, y);

    private static double Next(double x, double toward) =>
        double.IsNaN(x) || double.IsNaN(toward) ? double.NaN : x == toward ? toward : x < toward ? Math.BitIncrement(x) : Math.BitDecrement(x);
}
