using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>
/// A task that is carried out by many child runs under one window: <c>map</c> and <c>swarm</c> of the default catalog
/// (docs/decisions/0014-spawn.md). Which workflows they run is known before the run starts.
/// </summary>
public abstract record ChildrenBody(Template Concurrency) : TaskBody
{
    public const string Map = "map:1.0.0@default";
    public const string Swarm = "swarm:1.0.0@default";

    /// <summary>Children of one step that are under way at once.</summary>
    public const int ConcurrencyMax = 1000;

    /// <summary>Items that one child gets at most.</summary>
    public const int ChunkMax = 10_000;

    /// <summary>The definitions that children run; their inputs see what the task names besides.</summary>
    public abstract IEnumerable<SpawnBody> Children { get; }
}

/// <summary>A child run for each chunk of a collection.</summary>
/// <param name="Child">Its input template is evaluated for each item with <c>$item</c> and <c>$index</c>, or for each chunk with <c>$items</c> and <c>$offset</c>.</param>
/// <param name="Items">The collection; null where <paramref name="Pages"/> gives it piece by piece.</param>
/// <param name="Each">A child is given single items, one after the other; otherwise its input is the chunk as a whole.</param>
/// <param name="Key">The idempotency key of what is done for an item.</param>
/// <param name="Tolerance">A number of failures, or a percentage such as <c>"5%"</c>; null: any number when <paramref name="Collect"/>, else none.</param>
/// <param name="Collect">Failures do not end the step: its output tells of them.</param>
public sealed record MapBody(
    Template Concurrency, SpawnBody Child, Template? Items, Pages? Pages, Template? Chunk, bool Each, Template? Key, bool Collect, Template? Tolerance) : ChildrenBody(Concurrency)
{
    public MapResults Results { get; init; }

    /// <summary>What is done for each, where it stands in the task itself: children then run these tasks of the same text. Never empty.</summary>
    public Scope? Tasks { get; init; }

    public override IEnumerable<SpawnBody> Children => Tasks is null ? [Child] : [];
}

/// <summary>Where the results of a map's children are.</summary>
public enum MapResults
{
    /// <summary>In the step's output, and in memory until then.</summary>
    Inline,

    /// <summary>With the children; the output says which they are.</summary>
    Reference,

    /// <summary>Nobody asks for them.</summary>
    None,
}

/// <summary>
/// A collection that is made while it is walked: <paramref name="Items"/> and <paramref name="Next"/> are evaluated for one <c>$cursor</c> after the
/// other, beginning with <paramref name="First"/>, until the next one is null. What one cursor gives is one chunk.
/// </summary>
public sealed record Pages(Template First, Template Items, Template Next);

/// <summary>Child runs that need each other's results: a directed graph without cycles.</summary>
/// <param name="Join">How many must complete for the step to end; 0: all must have ended.</param>
/// <param name="Collect">A member that fails ends only those that need it; otherwise it ends the step.</param>
public sealed record SwarmBody(Template Concurrency, IReadOnlyList<SwarmNode> Nodes, int Join, bool Collect) : ChildrenBody(Concurrency)
{
    public override IEnumerable<SpawnBody> Children => Nodes.Select(n => n.Child);
}

/// <summary>A member of a swarm.</summary>
/// <param name="Child">Its input template sees the results of its needs as <c>$needs</c>, by name.</param>
/// <param name="Needs">Indices of the members that must complete before it starts.</param>
/// <param name="Dependents">Indices of the members that need it.</param>
/// <param name="Retries">How often it is started again after it failed.</param>
public sealed record SwarmNode(string Name, SpawnBody Child, IReadOnlyList<int> Needs, IReadOnlyList<int> Dependents, int Retries, Template? Delay, Template? Timeout);
