using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Views;
using Millrace.Platform.Definitions;
using Millrace.Storage;
using Millrace.Workflows.Graph;

namespace Millrace.Platform.Runs;

/// <summary>
/// Folded journals of the runs that are looked at, so that looking again reads only the records that came since. Bounded:
/// the ones not looked at for longest go, and very long histories are not kept at all.
/// </summary>
public sealed class RunHistories(Database database, CompiledDefinitions compiled, JournalReader journal)
{
    public const int RunsMax = 64;

    /// <summary>Steps of one history that are kept in memory between requests.</summary>
    public const int StepsMax = 20_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _recent = new();

    /// <summary>Hands out the run's history, caught up with the disk, for as long as <paramref name="read"/> takes.</summary>
    /// <returns>Null when the workspace has no such run.</returns>
    public async Task<T?> ReadAsync<T>(Tenant tenant, Guid run, Func<RunRow, RunHistory, T> read, CancellationToken cancel) where T : class
    {
        if (await database.ReadAsync(db => RunStore.Get(db, tenant, run), cancel) is not { } row) return null;
        var entry = EntryOf(tenant, run);
        await entry.Turn.WaitAsync(cancel);
        try
        {
            entry.History ??= new RunHistory(await WorkflowOfAsync(tenant, row, cancel), run);
            foreach (var record in await journal.AfterAsync(tenant, run, entry.History.State.Position)) entry.History.Apply(record);
            return read(row, entry.History);
        }
        finally
        {
            if (entry.History is { Steps.Count: > StepsMax }) entry.History = null;
            entry.Turn.Release();
        }
    }

    /// <exception cref="InvalidOperationException">The version a run is pinned to is gone; versions are never deleted.</exception>
    public async Task<Workflow> WorkflowOfAsync(Tenant tenant, RunRow row, CancellationToken cancel) =>
        await compiled.FindAsync(database, tenant, row.Hash, cancel) ?? throw new InvalidOperationException($"The definition {row.Hash} of run {row.Id} is missing.");

    private Entry EntryOf(Tenant tenant, Guid run)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(run, out var known) && known.Value.Tenant == tenant)
            {
                _recent.Remove(known);
                _recent.AddFirst(known);
                return known.Value;
            }
            var entry = new Entry(tenant, run);
            _entries[run] = _recent.AddFirst(entry);
            if (_recent.Count > RunsMax)
            {
                _entries.Remove(_recent.Last!.Value.Run);
                _recent.RemoveLast();
            }
            return entry;
        }
    }

    private sealed record Entry(Tenant Tenant, Guid Run)
    {
        /// <summary>One reader at a time applies records. It holds no unmanaged resource as long as its wait handle is not asked for.</summary>
        public SemaphoreSlim Turn { get; } = new(1);

        public RunHistory? History { get; set; }
    }
}
