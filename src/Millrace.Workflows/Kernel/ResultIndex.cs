namespace Millrace.Workflows.Kernel;

/// <summary>Where the results of one chunk are.</summary>
/// <param name="Offset">Index of the chunk's first result.</param>
/// <param name="IsBatched">An output is an array with a result for each item; otherwise it is one result.</param>
/// <param name="Runs">
/// The child runs whose outputs they are: one, and behind it those that carried out again what had failed in the one before. Empty when none has completed.
/// </param>
public sealed record ChunkResults(int Chunk, long Offset, int Count, bool IsBatched, IReadOnlyList<Guid> Runs);

/// <summary>Where the results of a map are that does not hold them itself: a few bytes for each chunk, however large its results.</summary>
public sealed class ResultIndex
{
    private readonly bool _isBatched;
    private readonly List<Guid> _runs = [];
    private readonly Dictionary<int, List<Guid>> _again = [];

    internal ResultIndex(bool isBatched) => _isBatched = isBatched;

    internal ChunkSizes Sizes { get; } = new();

    public int Chunks => _runs.Count;

    public ChunkResults this[int chunk]
    {
        get
        {
            var (offset, count) = Sizes[chunk];
            return new ChunkResults(chunk, offset, count, _isBatched, _runs[chunk] == default ? [] : [_runs[chunk], .. _again.GetValueOrDefault(chunk) ?? []]);
        }
    }

    internal void Add(long offset, int count)
    {
        Sizes.Add(offset, count);
        _runs.Add(default);
    }

    /// <param name="isAgain">What had failed was carried out again.</param>
    internal void Set(int chunk, Guid run, bool isAgain)
    {
        if (!isAgain) _runs[chunk] = run;
        else if (_again.TryGetValue(chunk, out var runs)) runs.Add(run);
        else _again[chunk] = [run];
    }
}
