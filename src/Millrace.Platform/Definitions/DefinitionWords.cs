using System.Text;

namespace Millrace.Platform.Definitions;

/// <summary>
/// The words of a document, as its full-text index keeps them and as a question asks for them: runs of letters and digits, lower case, each once.
/// Cut here and not by the databases, so that both find the same.
/// </summary>
internal static class DefinitionWords
{
    private const int WordMax = 60;

    /// <summary>What an index of PostgreSQL takes in all (1 MiB with positions) is more than this.</summary>
    private const int CharactersMax = 200_000;

    public static string Of(string source) => string.Join(' ', Distinct(source));

    /// <returns>Every word of it, or null when there is none.</returns>
    public static string? Question(string text)
    {
        var words = Distinct(text).ToList();
        return words.Count == 0 ? null : string.Join(' ', words.Select(w => $"\"{w}\""));
    }

    private static IEnumerable<string> Distinct(string text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var word = new StringBuilder();
        var characters = 0;
        for (var i = 0; i <= text.Length && characters < CharactersMax; i++)
        {
            if (i < text.Length && char.IsLetterOrDigit(text[i]))
            {
                if (word.Length < WordMax) word.Append(char.ToLowerInvariant(text[i]));
                continue;
            }

            if (word.Length == 0) continue;
            var whole = word.ToString();
            word.Clear();
            if (!seen.Add(whole)) continue;
            characters += whole.Length + 1;
            yield return whole;
        }
    }
}
