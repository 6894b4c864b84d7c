using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// Inputs that one run carries out one after the other, each as if it were a run of its own. What came of them is the run's output: an
/// array in their order, or <c>{results, errors: [{index, error}]}</c> when some failed.
/// </summary>
public sealed class Batch
{
    private readonly JsonArray _items;
    private readonly bool _collects;
    private readonly List<Json> _results = [];
    private readonly List<Json> _errors = [];

    internal Batch(JsonArray items, bool collects)
    {
        _items = items;
        _collects = collects;
    }

    public int Count => _items.Count;

    /// <summary>The input at hand.</summary>
    public int Index => _results.Count;

    internal bool IsOver => Index >= Count;
    internal Json Item => IsOver ? Json.Null : _items[Index];

    /// <summary>The input at hand has not begun.</summary>
    internal bool Waits { get; set; }

    internal Json Output => _errors.Count == 0 ? JsonArray.Of(_results) : Json.Object("results", JsonArray.Of(_results), "errors", JsonArray.Of(_errors));

    /// <returns>What the end of a run means to its batch; null when the run ends with it.</returns>
    internal ItemEnded? Ends(Entry end) => end switch
    {
        Entry.RunCompleted done => new ItemEnded(done.Output, null),
        Entry.RunFaulted fault when _collects => new ItemEnded(null, fault.Error),
        _ => null,
    };

    internal void Apply(ItemEnded e)
    {
        if (e.Error is { } error) _errors.Add(Json.Object("index", Index, "error", error.ToJson()));
        _results.Add(e.Output ?? Json.Null);
        Waits = !IsOver;
    }
}
