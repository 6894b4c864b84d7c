using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>One chunk of the results that a map left with its children.</summary>
/// <param name="Children">Children that the map had had when the reference was made: after a redrive it had more, and the results are others.</param>
/// <param name="Only">Places of the chunk that are wanted; null: all.</param>
public sealed record ChunkReference(Guid Run, int Step, int Children, int Chunk, int[]? Only = null);

/// <summary>Results of a map by reference, as the output of that map says it: <c>{run, step, chunks, children, sizes}</c>.</summary>
internal sealed class ResultSource
{
    private readonly Guid _run;
    private readonly int _step, _children;
    private readonly ChunkSizes _sizes;

    private ResultSource(Guid run, int step, int children, ChunkSizes sizes) => (_run, _step, _children, _sizes) = (run, step, children, sizes);

    public int Chunks => _sizes.Chunks;

    public (long Offset, int Count) SizeOf(int chunk) => _sizes[chunk];

    public ChunkReference Of(int chunk, int[]? only) => new(_run, _step, _children, chunk, only);

    public static Json Reference(Guid run, int step, int children, ResultIndex index) => new JsonObject.Builder(5)
        .Set("run", run.ToString()).Set("step", step).Set("chunks", index.Chunks).Set("children", children).Set("sizes", index.Sizes.ToJson()).Build();

    /// <summary>Null when the value refers to no results.</summary>
    public static ResultSource? FromJson(Json json)
    {
        if (!json.IsObject || !Guid.TryParse(json["run"].StringOrNull, out var run)) return null;
        if (Number(json["step"]) is not { } step || Number(json["children"]) is not { } children || Number(json["chunks"]) is not { } chunks) return null;
        return ChunkSizes.FromJson(json["sizes"], chunks) is { } sizes ? new ResultSource(run, step, children, sizes) : null;
    }

    private static int? Number(Json json) => json.IsNumber && json.AsNumber() is >= 0 and <= int.MaxValue and var number ? (int)number : null;
}
