using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>What one child carries out: a chunk of a map, or a member of a swarm.</summary>
internal sealed class Unit(int index)
{
    public int Index => index;
    public long Offset { get; init; }
    public int Count { get; init; }

    /// <summary>The cursor that gave the chunk.</summary>
    public Json Cursor { get; init; }

    /// <summary>Places of the chunk that are to be carried out again; null: all.</summary>
    public int[]? Only { get; init; }

    /// <summary>How often it has failed.</summary>
    public int Attempts { get; set; }

    public Guid Child { get; set; }
    public WorkflowError? Error { get; set; }
}

/// <summary>How far a step's children are, in children.</summary>
/// <param name="Total">Null while nobody knows how many there will be.</param>
/// <param name="Queued">Those that will start when there is room, or when others have ended; null as the total.</param>
/// <param name="Skipped">Members of a swarm that needed one which did not complete.</param>
public sealed record SpawnProgress(int? Total, int Completed, int Failed, int Running, int? Queued, int Skipped, int Concurrency)
{
    /// <summary>The first of those that failed, in the order of the collection.</summary>
    public WorkflowError? FirstError { get; init; }

    /// <summary>Members of a swarm, in the order of the definition.</summary>
    public IReadOnlyList<SpawnMember>? Members { get; init; }

    /// <summary><c>reference</c> or <c>none</c> where a map does not hold the results of its children; null where it does.</summary>
    public string? Results { get; init; }
}

/// <summary>A member of a swarm as people see it.</summary>
public sealed record SpawnMember(string Name, string State, Guid? Child, string? Reason, WorkflowError? Error, IReadOnlyList<string> Needs);

/// <summary>
/// The children of one step: which are under way, what is to be started next, and how the others ended; a fold of the
/// step's <see cref="SpawnEntry"/> facts. A child that is not under way is nobody's: its end counts once.
/// </summary>
public abstract class Window
{
    private readonly Dictionary<Guid, Unit> _running = [];
    private readonly SortedDictionary<int, Unit> _ready = [];
    private readonly Dictionary<string, string> _pins = new(StringComparer.Ordinal);

    public int Concurrency { get; private set; }
    public int Running => _running.Count;
    internal IEnumerable<Guid> Children => _running.Keys;

    /// <summary>Units to be started again, or whose needs are there.</summary>
    internal int Ready => _ready.Count;

    /// <summary>How far the children are, without the members of a swarm.</summary>
    public abstract SpawnProgress Counts { get; }

    public virtual SpawnProgress Progress => Counts;

    /// <summary>The step has ended but for its output.</summary>
    internal abstract bool IsOver { get; }

    /// <summary>More has failed than the step bears; null when not.</summary>
    internal abstract WorkflowError? Failure { get; }

    /// <summary>Something has not completed, and could be carried out again.</summary>
    internal abstract bool IsRedrivable { get; }

    /// <param name="run">The run that the step belongs to.</param>
    internal abstract Json OutputOf(Guid run, int step);

    /// <summary>What the journal keeps of a child's output; null: nothing.</summary>
    internal virtual Json? KeptOf(Json output) => output;

    /// <summary>Where the results of the children are; null where the step holds them, or nobody does.</summary>
    public virtual ResultIndex? Results => null;

    internal virtual long? WakeAt => null;

    internal bool CanStart => _running.Count < Concurrency && (_ready.Count > 0 || HasNew);
    internal bool CanGoOn => CanStart || IsOver || Failure is not null;

    /// <summary>A unit that nobody has named yet can be started.</summary>
    private protected virtual bool HasNew => false;

    internal bool Has(Guid child) => _running.ContainsKey(child);
    internal Unit UnitOf(Guid child) => _running[child];

    /// <summary>The hash that children of the definition run; null before the first.</summary>
    public string? PinOf(string definition) => _pins.GetValueOrDefault(definition);

    /// <summary>The next unit to start, as far as it is known.</summary>
    internal Unit? FirstReady => _ready.Count > 0 ? _ready.First().Value : null;

    internal static Window Open(TaskBody body, SpawnEntry.Opened e)
    {
        Window window = body is MapBody map ? new MapWindow(map, e) : new SwarmWindow((SwarmBody)body);
        window.Concurrency = e.Concurrency;
        return window;
    }

    internal void Apply(SpawnEntry entry, long at)
    {
        switch (entry)
        {
            case SpawnEntry.ChildStarted e:
                if (!_ready.Remove(e.Unit, out var unit)) unit = Cut(e);
                unit.Child = e.Child;
                _running.Add(e.Child, unit);
                Started(unit);
                break;
            case SpawnEntry.ChildEnded e:
                _running.Remove(e.Child, out unit);
                if (e.Phase == RunPhase.Completed) Complete(unit!, e.Output ?? Json.Null);
                else Fail(unit!, e.Error!, e.Phase);
                break;
            case SpawnEntry.ChildRetried e:
                _running.Remove(e.Child, out unit);
                unit!.Attempts++;
                unit.Error = e.Error;
                Delay(unit, e.WakeAt);
                break;
            case SpawnEntry.ChildContinued e:
                _running.Remove(e.Child, out unit);
                unit!.Child = e.Successor;
                _running.Add(e.Successor, unit);
                break;
            case SpawnEntry.DelayPassed: Undelay(at); break;
            case SpawnEntry.CursorMoved e: Move(e.Next); break;
            case SpawnEntry.ConcurrencyChanged e: Concurrency = e.Concurrency; break;
            case SpawnEntry.Pinned e: _pins[e.Definition] = e.Hash; break;
            default: throw new InvalidOperationException($"Unknown entry {entry.GetType().Name}.");
        }
    }

    /// <summary>What has not completed is to be done again; what was under way when the step ended was cancelled.</summary>
    internal void Reopen()
    {
        foreach (var unit in _running.Values) Queue(unit);
        _running.Clear();
        Renew();
    }

    /// <summary>What is under way belongs to another run: it is started anew.</summary>
    internal void Restart()
    {
        foreach (var unit in _running.Values) Queue(unit);
        _running.Clear();
    }

    private protected void Queue(Unit unit) => _ready[unit.Index] = unit;

    private protected abstract void Complete(Unit unit, Json output);
    private protected abstract void Fail(Unit unit, WorkflowError error, RunPhase phase);
    private protected abstract void Renew();

    private protected virtual void Started(Unit unit) { }
    private protected virtual Unit Cut(SpawnEntry.ChildStarted e) => throw new InvalidOperationException($"No unit {e.Unit} is ready.");
    private protected virtual void Move(Json next) => throw new InvalidOperationException("Nothing is walked here.");
    private protected virtual void Delay(Unit unit, long wakeAt) => throw new InvalidOperationException("Nothing is delayed here.");
    private protected virtual void Undelay(long at) { }
}
