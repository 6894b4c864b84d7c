using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Execution;

/// <summary>
/// Takes runs that are due and that nobody holds: timers that ended, signals that came, runs started elsewhere, runs of
/// workers that died. Sleeps until the next one is due, or until it is told that there is one sooner.
/// </summary>
internal sealed class DueRuns : IAsyncDisposable
{
    private static readonly TimeSpan Afterwards = TimeSpan.FromMilliseconds(5);

    private readonly Worker _worker;
    private readonly DueLoop _loop;
    /// <summary>The least time between two looks for runs of other workspaces.</summary>
    private const long GuestMicros = 100_000;

    private long _guestsAt;
    private bool _full;
    private int _certain;

    public DueRuns(Worker worker)
    {
        _worker = worker;
        _loop = new DueLoop(worker, "taking due runs", RunOnceAsync);
    }

    public void Start() => _loop.Start();

    /// <param name="at">When a run will be due, Unix microseconds.</param>
    public void Call(long at) => _loop.Call(at);

    /// <summary>Somebody says that a run is due now: it is taken without looking first.</summary>
    public void Take()
    {
        Volatile.Write(ref _certain, 1);
        _loop.Ring();
    }

    /// <summary>Runs were let go. A worker that was full takes more as soon as there is some room, and not one for each that leaves.</summary>
    public void Left(int held)
    {
        if (Volatile.Read(ref _full) && held <= _worker.Settings.HeldMax * 3 / 4) _loop.Ring();
    }

    /// <summary>Takes what is due now.</summary>
    /// <returns>When to look again, Unix microseconds.</returns>
    public async Task<long> RunOnceAsync()
    {
        var settings = _worker.Settings;
        await _worker.Lost.RecoverAsync();
        while (!_loop.IsStopping)
        {
            var now = _worker.Now;
            // Said before it is looked at: whoever leaves meanwhile calls.
            Volatile.Write(ref _full, true);
            var room = settings.HeldMax - _worker.Held;
            if (room <= 0) return await TakeGuestsAsync(now);
            Volatile.Write(ref _full, false);
            if (Interlocked.Exchange(ref _certain, 0) == 0)
            {
                var next = await _worker.Database.ReadAsync(db => RunStore.NextWake(db, settings.Format));
                if (next is null || next > now) return Math.Min(next ?? long.MaxValue, now + (long)settings.PollInterval.TotalMicroseconds);
            }
            var lease = _worker.Lease;
            var rows = await ClaimAsync(db => lease.IsAlive(db) ? RunStore.Claim(db, lease.Id, now, Math.Min(room, settings.ClaimMax), settings.Format) : null);
            if (rows is null)
            {
                _worker.Fenced(lease);
                return now + (long)settings.PollInterval.TotalMicroseconds;
            }

            // The order of what an update returns is anybody's; who stands in line does so in the order of the starts.
            rows.Sort(static (a, b) => a.CreatedAt.CompareTo(b.CreatedAt));
            foreach (var row in rows) await _worker.TakeAsync(row);
            // Nothing more is due now. What comes next is looked for when these have begun, so as not to stand in their way.
            if (rows.Count < Math.Min(room, settings.ClaimMax)) return now + (long)Afterwards.TotalMicroseconds;
        }
        return long.MaxValue;
    }

    /// <summary>
    /// A worker that is full of the runs of a few workspaces still takes some of the others': those do not wait until the crowd has gone. What a crowd
    /// leaves due has to be passed over to find them, so this is not done for every call.
    /// </summary>
    private async Task<long> TakeGuestsAsync(long now)
    {
        var settings = _worker.Settings;
        if (now < _guestsAt) return _guestsAt;
        var room = settings.HeldMax + Math.Max(1, settings.HeldMax / 10) - _worker.Held;
        var crowds = room <= 0 ? [] : _worker.Crowds(Math.Max(1, settings.HeldMax / 16), 4);
        if (crowds.Count > 0)
        {
            _guestsAt = now + GuestMicros;
            while (crowds.Count < 4) crowds.Add(crowds[0]);
            var lease = _worker.Lease;
            var rows = await ClaimAsync(db => lease.IsAlive(db) ? RunStore.ClaimOthers(db, lease.Id, now, Math.Min(room, settings.ClaimMax), settings.Format, [.. crowds]) : []);
            foreach (var row in rows!) await _worker.TakeAsync(row);
        }
        return now + (long)settings.PollInterval.TotalMicroseconds;
    }

    /// <returns>Null when the lease is over.</returns>
    private async Task<List<RunRow>?> ClaimAsync(Func<DbUnit, List<RunRow>?> claim)
    {
        try
        {
            return await _worker.Database.WriteAsync(claim);
        }
        catch (StorageUnavailableException)
        {
            // It may have been written all the same.
            _worker.Lost.Doubt();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();
}
