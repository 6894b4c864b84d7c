using System.Text;

namespace Millrace.Connectors.Catalog;

/// <param name="Line">Line on which the record starts, from 1.</param>
/// <param name="Error">What is wrong with it; null when nothing is.</param>
internal sealed record CsvRecord(int Line, IReadOnlyList<string> Fields, string? Error);

/// <summary>
/// Reads records as RFC 4180 has them: fields are plain, or quoted with quotes doubled inside; records end with CRLF, LF or CR; an empty line is
/// no record. A wrong record ends at the end of its line, so that the next one is read again; a quote that is never closed takes the rest of the text.
/// </summary>
internal static class CsvText
{
    public static IEnumerable<CsvRecord> Read(string text, char delimiter)
    {
        var at = text.StartsWith('\uFEFF') ? 1 : 0;
        var line = 1;
        while (at < text.Length)
        {
            var started = line;
            if (SkipLineEnd(text, ref at, ref line)) continue;
            var fields = new List<string>();
            string? error;
            do
            {
                error = ReadField(text, delimiter, ref at, ref line, out var field);
                fields.Add(field);
            }
            while (error is null && Skip(text, delimiter, ref at));
            if (error is not null) at = EndOfLine(text, at);
            SkipLineEnd(text, ref at, ref line);
            yield return new CsvRecord(started, fields, error is null ? null : $"field {fields.Count}: {error}");
        }
    }

    private static string? ReadField(string text, char delimiter, ref int at, ref int line, out string field)
    {
        if (at < text.Length && text[at] == '"') return ReadQuoted(text, delimiter, ref at, ref line, out field);
        var end = at;
        while (end < text.Length && text[end] != delimiter && text[end] is not ('\r' or '\n' or '"')) end++;
        field = text[at..end];
        at = end;
        return end < text.Length && text[end] == '"' ? "a quote stands inside a field that is not quoted" : null;
    }

    private static string? ReadQuoted(string text, char delimiter, ref int at, ref int line, out string field)
    {
        var content = new StringBuilder();
        field = "";
        var opened = line;
        for (at++; ; at++)
        {
            var quote = text.IndexOf('"', at);
            if (quote < 0)
            {
                line += LineEnds(text.AsSpan(at));
                at = text.Length;
                return $"the quote opened in line {opened} is not closed";
            }
            content.Append(text, at, quote - at);
            line += LineEnds(text.AsSpan(at, quote - at));
            at = quote + 1;
            if (at >= text.Length || text[at] != '"') break;
            content.Append('"');
        }
        field = content.ToString();
        return at < text.Length && text[at] != delimiter && text[at] is not ('\r' or '\n') ? "text stands after the closing quote" : null;
    }

    private static bool Skip(string text, char delimiter, ref int at)
    {
        if (at >= text.Length || text[at] != delimiter) return false;
        at++;
        return true;
    }

    private static bool SkipLineEnd(string text, ref int at, ref int line)
    {
        if (at >= text.Length || text[at] is not ('\r' or '\n')) return false;
        at += text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;
        line++;
        return true;
    }

    private static int EndOfLine(string text, int at)
    {
        var end = text.AsSpan(at).IndexOfAny('\r', '\n');
        return end < 0 ? text.Length : at + end;
    }

    private static int LineEnds(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '\n' || text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')) count++;
        return count;
    }
}
