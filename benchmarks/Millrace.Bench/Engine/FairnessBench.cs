using System.Collections.Concurrent;
using System.Diagnostics;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Bench.Engine;

/// <summary>One workspace has queued more runs than there are slots for minutes; another starts a single run. How long does that one stand in line?</summary>
internal static class FairnessBench
{
    private const int Crowd = 10_000, Slots = 4, Guests = 60;

    private static readonly TimeSpan SlotTime = TimeSpan.FromMilliseconds(50);

    /// <param name="database">Null: SQLite in the folder.</param>
    /// <param name="metric">What the figures' names begin with.</param>
    public static async Task RunAsync(string folder, Database? database = null, string metric = "fairness")
    {
        var workflow = Documents.Call("held");
        var held = new Held(SlotTime);
        await using var host = await EngineHost.OpenAsync(folder, [workflow], [held], new EngineSettings { IoMax = Slots }, database);
        var guest = new Tenant(Guid.NewGuid(), Guid.NewGuid());
        await GuestsAsync(host, workflow, held, guest, 20);
        var alone = await GuestsAsync(host, workflow, held, guest, Guests);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async caller =>
        {
            for (var i = caller; i < Crowd; i += 64) await host.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject));
        }));
        var crowded = await GuestsAsync(host, workflow, held, guest, Guests);
        var (usual, slot) = (Figures.Percentile(alone, 0.5), held.LongestMs);
        var settings = $"{Crowd:#,0} runs of another workspace queued, {Slots} slots of {SlotTime.TotalMilliseconds:0} ms; {Guests} single runs one after another, from request to effect";
        Figures.Print($"{metric}.alone_p50_ms", usual, "ms", "the same runs before there was a queue");
        Figures.Print($"{metric}.slot_ms", slot, "ms", "the longest that an effect held its slot");
        Figures.Print($"{metric}.crowded_p50_ms", Figures.Percentile(crowded, 0.5), "ms", settings);
        Figures.Print($"{metric}.crowded_max_ms", crowded[^1], "ms", settings);
        Figures.Bound($"{metric}.delay_slots", (crowded[^1] - usual) / slot, 1, "slots", "by how much the slowest was delayed, in times that a slot is held");
    }

    /// <returns>Milliseconds from each request to the begin of its effect, sorted.</returns>
    private static async Task<List<double>> GuestsAsync(EngineHost host, Workflow workflow, Held held, Tenant guest, int runs)
    {
        var (took, random) = (new List<double>(runs), new Random(runs));
        for (var i = 0; i < runs; i++)
        {
            // It comes at any moment, and not just when the slot of the one before it is free.
            await Task.Delay(SlotTime * random.NextDouble());
            var asked = Stopwatch.GetTimestamp();
            var started = (StartOutcome.Started)await host.Engine.StartAsync(new StartRequest(guest, workflow, Json.EmptyObject));
            if (await host.Engine.EndAsync(guest, started.Run) != RunPhase.Completed) throw new InvalidOperationException($"The run {started.Run} did not complete.");
            took.Add(Stopwatch.GetElapsedTime(asked, held.BeganAt(started.Run)).TotalMilliseconds);
        }
        took.Sort();
        return took;
    }

    /// <summary>Holds its slot for a while, and knows when it began.</summary>
    private sealed class Held(TimeSpan slotTime) : IFunction
    {
        private readonly ConcurrentDictionary<Guid, long> _began = [];

        public FunctionDescriptor Descriptor { get; } = new("held", "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

        public double LongestMs { get; private set; }

        public long BeganAt(Guid run) => _began[run];

        public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
        {
            _began[context.Run] = Stopwatch.GetTimestamp();
            await Task.Delay(slotTime, cancel);
            LongestMs = Math.Max(LongestMs, Stopwatch.GetElapsedTime(_began[context.Run]).TotalMilliseconds);
            return FunctionOutcome.Done(Json.True);
        }
    }
}
