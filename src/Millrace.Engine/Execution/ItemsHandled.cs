namespace Millrace.Engine.Execution;

/// <summary>How far a run is done with the items of an effect. The run's actor tells, the effect waits for it.</summary>
internal sealed class ItemsHandled
{
    private readonly Lock _lock = new();
    private int _count;
    private bool _enough;
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Tell(int count, bool enough)
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            (_count, _enough) = (count, enough);
            (told, _told) = (_told, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        told.SetResult();
    }

    /// <returns>True when no more items are wanted.</returns>
    public async ValueTask<bool> WaitAsync(int item, CancellationToken cancel)
    {
        while (true)
        {
            Task told;
            lock (_lock)
            {
                if (_count > item) return _enough;
                told = _told.Task;
            }
            await told.WaitAsync(cancel);
        }
    }
}
