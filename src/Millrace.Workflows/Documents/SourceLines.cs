namespace Millrace.Workflows.Documents;

/// <summary>Where the parts of a document stand in its text.</summary>
public sealed class SourceLines
{
    private readonly SourceMap? _map;

    private SourceLines(SourceMap? map) => _map = map;

    /// <summary>Never throws: a text that cannot be read has no places.</summary>
    public static SourceLines Of(string source)
    {
        try
        {
            return new SourceLines(DocumentReader.Read(source).Map);
        }
        catch (UnreadableException)
        {
            return new SourceLines(null);
        }
    }

    /// <summary>Where the key of the value stands, or the nearest part around it; line and column count from 1.</summary>
    public (int Line, int Column) Find(string pointer)
    {
        var mark = _map?.Key(pointer);
        return mark is { } found ? (found.Line, found.Column) : (1, 1);
    }
}
