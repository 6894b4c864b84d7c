namespace Millrace.Platform;

/// <summary>Work that lies in rows and is done page by page, in any number of processes: all that is due, then a look each second.</summary>
internal static class PageLoop
{
    public static readonly TimeSpan Pulse = TimeSpan.FromSeconds(1);

    /// <param name="runOnce">Does a page; false when none is due.</param>
    /// <param name="failed">Told when a page failed; it is tried again at the next look.</param>
    public static async Task RunAsync(Func<CancellationToken, Task<bool>> runOnce, TimeProvider time, Action<Exception> failed, CancellationToken stop)
    {
        using var pulse = new PeriodicTimer(Pulse, time);
        try
        {
            do await DoDueAsync(runOnce, failed, stop);
            while (await pulse.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private static async Task DoDueAsync(Func<CancellationToken, Task<bool>> runOnce, Action<Exception> failed, CancellationToken stop)
    {
        try
        {
            while (await runOnce(stop)) { }
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            failed(e);
        }
    }
}
