using System.Diagnostics.Metrics;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Telemetry;

/// <summary>
/// What the engine counts. Each instrument is made once for the process; while nobody listens, recording is one check. No tag
/// names a run or a step: their number has no bound.
/// </summary>
public static class EngineMetrics
{
    public const string MeterName = "Millrace.Engine";

    private static readonly Meter Meter = new(MeterName);
    private static readonly string[] Lanes = ["io", "cpu", "sandbox"];
    private static readonly string[] Outcomes = ["completed", "failed", "crashed", "cancelled"];

    /// <summary>By <see cref="RunPhase"/>.</summary>
    private static readonly string[] States = ["pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"];

    private static readonly Counter<long> RunsStarted = Meter.CreateCounter<long>(
        "millrace.runs.started", "{run}", "Runs committed here, by who started them: a request, another run or a schedule.");

    private static readonly Counter<long> RunsEnded = Meter.CreateCounter<long>("millrace.runs.ended", "{run}", "Runs whose end this worker committed, by state.");

    private static readonly Histogram<double> RunDuration = Meter.CreateHistogram(
        "millrace.run.duration", "s", "Time from a run's creation to its end, waits included, by state.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600, 86400] });

    private static readonly Counter<long> Records = Meter.CreateCounter<long>("millrace.records.committed", "{record}", "Records of journals that reached the disk; one is one decision.");

    private static readonly Counter<long> Steps = Meter.CreateCounter<long>("millrace.steps.committed", "{step}", "Steps whose end reached the disk.");

    private static readonly Counter<long> Retries = Meter.CreateCounter<long>("millrace.retries.scheduled", "{retry}", "Retries that try tasks have scheduled.");

    private static readonly Histogram<double> EffectDuration = Meter.CreateHistogram(
        "millrace.effect.duration", "s", "Time a function took for one attempt, without the wait for a slot, by function, lane and outcome.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });

    private static readonly Counter<long> LeasesLost = Meter.CreateCounter<long>("millrace.leases.lost", "{lease}", "Times this worker was declared dead by another and began anew.");

    private static readonly Counter<long> RunsRecovered = Meter.CreateCounter<long>(
        "millrace.runs.recovered", "{run}", "Runs that this worker freed because the worker that held them stopped renewing its lease.");

    private static readonly Counter<long> RunsFailed = Meter.CreateCounter<long>(
        "millrace.runs.failed_turns", "{turn}", "Turns of runs that ended in a fault of the engine or of its data, not of the workflow.");

    /// <summary>Shows each counter as 0, so that its first increase is seen as one. Called when somebody listens.</summary>
    public static void Announce()
    {
        foreach (var by in (string[])["request", "run", "schedule"]) RunsStarted.Add(0, new KeyValuePair<string, object?>("by", by));
        for (var state = RunPhase.Cancelled; state <= RunPhase.Completed; state++) RunsEnded.Add(0, State(state));
        foreach (var counter in (Counter<long>[])[Records, Steps, Retries, LeasesLost, RunsRecovered, RunsFailed]) counter.Add(0);
    }

    internal static void RunStarted() => RunsStarted.Add(1, new KeyValuePair<string, object?>("by", "request"));

    internal static void RunsScheduled(int runs) => RunsStarted.Add(runs, new KeyValuePair<string, object?>("by", "schedule"));

    internal static void RunEnded(RunPhase state, long createdAt, long endedAt)
    {
        RunsEnded.Add(1, State(state));
        RunDuration.Record(Math.Max(0, endedAt - createdAt) / 1e6, State(state));
    }

    /// <summary>What is counted when a record becomes durable; read while its entries are still there.</summary>
    internal static Tally Count(List<Entry> entries)
    {
        if (!Steps.Enabled) return default;
        var (steps, retries) = (0, 0);
        foreach (var entry in entries)
        {
            if (entry is Entry.StepCompleted or Entry.StepFaulted or Entry.StepCancelled or Entry.StepSkipped) steps++;
            else if (entry is Entry.RetryScheduled) retries++;
        }
        return new Tally(steps, retries);
    }

    internal static void Committed(RunRecord record)
    {
        Records.Add(1);
        if (record.Tally.Steps > 0) Steps.Add(record.Tally.Steps);
        if (record.Tally.Retries > 0) Retries.Add(record.Tally.Retries);
        if (record.Children.Count > 0) RunsStarted.Add(record.Children.Count, new KeyValuePair<string, object?>("by", "run"));
    }

    internal static void EffectEnded(FunctionDescriptor function, EffectEnd end, TimeSpan took) => EffectDuration.Record(
        took.TotalSeconds, new("function", function.Name), new("lane", Lanes[(int)function.Lane]), new("outcome", Outcomes[(int)end]));

    internal static void LeaseLost() => LeasesLost.Add(1);

    internal static void Recovered(int runs) => RunsRecovered.Add(runs);

    internal static void TurnFailed() => RunsFailed.Add(1);

    /// <summary>What is asked of one worker whenever somebody looks, for as long as it lives.</summary>
    internal static Meter Observe(Worker worker)
    {
        var meter = new Meter(MeterName);
        // Meters live until they are disposed; a worker that is dropped without being disposed must not.
        var seen = new WeakReference<Worker>(worker);
        meter.CreateObservableGauge("millrace.runs.held", () => seen.TryGetTarget(out var there) ? there.Held : 0, "{run}", "Runs this worker has under its lease and in memory now.");
        meter.CreateObservableGauge("millrace.effects.running", () => ByLane(seen, s => s.Used), "{effect}", "Effects under way, by lane.");
        meter.CreateObservableGauge("millrace.effects.queued", () => ByLane(seen, s => s.Waiting), "{effect}", "Effects that wait for a slot of their lane.");
        meter.CreateObservableGauge("millrace.effects.slots", () => ByLane(seen, s => s.Max), "{effect}", "Effects that may be under way at once, by lane.");
        return meter;
    }

    private static Measurement<int>[] ByLane(WeakReference<Worker> seen, Func<Slots, int> figure) => seen.TryGetTarget(out var worker)
        ? [.. Lanes.Select((name, lane) => new Measurement<int>(figure(worker.Lanes.Of((Lane)lane)), new KeyValuePair<string, object?>("lane", name)))]
        : [];

    private static KeyValuePair<string, object?> State(RunPhase state) => new("state", States[(int)state]);
}

/// <summary>Steps that ended and retries that were scheduled in one record.</summary>
internal readonly record struct Tally(int Steps, int Retries);

/// <summary>How an attempt came to its end. Crashed: the function threw instead of telling an outcome.</summary>
internal enum EffectEnd : byte { Completed, Failed, Crashed, Cancelled }
