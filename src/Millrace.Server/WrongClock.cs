using System.Globalization;

namespace Millrace.Server;

/// <summary>
/// The machine's clock, wrong by as many seconds as a file says, which is looked at every 100 ms. For tests alone: it is how one process of a
/// cluster gets a clock that is wrong and jumps.
/// </summary>
internal sealed class WrongClock(string file) : TimeProvider
{
    private const string Variable = "MILLRACE_TEST_CLOCK_FILE";
    private const int LookMs = 100;

    private long _lookAt = long.MinValue;
    private TimeSpan _off;

    /// <summary>The machine's own clock, unless a test says otherwise.</summary>
    public static TimeProvider OfVariable(Func<string, string?> variable) => variable(Variable) is { Length: > 0 } file ? new WrongClock(file) : System;

    public override DateTimeOffset GetUtcNow()
    {
        if (Environment.TickCount64 >= Volatile.Read(ref _lookAt))
        {
            Volatile.Write(ref _lookAt, Environment.TickCount64 + LookMs);
            // A file that is being written is looked at again.
            if (File.Exists(file) && double.TryParse(File.ReadAllText(file), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)) _off = TimeSpan.FromSeconds(seconds);
        }

        return base.GetUtcNow() + _off;
    }
}
