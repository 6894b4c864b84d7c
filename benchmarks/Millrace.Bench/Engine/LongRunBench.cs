using System.Diagnostics;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Bench.Engine;

/// <summary>
/// Does a step of a very long run cost what a step of a young one costs? A disk changes its pace from minute to minute by more than
/// the tenth that is asked about, so every slice of the long run is followed by a young run, during which the long one
/// rests, and is judged against the young runs before and behind it. What comes out without that is printed too.
/// </summary>
internal static class LongRunBench
{
    private const int Steps = 100_000, Slice = 2_500, YoungSteps = 500, Runs = 3;

    public static async Task RunAsync(string folder)
    {
        var (old, young) = (new PacedNoOp("paced", Slice), new PacedNoOp("young", YoungSteps));
        var (oldLoop, youngLoop) = (Documents.Loop(Steps, "paced"), Documents.Loop(YoungSteps, "young"));
        await using var host = await EngineHost.OpenAsync(folder, [oldLoop, youngLoop], [old, young]);
        old.Between = async () =>
        {
            young.Begin();
            await host.RunAsync(youngLoop);
        };
        for (var i = 0; i < 20; i++) await old.Between();
        List<double> perStep = [], drift = [], raw = [];
        for (var run = 0; run < Runs; run++)
        {
            young.SliceUs.Clear();
            old.SliceUs.Clear();
            await old.Between();
            old.Begin();
            await host.RunAsync(oldLoop);
            var costs = old.SliceUs.ToList();
            var against = costs.Select((cost, i) => cost / Slice / ((young.SliceUs[i] + young.SliceUs[i + 1]) / 2 / (YoungSteps - 1))).ToList();
            perStep.Add(costs.Sum() / Steps);
            drift.Add(LateToEarly(against));
            raw.Add(LateToEarly(costs));
        }
        Figures.Print("engine.long_run_us_per_step", Median(perStep), "us", $"one run of {Steps:#,0} sequential steps, each durable before the next; median of {Runs} such runs, {Spread(perStep)}");
        Figures.Print("engine.long_run_drift", Median(drift), "ratio",
            $"cost per step of the last quarter to that of the first, each slice of {Slice:#,0} against the young runs around it; median of {Runs} runs, {Spread(drift)}");
        Figures.Print("engine.long_run_drift_raw", Median(raw), "ratio", $"the same without the young runs, so with whatever the machine did meanwhile; {Spread(raw)}");
    }

    /// <summary>The first slice is left out: it holds the start.</summary>
    private static double LateToEarly(List<double> slices)
    {
        var quarter = slices.Count / 4;
        return Median(slices.TakeLast(quarter)) / Median(slices.Skip(1).Take(quarter));
    }

    private static double Median(IEnumerable<double> values) => Figures.Percentile([.. values.Order()], 0.5);

    private static string Spread(List<double> values) => $"lowest {values.Min():0.###}, highest {values.Max():0.###}";
}

/// <summary>An effect that does nothing, and notes how long each slice of calls took, from one call to another. Between two slices it waits.</summary>
internal sealed class PacedNoOp(string name, int slice) : IFunction
{
    private long _began;
    private int _calls;

    public FunctionDescriptor Descriptor { get; } = new(name, "1.0.0", Capability.Write, Idempotency.Keyed, Lane.Io);

    public List<double> SliceUs { get; } = [];

    public Func<Task> Between { get; set; } = () => Task.CompletedTask;

    public void Begin()
    {
        _calls = 0;
        _began = 0;
    }

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        var now = Stopwatch.GetTimestamp();
        if (_began == 0) _began = now;
        if (++_calls % slice != 0) return FunctionOutcome.Done(Json.True);
        SliceUs.Add(Stopwatch.GetElapsedTime(_began, now).TotalMicroseconds);
        await Between();
        _began = Stopwatch.GetTimestamp();
        return FunctionOutcome.Done(Json.True);
    }
}
