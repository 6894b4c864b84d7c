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

    /// <summary>Between one question and the same again: a quarter of a second first, and longer each time, up to some seconds. Many ask at once, and a cluster that is slow is not to be kept busy with that.</summary>
    /// <param name="asked">How often before.</param>
    public static Task<bool> LongerAsync(int asked, CancellationToken cancel) => ForAsync(TimeSpan.FromSeconds(Math.Min(4, 0.25 * Math.Pow(1.5, Math.Min(asked, 10)))), cancel);

    public static TimeSpan Between(this Random random, double least, double most) => TimeSpan.FromSeconds(least + random.NextDouble() * (most - least));
}
