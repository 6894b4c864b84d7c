namespace Millrace.Tests.Chaos;

/// <summary>Time that really passes: chaos happens to real processes.</summary>
internal static class Pause
{
    /// <returns>False when it was cut short.</returns>
    public static async Task<bool> ForAsync(TimeSpan time, CancellationToken cancel)
    {
        // A timer's shortest period.
        if (time < TimeSpan.FromMilliseconds(1)) return !cancel.IsCancellationRequested;
        using var timer = new PeriodicTimer(time);
        try
        {
            return await timer.WaitForNextTickAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public static TimeSpan Between(this Random random, double least, double most) => TimeSpan.FromSeconds(least + random.NextDouble() * (most - least));
}
