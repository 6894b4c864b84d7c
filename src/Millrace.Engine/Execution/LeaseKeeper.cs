using Millrace.Engine.Runs;

namespace Millrace.Engine.Execution;

/// <summary>Renews the worker's lease, and frees the runs of workers that stopped renewing theirs.</summary>
internal sealed class LeaseKeeper(Worker worker) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = LoopAsync();

    /// <summary>One heartbeat: one write, however many runs are held.</summary>
    public async Task RunOnceAsync()
    {
        var now = worker.Now;
        var expires = now + (long)worker.Settings.LeaseTime.TotalMicroseconds;
        var (alive, freed) = await worker.Database.WriteAsync(db =>
        {
            if (!LeaseStore.Renew(db, worker.Lease.Id, now, expires)) return (false, 0);
            var ended = LeaseStore.EndExpired(db, worker.Lease.Id, now, worker.Settings.Alone);
            return (true, ended == 0 ? 0 : RunStore.Release(db, now));
        });
        if (!alive) worker.Fenced();
        if (freed > 0) worker.Due.Call(now);
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(worker.Settings.LeaseTime / 3, worker.Time);
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
