using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace Millrace.Bench.Engine;

/// <summary>
/// What the threads of this process are doing, seen by the runtime's sampling profiler: every so often it stops all of them and notes their
/// stacks. A method that the compiler has put into its caller counts as the caller, so the parts are coarse.
/// </summary>
internal static class StackSamples
{
    /// <summary>Whatever stands anywhere on a stack, outer things first: a unit of a group is statements, the rest of the group is its commit.</summary>
    private static readonly (string Frame, string Part)[] Outer =
    [
        ("SqliteCheckpointer.Fold", "checkpoint"), ("WriteTurn.SpinsInto", "spinning"), ("GroupWriter.Run(", "statements"), ("GroupWriter.WriteGroup", "commit"),
    ];

    /// <summary>The first that fits, from the innermost frame outwards.</summary>
    private static readonly (string Frame, string Part)[] Inner =
    [
        ("Millrace.Storage.Bus", "announcing"), ("EntryWriter", "entries"),
        ("Millrace.Workflows.", "kernel"), ("Millrace.Jq", "kernel"),
        ("Effect.PerformAsync", "effect"), ("Effect+", "effect"), ("EffectContext", "effect"), ("NoOp.InvokeAsync", "effect"),
        ("DurableEngine", "starting"), ("Millrace.Engine", "dispatch"), ("Millrace.Storage", "handing_over"), ("Millrace.Bench", "caller"),
        ("ThreadPoolWorkQueue", "thread_pool"), ("WorkerThread", "thread_pool"),
    ];

    /// <summary>Among the innermost frames: the thread has nothing to do.</summary>
    private static readonly string[] Waits =
        ["Monitor.Wait", "WaitHandle.", "LowLevelLifoSemaphore", "LowLevelMonitor", "LowLevelSpinWaiter", "SemaphoreSlim.Wait", "Thread.Sleep", "Thread.Join", "SocketAsyncEngine.EventLoop", "EpollWait"];

    public static async Task CollectAsync(string file, TimeSpan span)
    {
        var client = new DiagnosticsClient(Environment.ProcessId);
        using var session = await client.StartEventPipeSessionAsync(
            [new EventPipeProvider("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational),
             new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, (long)ClrTraceEventParser.Keywords.Default)],
            requestRundown: true, circularBufferMB: 512, CancellationToken.None);
        await using var output = File.Create(file);
        var copying = session.EventStream.CopyToAsync(output);
        await Task.Delay(span);
        await session.StopAsync(CancellationToken.None);
        await copying;
    }

    public static void Print(string file, string cost)
    {
        var (parts, ticks) = Read(file);
        var total = (double)parts.Values.Sum();
        foreach (var (part, count) in parts.OrderByDescending(p => p.Value))
            Figures.Print($"engine.part_{part}_pct", 100 * count / total, "%", $"of what threads did in {total:#,0} samples; {total / ticks:0.00} threads had something to do; the profiler cost {cost}");
    }

    /// <returns>Samples of each part, and how often the profiler looked.</returns>
    private static (Dictionary<string, int> Parts, int Ticks) Read(string file)
    {
        var (parts, threads) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<int, int>());
        using var log = new TraceLog(TraceLog.CreateFromEventPipeDataFile(file));
        foreach (var sample in log.Events.Where(e => e.ProviderName == "Microsoft-DotNETCore-SampleProfiler"))
        {
            threads[sample.ThreadID] = threads.GetValueOrDefault(sample.ThreadID) + 1;
            if (PartOf(FramesOf(sample.CallStack())) is { } part) parts[part] = parts.GetValueOrDefault(part) + 1;
        }
        return (parts, threads.Values.Max());
    }

    /// <returns>Null when the thread waits for something to do.</returns>
    private static string? PartOf(List<string> frames)
    {
        if (frames.Count == 0 || frames.Take(4).Any(f => Waits.Any(w => f.Contains(w, StringComparison.Ordinal)))) return null;
        // Between two pieces of work a pool thread looks for the next one, or lies down.
        if (frames[0].Contains("WorkerThreadStart", StringComparison.Ordinal)) return null;
        foreach (var (frame, part) in Outer)
            if (frames.Exists(f => f.Contains(frame, StringComparison.Ordinal))) return part;
        return frames.Select(f => Array.Find(Inner, p => f.Contains(p.Frame, StringComparison.Ordinal)).Part).FirstOrDefault(p => p is not null) ?? "other";
    }

    /// <summary>Full names of the methods of a stack, innermost first.</summary>
    private static List<string> FramesOf(TraceCallStack? stack)
    {
        var frames = new List<string>();
        for (; stack is not null; stack = stack.Caller)
            if (stack.CodeAddress.FullMethodName is { Length: > 0 } name) frames.Add(name);
        return frames;
    }
}
