namespace Millrace.Jq.Builtins;

/// <summary>Bessel functions by numeric integration of their integral forms (NIST DLMF 10.9); good to about 12 digits for moderate arguments.</summary>
internal static class Bessel
{
    private const int Intervals = 2_000;

    public static double J0(double x) => J(0, x);

    public static double J1(double x) => J(1, x);

    public static double Y0(double x) => Y(0, x);

    public static double Y1(double x) => Y(1, x);

    private static double J(int order, double x) =>
        double.IsInfinity(x) ? 0 : double.IsNaN(x) ? x : Integrate(t => Math.Cos(order * t - x * Math.Sin(t)), Math.PI) / Math.PI;

    private static double Y(int order, double x)
    {
        if (x < 0 || double.IsNaN(x)) return double.NaN;
        if (x == 0) return double.NegativeInfinity;
        if (double.IsInfinity(x)) return 0;
        var wave = Integrate(t => Math.Sin(x * Math.Sin(t) - order * t), Math.PI) / Math.PI;
        // The tail falls off as exp(-x sinh t); past this bound it is below 1e-18.
        var bound = Math.Asinh(45 / x) + 1;
        var sign = order % 2 == 0 ? 1 : -1;
        var tail = Integrate(t => (Math.Exp(order * t) + sign * Math.Exp(-order * t)) * Math.Exp(-x * Math.Sinh(t)), bound) / Math.PI;
        return wave - tail;
    }

    /// <summary>Simpson's rule from zero.</summary>
    private static double Integrate(Func<double, double> function, double upto)
    {
        var width = upto / Intervals;
        var sum = function(0) + function(upto);
        for (var i = 1; i < Intervals; i++) sum += (i % 2 == 0 ? 2 : 4) * function(i * width);
        return sum * width / 3;
    }
}
