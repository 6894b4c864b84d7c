namespace Millrace.Workflows.Kernel;

/// <summary>The events that a run has consumed: each is heard once, by all who listened then.</summary>
internal sealed class EventsHeard
{
    private Dictionary<long, int>? _consumed;

    /// <summary>Positions of the events; null for none.</summary>
    public IReadOnlyCollection<long>? All => _consumed is null ? null : [.. _consumed.Keys];

    public void Add(long position, int lastStep) => (_consumed ??= []).TryAdd(position, lastStep);

    /// <summary>Whether the event was consumed before that step began.</summary>
    public bool Has(long position, int before) => _consumed is not null && _consumed.TryGetValue(position, out var last) && before > last;
}
