using System.Diagnostics;
using System.Globalization;

namespace Millrace.Bench;

/// <summary>What this process has used so far; differences say where the time went.</summary>
internal readonly record struct Usage(double User, double System, long Allocated, int Collections, TimeSpan Pause)
{
    public double Cpu => User + System;

    public static Usage Now()
    {
        using var self = Process.GetCurrentProcess();
        return new Usage(self.UserProcessorTime.TotalSeconds, self.PrivilegedProcessorTime.TotalSeconds,
            GC.GetTotalAllocatedBytes(), GC.CollectionCount(0), GC.GetTotalPauseDuration());
    }

    public static Usage operator -(Usage a, Usage b) =>
        new(a.User - b.User, a.System - b.System, a.Allocated - b.Allocated, a.Collections - b.Collections, a.Pause - b.Pause);

    public static long ResidentBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
