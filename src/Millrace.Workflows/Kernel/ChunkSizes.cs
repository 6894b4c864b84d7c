using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>How many results each chunk of a map has. Most collections are cut evenly, so only where the number changes is kept.</summary>
internal sealed class ChunkSizes
{
    private readonly List<(int Chunk, long Offset, int Count)> _changes = [];

    public int Chunks { get; private set; }

    /// <summary>Index of the chunk's first result, and their number.</summary>
    public (long Offset, int Count) this[int chunk]
    {
        get
        {
            var (first, offset, count) = _changes[~_changes.BinarySearch((chunk, long.MaxValue, 0)) - 1];
            return (offset + ((long)(chunk - first) * count), count);
        }
    }

    public void Add(long offset, int count)
    {
        if (_changes.Count == 0 || _changes[^1].Count != count) _changes.Add((Chunks, offset, count));
        Chunks++;
    }

    public Json ToJson() => JsonArray.Of(_changes.ConvertAll(c => (Json)Json.Array(c.Chunk, c.Offset, c.Count)));

    /// <summary>Null when it is none.</summary>
    public static ChunkSizes? FromJson(Json json, int chunks)
    {
        var sizes = new ChunkSizes { Chunks = chunks };
        foreach (var change in (json.ArrayOrNull ?? JsonArray.Empty).Span)
        {
            if (change.ArrayOrNull is not { Count: 3 } of || !of[0].IsNumber || !of[1].IsNumber || !of[2].IsNumber) return null;
            sizes._changes.Add(((int)of[0].AsNumber(), (long)of[1].AsNumber(), (int)of[2].AsNumber()));
        }
        return chunks == 0 || (sizes._changes.Count > 0 && sizes._changes[0].Chunk == 0) ? sizes : null;
    }
}
