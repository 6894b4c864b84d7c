namespace Millrace.Engine.Execution;

/// <summary>How far a run is done with the items of an effect. The run's actor tells, the effect waits for it.</summary>
internal sealed class ItemsHandled
{
    private readonly Lock _lock = new();
    private int _count;
    private bool _enough;

    /// <summary>The item that the effect waits for, if it does.</summary>
    private int _awaited;
    private TaskCompletionSource? _waiter;

    public void Tell(int count, bool enough)
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            (_count, _enough) = (count, enough);
            if (_count <= _awaited) return;
            (waiter, _waiter) = (_waiter, null);
        }
        waiter?.TrySetResult();
    }

    /// <returns>True when no more items are wanted.</returns>
    public async ValueTask<bool> WaitAsync(int item, CancellationToken cancel)
    {
        TaskCompletionSource waiter;
        lock (_lock)
        {
            if (_count > item) return _enough;
            (_awaited, _waiter) = (item, waiter = new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        await using var _ = cancel.UnsafeRegister(static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), waiter);
        await waiter.Task;
        lock (_lock) return _enough;
    }
}
