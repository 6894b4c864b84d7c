using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.Engine.Functions;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What a worker is made of.</summary>
public sealed record EngineParts(
    Database Database, BlobStore Blobs, EventBus Bus, FunctionRegistry Functions, IDefinitionSource Definitions, ISecretSource Secrets,
    TimeProvider Time, ILogger Log)
{
    /// <summary>Joins the bus with those of other processes; null where there are none.</summary>
    public BusLink? Link { get; init; }
}

/// <summary>One worker: its lease, the runs it has in memory, and what happens to them outside their own turns.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private const int FailuresMax = 3;

    private readonly EngineParts _parts;
    private readonly ConcurrentDictionary<Guid, RunActor> _actors = new();
    private readonly ConcurrentQueue<RunActor> _idle = new();
    private readonly ConcurrentQueue<(Tenant Tenant, Guid Run)> _lost = new();
    private readonly ConcurrentDictionary<Guid, int> _failures = new();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<RunPhase>> _ends = new();
    private readonly Surroundings _around;
    private readonly Meter _gauges;
    private Lease _lease = new(0);
    private int _fencing;
    private int _held;
    private bool _draining;

    /// <summary>Runs that carry this worker's lease and were not in memory at the last look; null while nothing is in doubt.</summary>
    private HashSet<Guid>? _strangers;

    public Worker(EngineParts parts, EngineSettings settings)
    {
        _parts = parts;
        Settings = settings.Checked();
        _around = new Surroundings(() => Guid.CreateVersion7(parts.Time.GetUtcNow()), System.Random.Shared.NextDouble);
        Lanes = new Lanes(Settings);
        Timers = new Timers(parts.Time, () => Now);
        Journal = new JournalReader(parts.Database, parts.Blobs);
        Due = new DueRuns(this);
        Leases = new LeaseKeeper(this);
        Wakes = new Wakes(this);
        Announcements = new Announcements(parts.Bus, parts.Link, parts.Time);
        _gauges = EngineMetrics.Observe(this);
    }

    public EngineSettings Settings { get; }
    public Lanes Lanes { get; }
    public Timers Timers { get; }
    public JournalReader Journal { get; }
    public DueRuns Due { get; }
    public LeaseKeeper Leases { get; }
    public Wakes Wakes { get; }
    public Announcements Announcements { get; }
    public Database Database => _parts.Database;
    public BlobStore Blobs => _parts.Blobs;
    public EventBus Bus => _parts.Bus;
    public FunctionRegistry Functions => _parts.Functions;
    public IDefinitionSource Definitions => _parts.Definitions;
    public ISecretSource Secrets => _parts.Secrets;
    public TimeProvider Time => _parts.Time;
    public Lease Lease => Volatile.Read(ref _lease);
    public ILogger Log => _parts.Log;
    public int Held => Volatile.Read(ref _held);

    /// <summary>It takes no more runs, and begins no effect that another worker could begin as well.</summary>
    public bool IsDraining => Volatile.Read(ref _draining);

    public long Now => (Time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public Guid NewId() => _around.NewId();

    /// <summary>Takes a lease, frees the runs of the dead, and begins to look for due ones.</summary>
    public async Task StartAsync()
    {
        if (Settings.Works) await BeginLeaseAsync();
        await Leases.RunOnceAsync();
        Leases.Start();
        if (Settings.Works) Due.Start();
    }

    public Surroundings Around(RunActor actor) => actor.Workflow.Secrets.Count == 0
        ? _around
        : _around with { Secrets = names => SecretValues(actor.Tenant, names) };

    public bool IsOnce(string function) => Functions.Find(function)?.Descriptor.Idempotency == Idempotency.Once;

    /// <summary>Begins a run that was committed by this worker and for it.</summary>
    public void Adopt(NewRun run)
    {
        var lease = Lease;
        // A lease that ended meanwhile gave the run back.
        if (run.Row.Lease != lease.Id) return;
        var actor = new RunActor(this, run.Row.Tenant, run.Workflow, run.Row.Id) { Parent = run.Row.Parent, Depth = run.Row.Depth };
        actor.Adopt(run.First, run.Row.CreatedAt, lease);
        _actors[run.Row.Id] = actor;
        actor.PostHere(RunEvent.Created.Instance);
    }

    /// <summary>Goes on with a run that was just claimed.</summary>
    public async Task TakeAsync(RunRow row)
    {
        if (!_actors.TryGetValue(row.Id, out var actor))
        {
            var workflow = await Definitions.ByHashAsync(row.Tenant, row.Hash);
            if (workflow is null)
            {
                await GiveUpAsync(row.Tenant, row.Id, new WorkflowError(ErrorTypes.Configuration, 404, "Definition not found",
                    $"The run is pinned to {row.Definition} with hash {row.Hash}, which is not there any more.", "/"));
                return;
            }
            actor = _actors.GetOrAdd(row.Id, new RunActor(this, row.Tenant, workflow, row.Id) { Parent = row.Parent, Depth = row.Depth });
        }
        actor.Post(new RunEvent.Claimed(row));
    }

    public bool Holds(Guid run) => _actors.ContainsKey(run);

    public void Keep(RunActor actor) => _actors.TryAdd(actor.Id, actor);

    /// <summary>Counts the runs that are held.</summary>
    public void Holding(int change) => Interlocked.Add(ref _held, change);

    /// <summary>Tells whoever holds the run, or could, that its inbox is not empty.</summary>
    public void Nudge(Tenant tenant, Guid run)
    {
        if (_actors.TryGetValue(run, out var actor) && actor.IsHeld) actor.Post(RunEvent.Signalled.Instance);
        else if (Settings.Alone) Due.Call(0);
        else _ = Wakes.SendAsync(tenant, run);
    }

    /// <summary>A message says that the run's inbox is not empty, and that this worker holds it.</summary>
    public void NudgeHere(Guid run)
    {
        if (_actors.TryGetValue(run, out var actor) && actor.IsHeld) actor.Post(RunEvent.Signalled.Instance);
        else Due.Call(0);
    }

    /// <summary>A write that gives this worker runs was reported as failed; whether it was is found out by <see cref="RecoverLostAsync"/>.</summary>
    public void Doubt() => _strangers ??= [];

    public void LetGo(RunActor actor, RunChange change)
    {
        if (change.State >= RunPhase.Cancelled)
        {
            _actors.TryRemove(actor.Id, out _);
            _failures.TryRemove(actor.Id, out _);
            EngineEvents.RunEnded(actor);
            if (_ends.TryRemove(actor.Id, out var end)) end.TrySetResult(change.State);
            return;
        }
        _idle.Enqueue(actor);
        while (_idle.Count > Settings.IdleRunsMax && _idle.TryDequeue(out var oldest))
        {
            if (!oldest.IsHeld) _actors.TryRemove(KeyValuePair.Create(oldest.Id, oldest));
        }
        // Whether a signal has come in the same commit only the database knows, so it is asked.
        Due.Call(change.WakeAt ?? 0);
    }

    public Task<RunPhase> EndOf(Guid run) =>
        _ends.GetOrAdd(run, _ => new TaskCompletionSource<RunPhase>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void ForgetEnd(Guid run) => _ends.TryRemove(run, out _);

    public void CommitFailed(RunActor actor, RunRecord record, Exception e)
    {
        if (e is BrokenChainException) return;
        if (e is LostRunException)
        {
            using (Log.About(actor)) Log.RecordLost(actor.Id, e.Message, record.Seq);
            Forget(actor);
        }
        else if (e is StorageUnavailableException)
        {
            Forget(actor);
            _lost.Enqueue((actor.Tenant, actor.Id));
            if (record.Children.Count > 0) Doubt();
        }
        else
        {
            RunFailed(actor, e);
        }
    }

    /// <summary>A run this worker cannot go on with, through a fault of ours or of its data, is tried again and then faulted; it never stops the others.</summary>
    public void RunFailed(RunActor actor, Exception e)
    {
        EngineMetrics.TurnFailed();
        using (Log.About(actor)) Log.TurnFailed(e, actor.Id);
        Forget(actor);
        if (_failures.AddOrUpdate(actor.Id, 1, (_, n) => n + 1) < FailuresMax)
        {
            _lost.Enqueue((actor.Tenant, actor.Id));
            Due.Call(0);
            return;
        }
        _ = GiveUpAsync(actor.Tenant, actor.Id, new WorkflowError(ErrorTypes.Runtime, 500, "The engine could not go on", $"{e.GetType().Name}: {e.Message}", "/"));
    }

    public void LoopFailed(string what, Exception e)
    {
        if (e is StorageUnavailableException) Log.StoreUnavailable(what, e.Message);
        else Log.LoopFailed(e, what);
    }

    /// <summary>Another worker has declared this one dead. Nothing it decided since counts; it begins anew under a new lease.</summary>
    public void Fenced()
    {
        if (Interlocked.Exchange(ref _fencing, 1) == 1) return;
        EngineMetrics.LeaseLost();
        Log.LeaseOver(Lease.Id);
        foreach (var actor in _actors.Values) Forget(actor);
        _ = RejoinAsync();
    }

    /// <summary>
    /// Frees the runs whose records could not be written, and those that this worker holds on disk and knows nothing of, so that they
    /// are read again from what the disk holds.
    /// </summary>
    public async Task RecoverLostAsync()
    {
        if (_lost.IsEmpty && _strangers is null || Database.Fault is { Recoverable: false }) return;
        var lost = new List<(Tenant Tenant, Guid Run)>();
        while (_lost.TryDequeue(out var one)) lost.Add(one);
        try
        {
            lost.AddRange(await StrangersAsync());
            var (now, lease) = (Now, Lease);
            await Database.WriteAsync(db =>
            {
                // The heartbeat waits for whatever an earlier connection of this worker may still be writing under the lease.
                LeaseStore.Renew(db, lease.Id, now, now + (long)Settings.LeaseTime.TotalMicroseconds);
                foreach (var (tenant, run) in lost) RunStore.Free(db, tenant, run, lease.Id, now);
                return 0;
            });
        }
        catch
        {
            foreach (var one in lost) _lost.Enqueue(one);
            throw;
        }
    }

    /// <summary>Ends the lease after what is under way has ended, so that others go on with the runs at once.</summary>
    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _draining, true);
        await Due.DisposeAsync();
        await DrainAsync();
        await Leases.DisposeAsync();
        Timers.Dispose();
        foreach (var actor in _actors.Values) actor.Discard();
        try
        {
            var freed = !Settings.Works ? 0 : await Database.WriteAsync(db =>
            {
                LeaseStore.End(db, Lease.Id);
                return RunStore.Release(db, Now);
            });
            if (freed > 0) await Wakes.CallAsync();
        }
        catch (StorageUnavailableException e)
        {
            Log.LeaseKept(e.Message);
        }

        await Wakes.DisposeAsync();
        Announcements.Dispose();
        _gauges.Dispose();
        Lanes.Dispose();
    }

    /// <summary>Runs on disk under this lease that were unknown here at the last look and still are: what a write reported as failed has left.</summary>
    private async Task<IEnumerable<(Tenant, Guid)>> StrangersAsync()
    {
        if (_strangers is not { } known) return [];
        var lease = Lease.Id;
        var unknown = (await Database.ReadAsync(db => RunStore.HeldBy(db, lease))).Where(r => !_actors.ContainsKey(r.Run)).ToList();
        _strangers = unknown.Count == 0 ? null : [.. unknown.Select(r => r.Run)];
        return unknown.Where(r => known.Contains(r.Run));
    }

    /// <summary>Gives effects under way some time to end and be recorded.</summary>
    private async Task DrainAsync()
    {
        using var limit = new CancellationTokenSource(Settings.DrainTime, Time);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(20), Time);
        try
        {
            while (Database.Fault is null && (Lanes.Busy > 0 || _actors.Any(a => a.Value.IsBusy)) && await pulse.WaitForNextTickAsync(limit.Token)) { }
            // Behind every record that was handed over before.
            if (Database.Fault is null) await Database.WriteAsync(_ => 0).WaitAsync(limit.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or StorageUnavailableException)
        {
            Log.StoppedEarly(Lanes.Busy);
        }
    }

    private Json? SecretValues(Tenant tenant, IReadOnlyList<string> names)
    {
        var values = new JsonObject.Builder(names.Count);
        foreach (var name in names)
        {
            if (Secrets.Find(tenant, name) is not { } value) return null;
            values.Set(name, value);
        }
        return (Json)values.Build();
    }

    public void Forget(RunActor actor)
    {
        _actors.TryRemove(KeyValuePair.Create(actor.Id, actor));
        actor.Discard();
    }

    private async Task BeginLeaseAsync()
    {
        var now = Now;
        var lease = await Database.WriteAsync(db => LeaseStore.Begin(db, Settings.WorkerName, now, now + (long)Settings.LeaseTime.TotalMicroseconds));
        Volatile.Write(ref _lease, new Lease(lease));
        Wakes.Listen(Lease);
    }

    private async Task RejoinAsync()
    {
        try
        {
            await BeginLeaseAsync();
        }
        catch (Exception e)
        {
            LoopFailed("taking a new lease", e);
        }
        Volatile.Write(ref _fencing, 0);
        Due.Call(0);
    }

    private async Task GiveUpAsync(Tenant tenant, Guid run, WorkflowError error)
    {
        try
        {
            var now = Now;
            var (bytes, _) = EntryWriter.Write([new Entry.RunFaulted(error)]);
            var written = await Database.WriteAsync(db => WriteGivenUp(db, tenant, run, error, bytes, now));
            if (written is not { } ended) return;
            var (record, createdAt) = ended;
            _failures.TryRemove(run, out _);
            Announcements.Record(Topics.Run(run), record);
            foreach (var child in record.ChildrenToCancel) Nudge(tenant, child);
            if (record.Parent is { } parent) Nudge(tenant, parent);
            EngineMetrics.RunEnded(RunPhase.Faulted, createdAt, now);
            if (_ends.TryRemove(run, out var end)) end.TrySetResult(RunPhase.Faulted);
        }
        catch (Exception e)
        {
            LoopFailed($"giving up run {run}", e);
        }
    }

    /// <summary>Nothing of the run's state is known here but its row: so its children are asked for, and what stands in its inbox goes with it.</summary>
    /// <returns>Null when the run has ended or is another worker's by now.</returns>
    private (RunRecord Record, long CreatedAt)? WriteGivenUp(DbUnit db, Tenant tenant, Guid run, WorkflowError error, byte[] entries, long now)
    {
        if (RunStore.Get(db, tenant, run) is not { IsFinished: false } row) return null;
        var record = new RunRecord
        {
            Tenant = tenant,
            Run = run,
            Lease = Lease,
            Seq = JournalStore.LastSeq(db, tenant, run) + 1,
            At = now,
            Entries = entries,
            State = RunPhase.Faulted,
            Change = new RunChange(RunPhase.Faulted, false, null, row.StartedAt, now, now, error, null, row.Counts),
            ChildrenToCancel = RunStore.LiveChildren(db, tenant, run),
            Parent = row.Parent,
            SignalsTaken = long.MaxValue,
        };
        return record.Write(db) ? (record, row.CreatedAt) : null;
    }
}
