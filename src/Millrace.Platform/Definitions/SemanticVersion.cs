using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Platform.Definitions;

/// <summary>Order of versions (semver.org 2.0.0, 11).</summary>
internal static partial class SemanticVersion
{
    public const string Latest = "latest";
    public const int LengthMax = 128;

    public static bool IsVersion(string text) => text.Length <= LengthMax && Pattern().IsMatch(text);

    /// <summary>
    /// Text whose order, byte by byte, is the precedence of the versions, so that a database can sort by it. Build metadata
    /// does not count. A pre-release sorts before its release, numbers before words, fewer identifiers before more.
    /// </summary>
    public static string Precedence(string version)
    {
        var match = Pattern().Match(version);
        if (!match.Success) throw new ArgumentException($"'{version}' is no semantic version.", nameof(version));
        var key = new StringBuilder();
        foreach (var part in (string[])["major", "minor", "patch"]) key.Append(Number(match.Groups[part].Value)).Append('.');
        if (!match.Groups["pre"].Success) return key.Append('~').ToString();
        foreach (var identifier in match.Groups["pre"].Value.Split('.'))
            key.Append(identifier.All(char.IsAsciiDigit) ? $"0{Number(identifier)}" : $"1{identifier}").Append('!');
        return key.ToString();
    }

    /// <summary>Digits with their count before them: of two numbers the one with more digits is larger.</summary>
    private static string Number(string digits) => $"{digits.Length:D3}{digits}";

    [GeneratedRegex(@"^(?<major>0|[1-9]\d*)\.(?<minor>0|[1-9]\d*)\.(?<patch>0|[1-9]\d*)(?:-(?<pre>(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
