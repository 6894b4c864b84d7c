using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Jq;

namespace Millrace.Workflows.Documents;

/// <summary>What plain scalars mean: the core schema of YAML 1.2.2, section 10.3.2. <c>yes</c>, <c>no</c>, <c>on</c>, <c>off</c> are strings.</summary>
internal static partial class ScalarValue
{
    /// <returns>False for a number that JSON has no form for (<c>.inf</c>, <c>.nan</c>).</returns>
    public static bool TryRead(string text, out Json value)
    {
        value = text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => Json.Null,
            "true" or "True" or "TRUE" => Json.True,
            "false" or "False" or "FALSE" => Json.False,
            _ => Json.Of(text),
        };
        if (!value.IsString || !(char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.')) return true;
        if (NotFinite().IsMatch(text)) return false;
        if (Based().IsMatch(text))
        {
            var style = text[1] == 'x' ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
            if (text[1] == 'x' && ulong.TryParse(text.AsSpan(2), style, CultureInfo.InvariantCulture, out var hex) && hex <= long.MaxValue) value = Json.Of((long)hex);
            else if (text[1] == 'o' && text.Length <= 22) value = Json.Of(Convert.ToInt64(text[2..], 8));
        }
        else if (Decimal().IsMatch(text))
        {
            value = JsonText.Parse(AsJson(text));
        }
        return true;
    }

    /// <summary>JSON allows no plus sign, no leading zeros and no bare point.</summary>
    private static string AsJson(string text)
    {
        var sign = text[0] == '-' ? "-" : "";
        var digits = text.AsSpan().TrimStart("+-");
        var exponentAt = digits.IndexOfAny('e', 'E');
        var exponent = exponentAt < 0 ? default : digits[exponentAt..];
        var number = exponentAt < 0 ? digits : digits[..exponentAt];
        var point = number.IndexOf('.');
        var whole = (point < 0 ? number : number[..point]).TrimStart('0');
        var fraction = point < 0 ? default : number[(point + 1)..];
        return $"{sign}{(whole.IsEmpty ? "0" : whole)}{(fraction.IsEmpty ? "" : ".")}{fraction}{exponent}";
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^(0x[0-9a-fA-F]+|0o[0-7]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Based();

    [GeneratedRegex(@"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.CultureInvariant)]
    private static partial Regex NotFinite();
}
