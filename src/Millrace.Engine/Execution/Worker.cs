using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.Engine.Events;
using Millrace.Engine.Functions;
using Millrace.Engine.Holds;
using Millrace.Engine.Journal;
using Millrace.Engine.Limits;
using Millrace.Engine.Retention;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Bus;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>One worker: its lease, the runs it has in memory, and what happens to them outside their own turns.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private readonly EngineParts _parts;
    private readonly ConcurrentDictionary<Guid, RunActor> _actors = new();
    private readonly ConcurrentQueue<RunActor> _idle = new();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<RunPhase>> _ends = new();
    private readonly Surroundings _around;
    private readonly Meter _gauges;
    private Lease _lease = new(0);
    private int _fencing;
    private int _held;
    private bool _draining;

    public Worker(EngineParts parts, EngineSettings settings)
    {
        _parts = parts;
        Settings = settings.Checked();
        Clock = new SharedClock(parts.Database, parts.Time);
        _around = new Surroundings(() => parts.NewId(Clock.Time), parts.Random);
        (Lanes, Results) = (new Lanes(Settings), new ReferencedResults(this));
        Timers = new Timers(parts.Time, () => Now);
        Journal = new JournalReader(parts.Database, parts.Blobs);
        Due = new DueRuns(this);
        Leases = new LeaseKeeper(this);
        Wakes = new Wakes(this);
        Strays = new StrayRuns(this);
        Announcements = new Announcements(parts.Bus, parts.Link, parts.Time);
        (Lost, Failures) = (new LostRuns(this), new RunFailures(this));
        (Schedules, Limits, Keeping) = (new Schedules(this), new RunLimits(this), new RunKeeper(this));
        (Events, Keeper, Standing) = (new EventLog(this), new EventKeeper(this), new Standing(this));
        _gauges = EngineMetrics.Observe(this);
    }

    public EngineSettings Settings { get; }
    public Lanes Lanes { get; }
    public Timers Timers { get; }
    public JournalReader Journal { get; }
    public DueRuns Due { get; }
    public LeaseKeeper Leases { get; }
    public Wakes Wakes { get; }
    public StrayRuns Strays { get; }
    public Announcements Announcements { get; }
    public LostRuns Lost { get; }
    public RunFailures Failures { get; }
    public ReferencedResults Results { get; }
    public SharedClock Clock { get; }
    public Schedules Schedules { get; }
    public RunLimits Limits { get; }
    public RunKeeper Keeping { get; }
    public EventLog Events { get; }
    public EventKeeper Keeper { get; }
    public Standing Standing { get; }
    public IEnumerable<RunActor> Actors => _actors.Values;
    public Database Database => _parts.Database;
    public BlobStore Blobs => _parts.Blobs;
    public EventBus Bus => _parts.Bus;
    public FunctionRegistry Functions => _parts.Functions;
    public IDefinitionSource Definitions => _parts.Definitions;
    public ISecretSource Secrets => _parts.Secrets;
    public TimeProvider Time => _parts.Time;
    public WorkPool Pool => _parts.Pool;
    public Lease Lease => Volatile.Read(ref _lease);
    public ILogger Log => _parts.Log;
    public int Held => Volatile.Read(ref _held);

    /// <summary>It takes no more runs, and begins no effect that another worker could begin as well.</summary>
    public bool IsDraining => Volatile.Read(ref _draining);

    public long Now => Clock.Now;

    public Guid NewId() => _around.NewId();

    /// <summary>Takes a lease, frees the runs of the dead, and begins to look for due ones.</summary>
    public async Task StartAsync()
    {
        if (Settings.Works) await BeginLeaseAsync();
        await Leases.RunOnceAsync();
        await Standing.RefreshAsync();
        Leases.Start();
        await Limits.ReadSettingsAsync();
        await Keeping.ReadSettingsAsync();
        if (Settings.Works || Settings.Schedules) Keeping.Start();
        if (Settings.Works) Limits.Start();
        if (Settings.Works) Due.Start();
        Keeper.Start();
    }

    public Surroundings Around(RunActor actor) => actor.Workflow.Secrets.Count == 0
        ? _around
        : _around with { Secrets = names => Secrets.ValuesOf(actor.Tenant, names) };

    public bool IsOnce(string function) => Functions.Find(function)?.Descriptor.Idempotency == Idempotency.Once;

    /// <summary>Begins a run that was committed by this worker and for it.</summary>
    public void Adopt(NewRun run)
    {
        var lease = Lease;
        if (run.Row.Lease != lease.Id)
        {
            // A lease that ended meanwhile gave the run back, or it is for whoever takes it.
            Lost.ExpectNoMore(run.Row.Id);
            if (run.Row.Lease is null) _ = Wakes.ShareAsync(run.Row.Id, run.Row.WakeAt!.Value);
            return;
        }
        var actor = new RunActor(this, run.Row.Tenant, run.Workflow, run.Row.Id) { Lineage = Lineage.Of(run.Row) };
        actor.Adopt(run.First, run.Row.CreatedAt, lease);
        _actors[run.Row.Id] = actor;
        Lost.ExpectNoMore(run.Row.Id);
        actor.PostHere(RunEvent.Created.Instance);
        if (lease != Lease) Forget(actor);
    }

    /// <summary>Goes on with a run that was just claimed, or puts it in line when it may not work yet.</summary>
    public async Task TakeAsync(RunRow row)
    {
        try
        {
            if (!_actors.TryGetValue(row.Id, out var actor))
            {
                if (await Strays.DefinitionAsync(row) is not { } workflow) return;
                actor = new RunActor(this, row.Tenant, workflow, row.Id) { Lineage = Lineage.Of(row) };
            }
            if (await Limits.PassAsync(row, actor.Workflow) is not { } passed) return;
            actor = _actors.GetOrAdd(row.Id, actor);
            actor.Claim(passed);
            Keep(actor);
        }
        catch (Exception e)
        {
            // One run whose definition cannot be read does not keep the others that were claimed with it.
            Failures.CouldNotGoOn(row.Tenant, row.Id, e);
        }
    }

    /// <summary>The workspaces that at least so many of the runs in hand belong to, the largest first.</summary>
    public List<Guid> Crowds(int least, int most) =>
        [.. _actors.Values.Where(a => a.IsHeld || a.IsClaimed).CountBy(a => a.Tenant.Workspace).Where(w => w.Value >= least).OrderByDescending(w => w.Value).Take(most).Select(w => w.Key)];

    public bool IsInMemory(Guid run) => _actors.ContainsKey(run);

    /// <summary>The run is this worker's, or will be as soon as its claim is read.</summary>
    public bool Holds(Guid run) => _actors.TryGetValue(run, out var actor) && (actor.IsClaimed || actor.IsHeld);

    public void Keep(RunActor actor)
    {
        _actors.TryAdd(actor.Id, actor);
        // Forgotten meanwhile: it must not be found again.
        if (actor.IsDead) _actors.TryRemove(KeyValuePair.Create(actor.Id, actor));
    }

    /// <summary>Counts the runs that are held or about to be.</summary>
    public void Holding(int change)
    {
        var held = Interlocked.Add(ref _held, change);
        if (change < 0) Due.Left(held);
    }

    /// <summary>Tells whoever holds the run, or could, that its inbox is not empty.</summary>
    public void Nudge(Tenant tenant, Guid run)
    {
        if (PostTo(run)) return;
        if (Settings.Alone) Due.Call(0);
        else _ = Wakes.SendAsync(tenant, run);
    }

    /// <summary>A message says that the run's inbox is not empty, and that this worker holds it.</summary>
    public void NudgeHere(Guid run) { if (!PostTo(run)) Due.Call(0); }

    private bool PostTo(Guid run)
    {
        if (!_actors.TryGetValue(run, out var actor)) return false;
        var held = actor.IsHeld;
        if (held) actor.Post(RunEvent.Signalled.Instance);
        // It may be about to let go, which makes it due; whoever looks before that is on disk finds nothing.
        else actor.WasCalled = true;
        return held;
    }

    public void LetGo(RunActor actor, RunChange change)
    {
        if (actor.Limits.Plan is { } plan) Limits.Left(actor.Tenant, plan);
        if (change.State >= RunPhase.Cancelled)
        {
            _actors.TryRemove(actor.Id, out _);
            EngineEvents.RunEnded(actor);
            Ended(actor.Id, change.State);
            return;
        }
        _idle.Enqueue(actor);
        while (_idle.Count > Settings.IdleRunsMax && _idle.TryDequeue(out var oldest))
        {
            // Asked after it is out: one that is claimed meanwhile comes back.
            if (_actors.TryRemove(KeyValuePair.Create(oldest.Id, oldest)) && (oldest.IsHeld || oldest.IsClaimed)) Keep(oldest);
        }
        // Whether a signal has come in the same commit only the database knows, so it is asked.
        Due.Call(actor.WasCalled ? 0 : change.WakeAt ?? 0);
        actor.WasCalled = false;
    }

    public Task<RunPhase> EndOf(Guid run) =>
        _ends.GetOrAdd(run, _ => new TaskCompletionSource<RunPhase>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Ended(Guid run, RunPhase state)
    {
        Failures.Forget(run);
        if (_ends.TryRemove(run, out var end)) end.TrySetResult(state);
    }

    public void ForgetEnd(Guid run) => _ends.TryRemove(run, out _);

    public void LoopFailed(string what, Exception e)
    {
        if (e is StorageUnavailableException) Log.StoreUnavailable(what, e.Message);
        else Log.LoopFailed(e, what);
    }

    /// <summary>Another worker has declared this one dead. Nothing it decided since counts; it begins anew under a new lease.</summary>
    /// <param name="over">The lease that ended; word of one before the present comes late and means nothing.</param>
    public void Fenced(Lease over)
    {
        if (over != Lease || Interlocked.Exchange(ref _fencing, 1) == 1) return;
        EngineMetrics.LeaseLost();
        Log.LeaseOver(Lease.Id);
        foreach (var actor in _actors.Values) Forget(actor);
        _ = RejoinAsync();
    }

    /// <summary>Ends the lease after what is under way has ended, so that others go on with the runs at once.</summary>
    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _draining, true);
        await Due.DisposeAsync();
        await Limits.DisposeAsync();
        await Keeping.DisposeAsync();
        await DrainAsync();
        await Leases.DisposeAsync();
        await Keeper.DisposeAsync();
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

    public void Forget(RunActor actor)
    {
        actor.Discard();
        _actors.TryRemove(KeyValuePair.Create(actor.Id, actor));
    }

    private async Task BeginLeaseAsync()
    {
        await Clock.SetAsync();
        var now = Now;
        var lease = await Database.WriteAsync(db => LeaseStore.Begin(db, Settings.WorkerName, now, now + (long)Settings.LeaseTime.TotalMicroseconds));
        Volatile.Write(ref _lease, new Lease(lease, Standing.Compare));
        Wakes.Listen(Lease);
    }

    private async Task RejoinAsync()
    {
        try
        {
            await BeginLeaseAsync();
            // What came under the old one while this was under way is nobody's: its effects would go on unseen.
            foreach (var actor in _actors.Values.Where(a => a.IsHeld && a.Lease != Lease)) Forget(actor);
        }
        catch (Exception e)
        {
            LoopFailed("taking a new lease", e);
        }
        Volatile.Write(ref _fencing, 0);
        Due.Call(0);
    }
}
