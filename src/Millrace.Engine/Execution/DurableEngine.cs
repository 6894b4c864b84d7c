using Millrace.Engine.Approvals;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Events;
using Millrace.Engine.Forks;
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
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <param name="Workflow">The compiled version to run; an executable one.</param>
/// <param name="IdempotencyKey">At most 255 characters; the same key starts one run.</param>
/// <param name="RequestHash">Tells whether the same key comes with the same request.</param>
/// <param name="Trace">W3C traceparent of the caller, as <see cref="EngineTrace.Normalised"/> gives it.</param>
public sealed record StartRequest(Tenant Tenant, Workflow Workflow, Json Input, string? IdempotencyKey = null, string? RequestHash = null, string? Trace = null);

/// <summary>How a start request ended. All are answered after their commit.</summary>
public abstract record StartOutcome
{
    public sealed record Started(Guid Run) : StartOutcome;

    /// <summary>The key has started this run before, with the same request.</summary>
    public sealed record Existing(Guid Run) : StartOutcome;

    /// <summary>The key was used for another request.</summary>
    public sealed record Conflict(Guid Run) : StartOutcome;
}

/// <summary>How a request to cancel, suspend, resume or redrive ended. Accepted means it is on disk and will take effect. Changed: the run is no longer as the caller saw it.</summary>
public enum ControlOutcome { Accepted, NotFound, AlreadyFinished, AlreadySuspended, NotSuspended, NotFinished, Continued, Changed }

/// <summary>Durable execution: starts runs, carries them out, and takes wishes about them.</summary>
public sealed class DurableEngine : IAsyncDisposable
{
    private readonly Worker _worker;

    private DurableEngine(Worker worker) => _worker = worker;

    public JournalReader Journal => _worker.Journal;
    public EventLog Events => _worker.Events;
    public FunctionRegistry Functions => _worker.Functions;
    internal Worker Worker => _worker;
    public DeadLetterOffice DeadLetters => field ??= new DeadLetterOffice(_worker);
    public RetentionControl Retention => field ??= new RetentionControl(_worker);
    public LimitControl Limits => field ??= new LimitControl(_worker);
    public ScheduleControl Schedules => field ??= new ScheduleControl(_worker);

    public HoldControl Holds => field ??= new HoldControl(_worker);
    public RunSignals Signals => field ??= new RunSignals(_worker);
    public ApprovalControl Approvals => field ??= new ApprovalControl(_worker);

    /// <summary>The time that due times are written and compared by, Unix microseconds: where several processes share a database it is the database's, whatever this one's clock says.</summary>
    public long Now => _worker.Now;

    /// <summary>Runs this worker holds now.</summary>
    public int Held => _worker.Held;

    /// <summary>Takes a lease on a migrated database, recovers what was under way, and begins to serve.</summary>
    public static async Task<DurableEngine> OpenAsync(EngineParts parts, EngineSettings settings)
    {
        var worker = new Worker(parts, settings);
        await worker.StartAsync();
        if (settings.Schedules) worker.Schedules.Start();
        return new DurableEngine(worker);
    }

    /// <summary>Starts a run. The answer comes after its row and input are on disk.</summary>
    /// <exception cref="StorageUnavailableException">Nothing was started.</exception>
    public async Task<StartOutcome> StartAsync(StartRequest request)
    {
        var (now, lease) = (_worker.Now, _worker.Lease);
        var row = RunRow.New(request.Tenant, _worker.NewId(), request.Workflow.Id, request.Workflow.Hash, now) with { Lease = lease.Id };
        using var span = EngineTrace.Start(request, row.Id);
        var first = new Entry.RunCreated(request.Input) { Trace = span?.Id ?? request.Trace };
        var run = await NewRun.CreateAsync(_worker.Keeping.Loose, row, request.Workflow, first);
        _worker.Lost.Expect(row.Id);
        try
        {
            var (known, held) = await _worker.Database.WriteAsync(db => Insert(db, request, run, lease, now));
            if (known is { } existing)
                return existing.Request == (request.RequestHash ?? "") ? new StartOutcome.Existing(existing.Run) : new StartOutcome.Conflict(existing.Run);
            EngineMetrics.RunStarted();
            if (held) _worker.Adopt(run);
            else await _worker.Wakes.CallAsync();
            return new StartOutcome.Started(row.Id);
        }
        catch (StorageUnavailableException)
        {
            // It may have been written all the same: the database is asked once, however many were refused.
            _worker.Lost.Doubt();
            throw;
        }
        finally
        {
            _worker.Lost.ExpectNoMore(row.Id);
        }
    }

    /// <summary>A worker that is alive keeps what it starts; otherwise the run is due for whoever takes it first.</summary>
    private ((Guid Run, string Request)? Known, bool Held) Insert(DbUnit db, StartRequest request, NewRun run, Lease lease, long now)
    {
        if (request.IdempotencyKey is { } key
            && RunStore.KeepKey(db, request.Tenant, key, request.RequestHash ?? "", run.Row.Id, now) is { } earlier) return (earlier, false);
        var held = _worker.Settings.Works && !_worker.IsDraining && !_worker.Limits.Governs(request.Tenant, request.Workflow) && lease.IsAlive(db);
        run.Insert(db, held ? run.Row : run.Row with { Lease = null, WakeAt = now });
        return (null, held);
    }

    /// <summary>Starts a run that goes on from a state another one had. The answer comes after it is on disk.</summary>
    public Task<ForkOutcome> ForkAsync(ForkRequest request) => ForkRun.ForkAsync(_worker, request);

    /// <summary>What the run did is undone first, where its tasks say how.</summary>
    public Task<ControlOutcome> CancelAsync(Tenant tenant, Guid run, string? reason) => SignalAsync(tenant, run, "cancel", Reason(reason));

    /// <summary>Nothing is undone; what is being undone stops as well.</summary>
    public Task<ControlOutcome> StopAsync(Tenant tenant, Guid run, string? reason) =>
        SignalAsync(tenant, run, "cancel", Reason(reason).AsObject().With("cleanUp", false));

    /// <summary>Effects under way end and are recorded; nothing new begins until the run is resumed.</summary>
    public Task<ControlOutcome> SuspendAsync(Tenant tenant, Guid run, string? reason) => SignalAsync(tenant, run, "suspend", Reason(reason));

    public Task<ControlOutcome> ResumeAsync(Tenant tenant, Guid run, string? reason) => SignalAsync(tenant, run, "resume", Reason(reason));

    /// <summary>Changes how many children of a map or a swarm are under way at once.</summary>
    public Task<ControlOutcome> ChangeConcurrencyAsync(Tenant tenant, Guid run, int step, int concurrency) =>
        SignalAsync(tenant, run, "concurrency", Json.Object("step", step, "concurrency", concurrency));

    /// <summary>
    /// Takes a run that has ended back to a map or a swarm of which not all children completed: those are carried out again, and what follows
    /// the step is done again. The caller has seen that <see cref="RunState.IsRedrivable"/>.
    /// </summary>
    /// <param name="seen">The run's last record when that was seen: one that went back and came to another end meanwhile may not be able to.</param>
    public async Task<ControlOutcome> RedriveAsync(Tenant tenant, Guid run, int step, long seen)
    {
        var now = _worker.Now;
        var outcome = await _worker.Database.WriteAsync(db =>
        {
            if (RunStore.Lock(db, tenant, run) is not { } row) return ControlOutcome.NotFound;
            if (!row.IsFinished) return ControlOutcome.NotFinished;
            // Two runs of one chain cannot work at once.
            if (ContinuationStore.IsContinued(db, tenant, run)) return ControlOutcome.Continued;
            if (JournalStore.LastSeq(db, tenant, run) != seen) return ControlOutcome.Changed;
            RunStore.Reopen(db, tenant, run, now);
            RetentionStore.Keep(db, tenant, run);
            SignalStore.Send(db, tenant, run, "redrive", Json.Object("step", step), now);
            return ControlOutcome.Accepted;
        });
        if (outcome == ControlOutcome.Accepted) _worker.Nudge(tenant, run);
        return outcome;
    }

    /// <summary>Ends when the run has ended. For callers in this process; others follow the run's stream.</summary>
    public async Task<RunPhase> EndAsync(Tenant tenant, Guid run, CancellationToken cancel = default)
    {
        var end = _worker.EndOf(run);
        // A run in memory tells of its end; only of others the row must be asked.
        if (_worker.IsInMemory(run)) return await end.WaitAsync(cancel);
        var row = await _worker.Database.ReadAsync(db => RunStore.Get(db, tenant, run), cancel);
        if (row is not { IsFinished: true }) return await end.WaitAsync(cancel);
        _worker.ForgetEnd(run);
        return row.State;
    }

    /// <summary>True while the lease this engine writes under is alive; one that holds no runs needs none.</summary>
    public Task<bool> IsAliveAsync(CancellationToken cancel = default) =>
        _worker.Database.ReadAsync(db => !_worker.Settings.Works || LeaseStore.SeemsAlive(db, _worker.Lease.Id), cancel);

    public async ValueTask DisposeAsync()
    {
        await _worker.Schedules.DisposeAsync();
        await _worker.DisposeAsync();
    }

    private static Json Reason(string? reason) => reason is null ? Json.EmptyObject : Json.Object("reason", reason);

    private async Task<ControlOutcome> SignalAsync(Tenant tenant, Guid run, string kind, Json body)
    {
        while (true)
        {
            var outcome = await _worker.Database.WriteAsync(db => Signal(db, tenant, run, kind, body));
            if (outcome == ControlOutcome.Accepted) Told(tenant, run);
            if (outcome != ControlOutcome.AlreadyFinished || kind != "cancel") return outcome;
            // Whoever wants the end of a run wants that of what it has gone on as.
            var last = await _worker.Database.ReadAsync(db => ContinuationStore.LastOf(db, tenant, run));
            if (last == run) return outcome;
            run = last;
        }
    }

    /// <summary>Sends a wish inside a transaction at hand; when it was accepted and is on disk, say so with <see cref="Told"/>.</summary>
    /// <param name="kind"><c>cancel</c>, <c>suspend</c> or <c>resume</c>.</param>
    public ControlOutcome Signal(DbUnit db, Tenant tenant, Guid run, string kind, string? reason) => Signal(db, tenant, run, kind, Reason(reason));

    private ControlOutcome Signal(DbUnit db, Tenant tenant, Guid run, string kind, Json body)
    {
        // Locked, so that what is answered here is still so when it is committed: another process may be ending the run.
        if (RunStore.Lock(db, tenant, run) is not { } row) return ControlOutcome.NotFound;
        if (row.IsFinished) return ControlOutcome.AlreadyFinished;
        var suspended = SignalStore.LastWish(db, tenant, run) is { } wish ? wish == "suspend" : row.State == RunPhase.Suspended;
        if (kind == "suspend" && suspended) return ControlOutcome.AlreadySuspended;
        if (kind == "resume" && !suspended) return ControlOutcome.NotSuspended;
        SignalStore.Send(db, tenant, run, kind, body, _worker.Now);
        return ControlOutcome.Accepted;
    }

    /// <summary>Whoever holds the run looks into its inbox.</summary>
    public void Told(Tenant tenant, Guid run) => _worker.Nudge(tenant, run);

    /// <summary>An id that sorts behind those given before.</summary>
    public Guid NewId() => _worker.NewId();
}
