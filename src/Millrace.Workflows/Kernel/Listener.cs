using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>What a step that listens has heard so far: the fold of its entries.</summary>
public sealed class Listener
{
    private readonly HashSet<long> _heard = [];
    private readonly Queue<Json> _waiting = new();

    internal Listener(EventStrategy to)
    {
        Found = new bool[to.Filters.Count];
        Ends = new bool[to.UntilEvents?.Filters.Count ?? 0];
    }

    /// <summary>Events consumed, those of <c>until</c> not counted.</summary>
    public int Consumed { get; private set; }

    /// <summary>Events that <c>until</c> has consumed.</summary>
    public int Ending { get; private set; }

    /// <summary>Events consumed that wait for the ones before them to be done with.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>What the events agree in, by the name of the correlation.</summary>
    public IReadOnlyDictionary<string, Json> Correlated => Correlations;

    /// <summary>Which filters an event was found for.</summary>
    internal bool[] Found { get; }
    internal bool[] Ends { get; }

    /// <summary>What the events must agree in, by the name of the correlation.</summary>
    internal Dictionary<string, Json> Correlations { get; } = new(StringComparer.Ordinal);

    /// <summary>The output so far.</summary>
    internal JsonArray Output { get; private set; } = JsonArray.Empty;

    /// <summary>The event something is being done for, and its place; -1 before the first.</summary>
    internal Json Item { get; private set; }
    internal int Index { get; private set; } = -1;
    internal bool IsBusy { get; private set; }

    internal bool Has(long position) => _heard.Contains(position);

    internal void Consume(Entry.EventConsumed e, bool queues)
    {
        _heard.Add(e.Event);
        foreach (var (name, value) in e.Correlated ?? JsonObject.Empty) Correlations[name] = value;
        var found = e.Ends ? Ends : Found;
        if (e.Filter >= 0) found[e.Filter] = true;
        if (e.Ends)
        {
            Ending++;
            return;
        }
        Consumed++;
        if (queues) _waiting.Enqueue(e.Item);
        else Output = Output.Append(e.Item);
    }

    internal Json Take()
    {
        (Item, IsBusy) = (_waiting.Dequeue(), true);
        Index++;
        return Item;
    }

    internal void Handle(Json output)
    {
        Output = Output.Append(output);
        (Item, IsBusy) = (default, false);
    }
}
