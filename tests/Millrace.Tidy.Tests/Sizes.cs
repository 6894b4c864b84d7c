using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>Something with a length: a file, or a method or component in one, and the length at which it has to be split.</summary>
/// <param name="Name">The file's path; behind a <c>#</c> what is meant in it.</param>
internal sealed record Sized(string Name, int Lines, int Max);

/// <summary>Measures the sources as they are formatted here: what begins at an indentation ends at the next brace of the same.</summary>
internal static partial class Sizes
{
    public const int CSharpFile = 400, TypeScriptFile = 300, Method = 60, Component = 120;

    public static IEnumerable<Sized> Of(string file, string[] lines)
    {
        if (file.EndsWith(".cs", StringComparison.Ordinal))
            return Blocks(file, lines, MethodHead(), Method).Prepend(new Sized(file, lines.Length, CSharpFile));
        if (file.EndsWith(".tsx", StringComparison.Ordinal))
            return Blocks(file, lines, ComponentHead(), Component).Prepend(new Sized(file, lines.Length, TypeScriptFile));
        return file.EndsWith(".ts", StringComparison.Ordinal) ? [new Sized(file, lines.Length, TypeScriptFile)] : [];
    }

    /// <param name="exceptions">By name, the length it has and must not pass; each with its reason where the list stands.</param>
    /// <returns>What is too long, and exceptions that nothing needs any more.</returns>
    public static IReadOnlyList<string> Refused(IEnumerable<Sized> all, IReadOnlyDictionary<string, int> exceptions)
    {
        var refused = new List<string>();
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sized in all)
        {
            if (sized.Lines <= sized.Max) continue;
            needed.Add(sized.Name);
            var max = exceptions.GetValueOrDefault(sized.Name, sized.Max);
            if (sized.Lines > max) refused.Add($"{sized.Name} has {sized.Lines} lines, at most {max}");
        }
        refused.AddRange(exceptions.Keys.Where(name => !needed.Contains(name)).Select(name => $"{name} needs no exception any more"));
        return refused;
    }

    /// <summary>Only heads whose body is in braces of their own lines; anything shorter is no matter.</summary>
    private static IEnumerable<Sized> Blocks(string file, string[] lines, Regex head, int max)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            if (head.Match(lines[i]) is not { Success: true } match) continue;
            var indent = match.Groups["indent"].Value;
            var end = Array.FindIndex(lines, i, line => line.StartsWith($"{indent}}}", StringComparison.Ordinal));
            var open = Array.FindIndex(lines, i, line => line.EndsWith('{'));
            if (end < 0 || open < 0 || open > end) continue;
            // The parameters of a component stand in braces of their own: "}) {" or "}: Props) {" opens its body.
            while (end >= 0 && lines[end].EndsWith('{')) end = Array.FindIndex(lines, end + 1, line => line.StartsWith($"{indent}}}", StringComparison.Ordinal));
            if (end < 0) continue;
            yield return new Sized($"{file}#{match.Groups["name"].Value}", end - i + 1, max);
        }
    }

    /// <summary>A member with parameters and a body; statements with a head of the same form are left out by their first word.</summary>
    [GeneratedRegex(@"^(?<indent> {4}| {8})(?!(if|for|foreach|while|switch|using|lock|return|throw|await|else|catch|case|yield|new|var|do|try)\b)(?!.*\b(class|struct|record|interface)\b)(?:[\w<>\[\],.?()]+ )+(?<name>\w+)(?:<[\w, ]+>)?\((?!.*(;|=>))", RegexOptions.CultureInvariant)]
    private static partial Regex MethodHead();

    [GeneratedRegex(@"^(?<indent>)(?:export )?(?:default )?function (?<name>[A-Z]\w*)\(", RegexOptions.CultureInvariant)]
    private static partial Regex ComponentHead();
}
