using System.Text.RegularExpressions;

namespace Millrace.Tests.Kits;

/// <summary>A sentence of the specification that binds a runtime or a document.</summary>
/// <param name="Text">Without markup; of a property's table, behind the property's name.</param>
public sealed record BindingSentence(string Section, string Text);

/// <summary>
/// Finds the sentences of a Markdown document that say must or shall, what is required, which values there are, and what holds when nothing is
/// said. Examples are left out.
/// </summary>
internal static partial class SpecificationText
{
    public static IEnumerable<BindingSentence> Read(string name, IEnumerable<string> lines)
    {
        var (inCode, section) = (false, "");
        foreach (var line in lines)
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal)) inCode = !inCode;
            else if (inCode) continue;
            else if (Heading().Match(line) is { Success: true } heading)
            {
                if (Slug(heading.Groups[1].Value) is var slug and not ("properties" or "examples")) section = $"{name}#{slug}";
            }
            else
                foreach (var text in line.StartsWith('|') ? OfRow(line) : OfText(line, "")) yield return new BindingSentence(section, text);
        }
    }

    /// <summary>A row is name, type, required, description, or has less.</summary>
    private static IEnumerable<string> OfRow(string line)
    {
        var cells = line.Trim().Trim('|').Split('|');
        if (cells.Length < 3) return OfText(line, "");
        var property = Plain(cells[0]);
        var described = OfText(cells[^1], $"{property}: ");
        return Plain(cells[2]) == "yes" ? described.Prepend($"{property} is required") : described;
    }

    private static IEnumerable<string> OfText(string line, string before) =>
        from part in line.Split("<br>")
        from sentence in SentenceEnd().Split(Plain(part))
        where Binding().IsMatch(sentence)
        select before + sentence.TrimStart('-', '>', '¹', ' ');

    private static string Plain(string text) => Space().Replace(Tag().Replace(Link().Replace(text, "$1"), " ").Replace("*", "", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal), " ").Trim();

    private static string Slug(string heading) => NoSlug().Replace(Plain(heading).ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"^#+ (.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\b(must|shall)\b|defaults? to|required (if|when)|supported values", RegexOptions.IgnoreCase)]
    private static partial Regex Binding();

    [GeneratedRegex(@"(?<=[.!?])\s+(?=[A-Z*<])")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex("</?[a-z]+>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoSlug();
}
