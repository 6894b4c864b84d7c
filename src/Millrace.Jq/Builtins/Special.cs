namespace Millrace.Jq.Builtins;

/// <summary>Functions of C's library that .NET has not.</summary>
internal static class Special
{
    /// <summary>Lanczos' approximation with g = 7 and nine terms; good to about 15 digits.</summary>
    private static readonly double[] Lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    public static double ExponentialMinusOne(double x) =>
        Math.Abs(x) < 1e-5 ? x + x * x / 2 + x * x * x / 6 : Math.Exp(x) - 1;

    public static double LogarithmOfOnePlus(double x)
    {
        if (Math.Abs(x) < 1e-4) return x - x * x / 2 + x * x * x / 3 - x * x * x * x / 4;
        var sum = 1 + x;
        // Corrects what was rounded away in the sum (Kahan).
        return sum == 1 ? x : Math.Log(sum) * (x / (sum - 1));
    }

    public static double LogGamma(double x)
    {
        if (double.IsNaN(x)) return x;
        if (double.IsInfinity(x)) return double.PositiveInfinity;
        if (x <= 0 && Math.Floor(x) == x) return double.PositiveInfinity;
        if (x is 1 or 2) return 0;
        if (x < 0.5) return Math.Log(Math.PI / Math.Abs(Math.Sin(Math.PI * x))) - LogGamma(1 - x);
        x -= 1;
        var sum = Lanczos[0];
        for (var i = 1; i < Lanczos.Length; i++) sum += Lanczos[i] / (x + i);
        var t = x + 7.5;
        return 0.5 * Math.Log(2 * Math.PI) + (x + 0.5) * Math.Log(t) - t + Math.Log(sum);
    }

    public static double Gamma(double x)
    {
        if (x == 0) return double.IsNegative(x) ? double.NegativeInfinity : double.PositiveInfinity;
        if (x < 0 && Math.Floor(x) == x || double.IsNegativeInfinity(x)) return double.NaN;
        if (x > 171.7) return double.PositiveInfinity;
        if (Math.Floor(x) == x && x <= 23)
        {
            var product = 1.0;
            for (var i = 2; i < (int)x; i++) product *= i;
            return product;
        }
        if (x < 0.5) return Math.PI / (Math.Sin(Math.PI * x) * Gamma(1 - x));
        x -= 1;
        var sum = Lanczos[0];
        for (var i = 1; i < Lanczos.Length; i++) sum += Lanczos[i] / (x + i);
        var t = x + 7.5;
        return Math.Sqrt(2 * Math.PI) * Math.Pow(t, x + 0.5) * Math.Exp(-t) * sum;
    }

    /// <summary>A series for small values, a continued fraction for large ones.</summary>
    public static double ErrorFunction(double x)
    {
        if (double.IsNaN(x)) return x;
        if (Math.Abs(x) > 6) return Math.Sign(x);
        if (Math.Abs(x) < 2.5)
        {
            double sum = x, term = x;
            for (var n = 1; n < 100 && Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
            {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 2 / Math.Sqrt(Math.PI) * sum;
        }
        var fraction = 0.0;
        for (var n = 60; n > 0; n--) fraction = n / 2.0 / (Math.Abs(x) + fraction);
        return Math.Sign(x) * (1 - Math.Exp(-x * x) / Math.Sqrt(Math.PI) / (Math.Abs(x) + fraction));
    }
}
