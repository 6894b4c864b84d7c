using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Storage.Postgres;

/// <summary>
/// A statement's text as PostgreSQL takes it, and the same for many rows at once: what stands for one row's values becomes a column of
/// <c>unnest</c>, so that a group of runs costs one statement.
/// </summary>
internal sealed partial class PostgresText
{
    private PostgresText(string single) => Single = single;

    public string Single { get; }

    /// <summary>How many parameters it has.</summary>
    public int Parameters => Parameter().Matches(Single).Select(m => int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).DefaultIfEmpty().Max();

    public static PostgresText Of(string sql) => new(OnlyHere().Replace(sql, " $1 "));

    /// <param name="types">Of the parameters in order, as the server names them.</param>
    /// <exception cref="ArgumentException">The text is none of the forms that may be carried out later.</exception>
    public string Many(IReadOnlyList<string> types)
    {
        var rows = Rows(types);
        var text = Parameter().Replace(Single, "v.p$1");
        if (Values().Match(text) is { Success: true } values)
            return $"{values.Groups["head"].Value} select {values.Groups["row"].Value} from {rows} {values.Groups["tail"].Value}";
        var where = TopLevel(text, " where ");
        if (where < 0) throw new ArgumentException($"Not a statement on one row: {Single}");
        var word = text.AsSpan().TrimStart();
        var with = word.StartsWith("delete", StringComparison.OrdinalIgnoreCase) ? "using" : "from";
        return $"{text[..where]} {with} {rows} {text[where..]}";
    }

    private static string Rows(IReadOnlyList<string> types)
    {
        var arrays = string.Join(", ", types.Select((type, i) => $"${i + 1}::{type}[]"));
        var names = string.Join(", ", types.Select((_, i) => $"p{i + 1}"));
        return $"unnest({arrays}) as v({names})";
    }

    /// <summary>Where a word stands outside every parenthesis; -1 when it does not.</summary>
    private static int TopLevel(string text, string word)
    {
        var flat = new StringBuilder(text).Replace('\n', ' ').Replace('\r', ' ').ToString();
        var depth = 0;
        for (var i = 0; i < flat.Length; i++)
        {
            if (flat[i] == '(') depth++;
            else if (flat[i] == ')') depth--;
            else if (depth == 0 && string.CompareOrdinal(flat, i, word, 0, word.Length) == 0) return i;
        }

        return -1;
    }

    [GeneratedRegex(@"/\*pg:\s*(.*?)\s*\*/", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex OnlyHere();

    [GeneratedRegex(@"\$(\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^(?<head>\s*insert\s+into\s+.*?\))\s*values\s*\((?<row>.*?)\)(?<tail>\s*(on\s+conflict.*)?)$", RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Values();
}
