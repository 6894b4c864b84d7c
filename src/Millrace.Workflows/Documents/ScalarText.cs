using YamlDotNet.Core;

namespace Millrace.Workflows.Documents;

/// <summary>Finds the place in the source of a character of a scalar's value, by reading the scalar again as it was written.</summary>
internal static class ScalarText
{
    /// <returns>Index in <paramref name="source"/>; the scalar's end when the value is shorter than <paramref name="offset"/>.</returns>
    public static int SourceIndex(string source, SourceNode node, int offset)
    {
        var at = SkipProperties(source, node);
        var end = Math.Min(node.End, source.Length);
        return node.Style is ScalarStyle.Literal or ScalarStyle.Folded
            ? InBlock(source, at, end, offset)
            : InFlow(source, node.Style, at, end, offset);
    }

    /// <summary>Anchors and tags stand before the text.</summary>
    private static int SkipProperties(string source, SourceNode node)
    {
        var at = node.Start.Index;
        while (at < node.End && at < source.Length && source[at] is '&' or '!')
        {
            while (at < source.Length && !char.IsWhiteSpace(source[at])) at++;
            while (at < source.Length && char.IsWhiteSpace(source[at])) at++;
        }
        return at;
    }

    private static int InFlow(string source, ScalarStyle style, int at, int end, int offset)
    {
        if (style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted) at++;
        for (var read = 0; read < offset && at < end;)
        {
            var folded = Fold(source, at, out var breaks);
            if (folded > at)
            {
                at = folded;
                read += Math.Max(1, breaks - 1);
            }
            else if (style == ScalarStyle.DoubleQuoted && source[at] == '\\')
            {
                at = Escape(source, at, out var length);
                read += length;
            }
            else
            {
                at += style == ScalarStyle.SingleQuoted && source[at] == '\'' ? 2 : 1;
                read++;
            }
        }
        return Math.Min(at, end);
    }

    /// <summary>Blanks up to a line break, the break, and the next line's indentation count as one space, or as the empty lines between.</summary>
    private static int Fold(string source, int at, out int breaks)
    {
        breaks = 0;
        var ahead = at;
        while (ahead < source.Length && source[ahead] is ' ' or '\t' or '\r' or '\n')
            if (source[ahead++] == '\n') breaks++;
        return breaks == 0 ? at : ahead;
    }

    private static int Escape(string source, int at, out int length)
    {
        length = 1;
        var kind = at + 1 < source.Length ? source[at + 1] : ' ';
        if (kind is '\r' or '\n')
        {
            length = 0;
            return Math.Max(at + 2, Fold(source, at + 1, out _));
        }
        if (kind == 'U') length = 2;
        return at + kind switch { 'x' => 4, 'u' => 6, 'U' => 10, _ => 2 };
    }

    private static int InBlock(string source, int at, int end, int offset)
    {
        var header = source.IndexOf('\n', at);
        if (header < 0 || header >= end) return at;
        var line = header + 1;
        var digit = source.AsSpan(at, header - at).IndexOfAnyInRange('1', '9');
        var indent = digit < 0 ? Indentation(source, line, end) : KeyIndentation(source, at) + source[at + digit] - '0';
        for (var read = 0; line < end;)
        {
            var stop = source.IndexOf('\n', line);
            if (stop < 0) stop = end;
            var text = Math.Min(line + indent, stop);
            if (offset - read <= stop - text) return text + offset - read;
            read += stop - text + 1;
            line = stop + 1;
        }
        return end;
    }

    /// <summary>An indicator in the header counts from the indentation of the key, hyphens before it counted in.</summary>
    private static int KeyIndentation(string source, int at)
    {
        var line = source.LastIndexOf('\n', Math.Max(0, at - 1)) + 1;
        var key = line;
        while (key < at && (source[key] == ' ' || (source[key] == '-' && source[key + 1] == ' '))) key++;
        return key - line;
    }

    private static int Indentation(string source, int line, int end)
    {
        while (line < end)
        {
            var at = line;
            while (at < end && source[at] == ' ') at++;
            if (at < end && source[at] is not ('\n' or '\r')) return at - line;
            line = source.IndexOf('\n', at) + 1;
            if (line == 0) break;
        }
        return 0;
    }
}
