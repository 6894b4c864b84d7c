namespace Millrace.Engine.Execution;

/// <summary>Does what is due, then sleeps until the next is, or until it is told that there is one sooner.</summary>
/// <param name="what">What it does, as the log says it.</param>
/// <param name="runOnce">Does what is due now; gives when to look again, Unix microseconds.</param>
internal sealed class DueLoop(Worker worker, string what, Func<Task<long>> runOnce) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Alarm _called = new(worker.Time);
    private long _sleepsUntil = long.MaxValue;
    private Task _loop = Task.CompletedTask;

    public bool IsStopping => _stop.IsCancellationRequested;

    public void Start() => _loop = LoopAsync();

    /// <param name="at">When something will be due, Unix microseconds.</param>
    public void Call(long at)
    {
        if (at < Volatile.Read(ref _sleepsUntil)) Ring();
    }

    /// <summary>It looks now.</summary>
    public void Ring() => _called.Ring();

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!IsStopping)
        {
            var until = worker.Now + (long)worker.Settings.PollInterval.TotalMicroseconds;
            try
            {
                // A call that comes meanwhile makes it look once more.
                Volatile.Write(ref _sleepsUntil, long.MaxValue);
                until = await runOnce();
            }
            catch (Exception e)
            {
                worker.LoopFailed(what, e);
            }
            Volatile.Write(ref _sleepsUntil, until);
            // Whole milliseconds, upwards: a timer of less would end at once, and the loop would go round until the moment has come.
            var most = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Clamp(until - worker.Now, 0, (long)worker.Settings.SleepMax.TotalMicroseconds) / 1000.0));
            await _called.SleepAsync(most, () => worker.Now >= until, _stop.Token);
        }
    }
}
