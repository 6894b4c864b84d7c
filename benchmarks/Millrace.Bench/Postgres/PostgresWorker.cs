using System.Diagnostics;
using System.Globalization;
using Millrace.Bench.Engine;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Storage.Postgres;

namespace Millrace.Bench.Postgres;

/// <summary>A worker process of the bench: keeps runs of its own in flight, or carries out those of others, and answers what it has done.</summary>
internal static class PostgresWorker
{
    public const string Argument = "postgres:worker";

    /// <param name="rest">Kind (<c>chain</c> or <c>serve</c>), steps of a run, runs in flight or slots, and for <c>serve</c> the address of Redis.</param>
    public static async Task<Handle> StartAsync(string uri, params object[] rest)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (object[])[Argument, uri, .. rest]) start.ArgumentList.Add(Convert.ToString(argument, CultureInfo.InvariantCulture)!);
        var handle = new Handle(Process.Start(start)!);
        await handle.CountAsync();
        return handle;
    }

    public static async Task<long> CountAsync(List<Handle> processes)
    {
        var sum = 0L;
        foreach (var process in processes) sum += await process.CountAsync();
        return sum;
    }

    public static Task<int> RunAsync(string[] args)
    {
        var steps = int.Parse(args[2], CultureInfo.InvariantCulture);
        var atOnce = int.Parse(args[3], CultureInfo.InvariantCulture);
        return args[1] == "serve" ? ServeAsync(args[0], args[4], atOnce) : KeepAsync(args[0], steps, atOnce);
    }

    private static async Task<int> KeepAsync(string uri, int steps, int inFlight)
    {
        var chain = Documents.Chain(steps);
        await using var host = await EngineHost.OpenAsync(EngineHost.NewFolder(), [chain], [new NoOp()], new EngineSettings { Alone = false }, PostgresDatabase.Open(uri));
        using var stop = new CancellationTokenSource();
        var runs = 0L;
        var callers = Enumerable.Range(0, inFlight).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
            {
                await host.RunAsync(chain);
                Interlocked.Increment(ref runs);
            }
        }).ToArray();
        while (await Console.In.ReadLineAsync() is not null) Console.WriteLine(Volatile.Read(ref runs));
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        return 0;
    }

    private static async Task<int> ServeAsync(string uri, string redis, int slots)
    {
        var calls = new Timed();
        var settings = new EngineSettings
        {
            Alone = false,
            IoMax = slots,
            HeldMax = slots * 4,
            WorkerName = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            DrainTime = TimeSpan.FromSeconds(1),
        };
        await using var host = await EngineHost.OpenAsync(EngineHost.NewFolder(), [Documents.Call("stamp"), Documents.Call("hold"), Documents.Chain(10, "slow")],
            [calls.Function("stamp", 0), calls.Function("slow", 5), calls.Function("hold", 60_000)], settings, PostgresDatabase.Open(uri), link: bus => ClusterBench.Link(bus, uri, redis));
        while (await Console.In.ReadLineAsync() is { } asked) Console.WriteLine(asked == "stamp" ? Volatile.Read(ref calls.Last) : Volatile.Read(ref calls.Count));
        return 0;
    }

    internal sealed class Handle(Process process) : IDisposable
    {
        public int Id { get; } = process.Id;

        public Task<long> CountAsync() => AskAsync("count");

        public async Task<long> AskAsync(string what)
        {
            await process.StandardInput.WriteLineAsync(what);
            return long.Parse(await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("A worker process ended."), CultureInfo.InvariantCulture);
        }

        public void Kill()
        {
            process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.StandardInput.Close();
                if (!process.WaitForExit(TimeSpan.FromSeconds(15))) process.Kill();
            }
            process.Dispose();
        }
    }

    /// <summary>Effects that take a time, count themselves and note when the last one began.</summary>
    private sealed class Timed
    {
        public long Count;
        public long Last;

        public IFunction Function(string name, int milliseconds) => new Effect(this, name, TimeSpan.FromMilliseconds(milliseconds));

        private sealed class Effect(Timed all, string name, TimeSpan takes) : IFunction
        {
            public FunctionDescriptor Descriptor { get; } = new(name, "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

            public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
            {
                Volatile.Write(ref all.Last, Stopwatch.GetTimestamp());
                if (takes == TimeSpan.Zero) Interlocked.Increment(ref all.Count);
                else await Task.Delay(takes, cancel);
                if (takes > TimeSpan.Zero) Interlocked.Increment(ref all.Count);
                return FunctionOutcome.Done(Json.True);
            }
        }
    }
}
