using Millrace.Engine.Execution;

namespace Millrace.Engine.Events;

/// <summary>
/// Looks after the log of events: old ones go, and subscriptions are settled. On PostgreSQL a run may begin to listen while an event is
/// being written, and neither transaction sees the other. So a subscription begins unsettled, and when all that was under way then has
/// ended, the run is told of what was not settled in the log when it began; what it has heard of that already means nothing to it.
/// </summary>
internal sealed class EventKeeper(Worker worker) : IAsyncDisposable
{
    private const int PageMax = 1000;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<(Guid Run, int Step, string Type, string Source), long> _noted = [];
    private readonly LifecycleLog _lifecycle = new(worker);
    private readonly Gatherings _gatherings = new(worker);
    private long _swept;

    /// <summary>More has happened than one round tells of.</summary>
    private volatile bool _isBehind;
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = LoopAsync();

    public async Task RunOnceAsync()
    {
        await worker.Standing.RunOnceAsync();
        if (!worker.Settings.Alone) await SettleAsync();
        var now = worker.Now;
        if (now - _swept >= SweepInterval.TotalMicroseconds)
        {
            _swept = now;
            await SweepAsync(now - (long)worker.Settings.EventsKept.TotalMicroseconds);
        }
        if (!worker.Settings.Works) return;
        await _gatherings.RunOnceAsync();
        _isBehind = await _lifecycle.RunOnceAsync();
    }

    /// <summary>There are letters: they are dealt with now instead of a poll interval later. Where that fails, they are dealt with then.</summary>
    public async Task GatherAsync()
    {
        try
        {
            if (worker.Settings.Works && !worker.IsDraining) await _gatherings.RunOnceAsync();
        }
        catch (Exception e)
        {
            worker.LoopFailed("gathering events", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task SettleAsync()
    {
        var (rows, latest, horizon) = await worker.Database.ReadAsync(db => (SubscriptionStore.Unsettled(db, PageMax), SubscriptionStore.Latest(db), db.Horizon));
        if (rows.Count == 0)
        {
            _noted.Clear();
            return;
        }
        var ready = new List<SubscriptionRow>();
        // Those that have ended meanwhile are not settled any more.
        foreach (var gone in _noted.Keys.Except(rows.Select(KeyOf)).ToList()) _noted.Remove(gone);
        foreach (var row in rows)
        {
            var key = KeyOf(row);
            if (!_noted.TryGetValue(key, out var seen)) _noted[key] = latest;
            else if (horizon >= seen - 1) ready.Add(row);
        }
        if (ready.Count == 0) return;
        var now = worker.Now;
        await worker.Database.WriteAsync(db =>
        {
            foreach (var row in ready)
            {
                SubscriptionStore.Settle(db, row);
                Subscriptions.Tell(db, row.Tenant, row.Run, EventStore.Missed(db, row, Subscriptions.BacklogMax, after: row.Horizon), now);
            }
            return 0;
        });
        foreach (var row in ready)
        {
            _noted.Remove(KeyOf(row));
            worker.Nudge(row.Tenant, row.Run);
        }
    }

    private static (Guid Run, int Step, string Type, string Source) KeyOf(SubscriptionRow row) => (row.Run, row.Step, row.Type, row.Source);

    private async Task SweepAsync(long before)
    {
        if (await worker.Database.ReadAsync(SubscriptionStore.AnyOrphans)) await worker.Database.WriteAsync(SubscriptionStore.DeleteOrphans);
        while (!_stop.IsCancellationRequested && await worker.Database.ReadAsync(db => EventStore.AnyBefore(db, before)))
            await worker.Database.WriteAsync(db => EventStore.DeleteBefore(db, before, PageMax) + HearingStore.Sweep(db));
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(worker.Settings.PollInterval, worker.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    do await RunOnceAsync();
                    while (_isBehind && !_stop.IsCancellationRequested);
                }
                catch (Exception e)
                {
                    worker.LoopFailed("looking after events", e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}
