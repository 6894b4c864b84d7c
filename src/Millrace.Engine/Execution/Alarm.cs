namespace Millrace.Engine.Execution;

/// <summary>
/// Lets one loop sleep until a time has passed or somebody rings, whichever comes first. A ring that comes before the sleep ends it
/// at once. The loop goes on where it awaited, which a semaphore with a token does not.
/// </summary>
internal sealed class Alarm(TimeProvider time)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _sleeper;
    private bool _rung;

    public void Ring()
    {
        lock (_lock)
        {
            _rung = true;
            _sleeper?.TrySetResult();
        }
    }

    /// <param name="isOver">Asked once more when the timer is set: the clock may have jumped while it was being set.</param>
    public async Task SleepAsync(TimeSpan most, Func<bool> isOver, CancellationToken stop)
    {
        var sleeper = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_rung) sleeper.SetResult();
            _sleeper = sleeper;
        }
        await using (time.CreateTimer(Wake, sleeper, most, Timeout.InfiniteTimeSpan))
        await using (stop.UnsafeRegister(Wake, sleeper))
        {
            if (isOver()) sleeper.TrySetResult();
            await sleeper.Task;
        }
        lock (_lock)
        {
            _sleeper = null;
            _rung = false;
        }
    }

    private static void Wake(object? sleeper) => ((TaskCompletionSource)sleeper!).TrySetResult();
}
