using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Execution;

/// <summary>
/// Takes runs that are due and that nobody holds: timers that ended, signals that came, runs started elsewhere, runs of
/// workers that died. Sleeps until the next one is due, or until it is told that there is one sooner.
/// </summary>
internal sealed class DueRuns(Worker worker) : IAsyncDisposable
{
    private static readonly TimeSpan Afterwards = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Alarm _called = new(worker.Time);
    private long _sleepsUntil = long.MaxValue;
    private bool _full;
    private int _certain;
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = LoopAsync();

    /// <param name="at">When a run will be due, Unix microseconds.</param>
    public void Call(long at)
    {
        if (at >= Volatile.Read(ref _sleepsUntil)) return;
        _called.Ring();
    }

    /// <summary>Somebody says that a run is due now: it is taken without looking first.</summary>
    public void Take()
    {
        Volatile.Write(ref _certain, 1);
        _called.Ring();
    }

    /// <summary>Runs were let go. A worker that was full takes more as soon as there is some room, and not one for each that leaves.</summary>
    public void Left(int held)
    {
        if (Volatile.Read(ref _full) && held <= worker.Settings.HeldMax * 3 / 4) _called.Ring();
    }

    /// <summary>Takes what is due now.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        var settings = worker.Settings;
        await worker.Lost.RecoverAsync();
        while (!_stop.IsCancellationRequested)
        {
            var now = worker.Now;
            // Said before it is looked at: whoever leaves meanwhile calls.
            Volatile.Write(ref _full, true);
            var room = settings.HeldMax - worker.Held;
            if (room <= 0) return now + (long)settings.PollInterval.TotalMicroseconds;
            Volatile.Write(ref _full, false);
            if (Interlocked.Exchange(ref _certain, 0) == 0)
            {
                var next = await worker.Database.ReadAsync(db => RunStore.NextWake(db, settings.Format));
                if (next is null || next > now) return Math.Min(next ?? long.MaxValue, now + (long)settings.PollInterval.TotalMicroseconds);
            }
            var lease = worker.Lease;
            var rows = await ClaimAsync(lease, now, Math.Min(room, settings.ClaimMax));
            if (rows is null)
            {
                worker.Fenced();
                return now + (long)settings.PollInterval.TotalMicroseconds;
            }

            foreach (var row in rows) await worker.TakeAsync(row);
            // Nothing more is due now. What comes next is looked for when these have begun, so as not to stand in their way.
            if (rows.Count < Math.Min(room, settings.ClaimMax)) return now + (long)Afterwards.TotalMicroseconds;
        }
        return long.MaxValue;
    }

    /// <returns>Null when the lease is over.</returns>
    private async Task<List<RunRow>?> ClaimAsync(Lease lease, long now, int limit)
    {
        try
        {
            return await worker.Database.WriteAsync(db => lease.IsAlive(db) ? RunStore.Claim(db, lease.Id, now, limit, worker.Settings.Format) : null);
        }
        catch (StorageUnavailableException)
        {
            // It may have been written all the same.
            worker.Lost.Doubt();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var until = worker.Now + (long)worker.Settings.PollInterval.TotalMicroseconds;
            try
            {
                // A call that comes meanwhile makes it look once more.
                Volatile.Write(ref _sleepsUntil, long.MaxValue);
                until = await RunOnceAsync();
            }
            catch (Exception e)
            {
                worker.LoopFailed("taking due runs", e);
            }
            Volatile.Write(ref _sleepsUntil, until);
            // Whole milliseconds, upwards: a timer of less would end at once, and the loop would go round until the moment has come.
            await _called.SleepAsync(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(until - worker.Now, 0, 60_000_000) / 1000.0)), () => worker.Now >= until, _stop.Token);
        }
    }
}
