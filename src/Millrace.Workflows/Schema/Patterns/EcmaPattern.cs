using System.Text.RegularExpressions;

namespace Millrace.Workflows.Schema.Patterns;

/// <summary>The text is no regular expression of ECMA-262.</summary>
internal sealed class EcmaPatternException(string message, bool isUnsupported = false) : Exception(message)
{
    /// <summary>It may well be one, but uses something that is not known here.</summary>
    public bool IsUnsupported { get; } = isUnsupported;
}

/// <summary>
/// A regular expression of ECMA-262 2024 with its unicode flag, run by .NET's engine. One leniency: any ASCII
/// punctuation may be escaped, since many schemas do so. Not supported: the v flag's set notation, inline modifiers
/// (<c>(?i:</c>), and properties and scripts that <see cref="UnicodeProperty"/> does not list.
/// </summary>
internal sealed class EcmaPattern
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(SchemaLimits.RegexMs);

    private readonly Regex _regex;

    private EcmaPattern(string source, Regex regex)
    {
        Source = source;
        _regex = regex;
    }

    public string Source { get; }

    /// <exception cref="EcmaPatternException"/>
    public static EcmaPattern Parse(string source)
    {
        var translated = EcmaTranslation.ToDotNet(source);
        try
        {
            return new EcmaPattern(source, new Regex(translated, RegexOptions.CultureInvariant, MatchTimeout));
        }
        catch (ArgumentException e)
        {
            throw new EcmaPatternException($"the engine refuses it: {e.Message}", isUnsupported: true);
        }
    }

    /// <exception cref="RegexMatchTimeoutException">Matching took more than <see cref="SchemaLimits.RegexMs"/>.</exception>
    public bool IsMatch(string text) => _regex.IsMatch(text);

    /// <returns>Null when matching took too long.</returns>
    public bool? TryMatch(string text)
    {
        try
        {
            return IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }
}
