using Millrace.Engine.Runs;
using Millrace.Engine.Telemetry;

namespace Millrace.Engine.Execution;

/// <summary>
/// Renews the worker's lease, and frees the runs of workers that stopped renewing theirs. A worker counts as dead when its heartbeat
/// stood still for the lease time by this worker's own steady clock, so clocks that differ or jump cost nobody a lease.
/// </summary>
internal sealed class LeaseKeeper(Worker worker) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, (long Beat, long Since)> _seen = [];
    private Task _loop = Task.CompletedTask;
    private bool _first = true;

    public void Start() => _loop = LoopAsync();

    /// <summary>One heartbeat: one write, however many runs are held.</summary>
    public async Task RunOnceAsync()
    {
        if (worker.Settings.Works)
        {
            await RenewAsync();
            await HearAsync();
        }
        if (await worker.Clock.SetAsync()) worker.Timers.Look();
        var dead = await FindDeadAsync();
        if (dead.Count == 0 && !_first) return;
        var now = worker.Now;
        var freed = await worker.Database.WriteAsync(db =>
        {
            foreach (var (lease, beat) in dead) LeaseStore.EndSilent(db, lease, beat);
            var freed = RunStore.Release(db, now);
            LeaseStore.DeleteEnded(db, now - LeaseStore.KeptMicros);
            return freed;
        });
        _first = false;
        if (freed == 0) return;
        EngineEvents.RunsRecovered(worker, freed);
        await worker.Wakes.CallAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task RenewAsync()
    {
        var now = worker.Now;
        var expires = now + (long)worker.Settings.LeaseTime.TotalMicroseconds;
        var lease = worker.Lease;
        if (!await worker.Database.WriteAsync(db => LeaseStore.Renew(db, lease.Id, now, expires))) worker.Fenced(lease);
    }

    /// <summary>Whoever writes to a run tells its holder; where that word was lost, the holder finds out here.</summary>
    private async Task HearAsync()
    {
        var lease = worker.Lease.Id;
        foreach (var run in await worker.Database.ReadAsync(db => SignalStore.Unheard(db, lease))) worker.NudgeHere(run);
    }

    private async Task<List<(long Lease, long Beat)>> FindDeadAsync()
    {
        var alive = await worker.Database.ReadAsync(LeaseStore.Alive);
        var dead = new List<(long, long)>();
        foreach (var lease in _seen.Keys.Except(alive.Select(l => l.Id)).ToList()) _seen.Remove(lease);
        foreach (var (lease, beat) in alive)
        {
            if (lease == worker.Lease.Id) continue;
            // A worker that alone may open the database knows that all others are dead.
            if (worker.Settings.Alone) dead.Add((lease, beat));
            else if (!_seen.TryGetValue(lease, out var seen) || seen.Beat != beat) _seen[lease] = (beat, worker.Time.GetTimestamp());
            else if (worker.Time.GetElapsedTime(seen.Since) >= worker.Settings.LeaseTime) dead.Add((lease, beat));
        }

        return dead;
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(worker.Settings.LeaseTime / 4, worker.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await RunOnceAsync();
                }
                catch (Exception e)
                {
                    worker.LoopFailed("renewing the lease", e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}
