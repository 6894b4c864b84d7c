using Millrace.Workflows.Graph;
using YamlDotNet.Core;

namespace Millrace.Workflows.Documents;

/// <summary>A place in the source text; line and column count from 1, the index from 0.</summary>
internal readonly record struct SourceMark(int Line, int Column, int Index = 0)
{
    public static SourceMark Of(in Mark mark) => new((int)mark.Line, (int)mark.Column, (int)mark.Index);
}

/// <summary>
/// Where one value of the document stands, with what stands inside it. An alias shares the node of its anchor, so an
/// error inside an aliased value is shown where the text really is.
/// </summary>
internal sealed class SourceNode(SourceMark start, int end, ScalarStyle style)
{
    public SourceMark Start { get; } = start;
    public int End { get; } = end;
    public ScalarStyle Style { get; } = style;
    public Dictionary<string, (SourceMark Key, SourceNode Value)>? Members { get; init; }
    public List<SourceNode>? Items { get; init; }

    /// <summary>Levels below, those behind aliases counted.</summary>
    public int Height { get; init; }

    /// <summary>Characters of the longest pointer from here to a value below.</summary>
    public int Reach { get; init; }
}

/// <summary>Answers where in the source text a JSON pointer leads.</summary>
internal sealed class SourceMap(string source, SourceNode root)
{
    /// <summary>Where the value begins; where its nearest ancestor does when there is no such value.</summary>
    public SourceMark Value(string pointer) => Find(pointer).Node.Start;

    /// <summary>Where the key before the value stands; the value itself when it is an item or the root.</summary>
    public SourceMark Key(string pointer) => Find(pointer) is { Key: { } key } ? key : Find(pointer).Node.Start;

    /// <summary>Where a character of a string stands.</summary>
    /// <param name="offset">Index in the string's value.</param>
    public SourceMark Inside(string pointer, int offset)
    {
        var (node, _, exact) = Find(pointer);
        if (!exact || node.Members is not null || node.Items is not null) return node.Start;
        var index = ScalarText.SourceIndex(source, node, offset);
        var lineStart = source.LastIndexOf('\n', Math.Max(0, index - 1), Math.Max(0, index - node.Start.Index)) + 1;
        var lines = source.AsSpan(node.Start.Index, index - node.Start.Index).Count('\n');
        return new(node.Start.Line + lines, lines == 0 ? node.Start.Column + index - node.Start.Index : index - lineStart + 1, index);
    }

    private (SourceNode Node, SourceMark? Key, bool Exact) Find(string pointer)
    {
        var node = root;
        SourceMark? mark = null;
        foreach (var key in Pointer.Keys(pointer))
        {
            if (node.Members is not null && node.Members.TryGetValue(key, out var member))
                (mark, node) = (member.Key, member.Value);
            else if (node.Items is not null && int.TryParse(key, out var index) && (uint)index < (uint)node.Items.Count)
                (mark, node) = (null, node.Items[index]);
            else
                return (node, mark, false);
        }
        return (node, mark, true);
    }
}
