using System.Collections.Concurrent;
using System.Globalization;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>
/// What <c>\p{…}</c> names in ECMA-262: general categories with their short and long names, a few binary properties,
/// and the scripts of <see cref="UnicodeScript"/>. Categories follow the runtime's Unicode version.
/// </summary>
internal static class UnicodeProperty
{
    private static readonly ConcurrentDictionary<string, CodePointSet> Known = new(StringComparer.Ordinal);
    private static readonly Lazy<List<(int First, int Last, UnicodeCategory Category)>> Categories = new(ScanCategories);

    /// <summary>Short names by each category of the runtime, in its order; a group is named by the first letter.</summary>
    private static readonly string[] Short =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private const string LongNames =
        "Letter=L Cased_Letter=LC Uppercase_Letter=Lu Lowercase_Letter=Ll Titlecase_Letter=Lt Modifier_Letter=Lm "
        + "Other_Letter=Lo Mark=M Combining_Mark=M Nonspacing_Mark=Mn Spacing_Mark=Mc Enclosing_Mark=Me Number=N "
        + "Decimal_Number=Nd digit=Nd Letter_Number=Nl Other_Number=No Punctuation=P punct=P Connector_Punctuation=Pc "
        + "Dash_Punctuation=Pd Open_Punctuation=Ps Close_Punctuation=Pe Initial_Punctuation=Pi Final_Punctuation=Pf "
        + "Other_Punctuation=Po Symbol=S Math_Symbol=Sm Currency_Symbol=Sc Modifier_Symbol=Sk Other_Symbol=So "
        + "Separator=Z Space_Separator=Zs Line_Separator=Zl Paragraph_Separator=Zp Other=C Control=Cc cntrl=Cc "
        + "Format=Cf Surrogate=Cs Private_Use=Co Unassigned=Cn";

    private static readonly Dictionary<string, string> Long =
        LongNames.Split(' ').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    /// <returns>Null for a property that is not known here.</returns>
    public static CodePointSet? Find(string expression)
    {
        var equals = expression.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return Category(expression) ?? Binary(expression);
        var value = expression[(equals + 1)..];
        return expression[..equals] switch
        {
            "General_Category" or "gc" => Category(value),
            "Script" or "sc" => UnicodeScript.Find(value),
            _ => null,
        };
    }

    private static CodePointSet? Binary(string name) => name switch
    {
        "Any" => CodePointSet.All,
        "ASCII" => Known.GetOrAdd(name, _ => CodePointSet.Of([(0, 0x7F)])),
        "ASCII_Hex_Digit" or "AHex" => Known.GetOrAdd("AHex", _ => CodePointSet.Parse("30-39 41-46 61-66")),
        "White_Space" or "space" => Known.GetOrAdd("space", _ => CodePointSet.Parse("9-D 20 85 A0 1680 2000-200A 2028-2029 202F 205F 3000")),
        "Assigned" => Known.GetOrAdd(name, _ => Category("Cn")!.Complement()),
        _ => null,
    };

    private static CodePointSet? Category(string name)
    {
        if (Long.TryGetValue(name, out var shorter)) name = shorter;
        if (name == "LC") return Known.GetOrAdd(name, _ => Select("Lu", "Ll", "Lt"));
        if (name.Length is not (1 or 2) || !Short.Any(s => s.StartsWith(name, StringComparison.Ordinal))) return null;
        return Known.GetOrAdd(name, n => Select([.. Short.Where(s => s.StartsWith(n, StringComparison.Ordinal))]));
    }

    private static CodePointSet Select(params string[] names) => CodePointSet.Of(Categories.Value
        .Where(range => names.Contains(Short[(int)range.Category]))
        .Select(range => (range.First, range.Last)));

    private static List<(int, int, UnicodeCategory)> ScanCategories()
    {
        var ranges = new List<(int, int, UnicodeCategory)>(4_000);
        var (first, current) = (0, CharUnicodeInfo.GetUnicodeCategory(0));
        for (var i = 1; i <= CodePointSet.Last; i++)
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(i);
            if (category == current) continue;
            ranges.Add((first, i - 1, current));
            (first, current) = (i, category);
        }
        ranges.Add((first, CodePointSet.Last, current));
        return ranges;
    }
}
