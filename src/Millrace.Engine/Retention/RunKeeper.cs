using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Retention;

/// <summary>
/// Lets runs go that have been kept for long enough, a few at a time. A run's row goes in one transaction, so that it is there or not; its journal
/// and all that hangs on it follow piece by piece, and a crash in between leaves the rest to whoever looks next.
/// </summary>
internal sealed class RunKeeper : IAsyncDisposable
{
    /// <summary>Runs and records that go in one transaction: short enough for those who wait behind it.</summary>
    private const int RunsMax = 100, RecordsMax = 2000;

    private const long PauseMicros = 20_000, NeededMicros = 600_000_000, UntoldMicros = 5_000_000;

    private readonly Worker _worker;
    private readonly DueLoop _loop, _looking;
    private Dictionary<Guid, RunRetention> _workspaces = [];
    private long _read = long.MinValue / 2;

    public RunKeeper(Worker worker)
    {
        _worker = worker;
        _loop = new DueLoop(worker, "letting old runs go", RunOnceAsync);
        Loose = new LooseBlobs(worker);
        _looking = new DueLoop(worker, "looking for content that nothing refers to", LookAsync);
    }

    public LooseBlobs Loose { get; }

    public void Start()
    {
        _loop.Start();
        _looking.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _looking.DisposeAsync();
        await _loop.DisposeAsync();
    }

    /// <summary>What workspaces say is read again.</summary>
    public async Task ReadSettingsAsync()
    {
        _workspaces = (await _worker.Database.ReadAsync(RetentionStore.OfWorkspaces)).ToDictionary(w => w.Workspace, w => w.Retention);
        _read = _worker.Now;
    }

    /// <summary>When a run that ended like this goes; null: it is kept.</summary>
    /// <param name="workflow">Null when its definition cannot be read.</param>
    public long? ExpiryOf(Tenant tenant, Workflow? workflow, RunPhase end, long at)
    {
        var kept = Of(workflow?.Retention, end);
        if (kept is null && _workspaces.TryGetValue(tenant.Workspace, out var general)) kept = Of(general, end);
        return kept is { } time ? at + (time.Ticks / TimeSpan.TicksPerMicrosecond) : null;
    }

    /// <summary>Lets the next few go.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        var now = _worker.Now;
        if (now - _read >= _worker.Settings.PollInterval.TotalMicroseconds) await ReadSettingsAsync();
        // Others only need to know what workspaces say.
        if (!_worker.Settings.Schedules) return now + (long)_worker.Settings.PollInterval.TotalMicroseconds;
        var (next, removals) = await _worker.Database.ReadAsync(db => (RetentionStore.Next(db), RetentionStore.AnyRemoval(db)));
        if (next <= now) await _worker.Database.WriteAsync(db => Expire(db, now));
        if (removals || next <= now)
        {
            await _worker.Database.WriteAsync(db => Clear(db, now));
            return now + PauseMicros;
        }
        return Math.Min(next ?? long.MaxValue, now + (long)_worker.Settings.PollInterval.TotalMicroseconds);
    }

    /// <summary>By itself, since everything there is may have to be read: nothing else waits for it.</summary>
    private async Task<long> LookAsync()
    {
        var again = _worker.Now + (long)_worker.Settings.PollInterval.TotalMicroseconds;
        return _worker.Settings.Schedules ? Math.Max(again, await Loose.RunOnceAsync(() => _looking.IsStopping)) : again;
    }

    private static int Expire(DbUnit db, long now)
    {
        var due = RetentionStore.Due(db, now, RunsMax);
        foreach (var run in due)
        {
            if (RunStore.Get(db, run.Tenant, run.Run) is not { IsFinished: true } row) RetentionStore.Keep(db, run.Tenant, run.Run);
            else if (RetentionStore.IsNeeded(db, run, row.Parent)) RetentionStore.Postpone(db, run, now + NeededMicros);
            else if (RetentionStore.IsUntold(db, run)) RetentionStore.Postpone(db, run, now + UntoldMicros);
            else if (RetentionStore.Remove(db, run) && row.Trigger is { } trigger) RetentionStore.RemoveTick(db, run.Tenant, trigger.Schedule, trigger.At, run.Run);
        }
        return due.Count;
    }

    private static int Clear(DbUnit db, long now)
    {
        var left = RecordsMax;
        foreach (var run in RetentionStore.Removals(db, RunsMax))
        {
            var page = left;
            left -= RetentionStore.RemoveRecords(db, run, page, now);
            if (left <= 0) break;
            RetentionStore.RemoveRest(db, run, now);
        }
        return RecordsMax - left;
    }

    private static TimeSpan? Of(RunRetention? retention, RunPhase end) => end switch
    {
        RunPhase.Completed => retention?.Completed,
        RunPhase.Faulted => retention?.Faulted,
        _ => retention?.Cancelled,
    };
}
