using Millrace.Tests.Crash;

namespace Millrace.Bench.Crash;

/// <summary>The crash test at length: more runs, more kills, and what it found as figures.</summary>
internal static class CrashBench
{
    public static async Task RunAsync()
    {
        const int runs = 5000, steps = 10, kills = 150;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(60));
        var seed = Environment.TickCount;
        Figures.Say($"crash: {runs:#,0} runs of {steps} keyed HTTP effects, {kills} kills with -9, seed {seed}");
        var found = await new CrashScenario(Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), runs, steps, kills, seed).RunAsync(patience.Token);
        var settings = $"{runs} runs, {kills} kills, seed {seed}, {found.Took.TotalSeconds:0} s";
        Figures.Print("crash.runs_completed", found.Completed, "runs", settings);
        Figures.Print("crash.runs_lost", runs - found.Completed, "runs", found.Unfinished.Length == 0 ? settings : found.Unfinished);
        Figures.Print("crash.effects_recorded", found.Effects, "keys", $"of {runs * steps}");
        Figures.Print("crash.attempts_repeated", found.Repeated, "requests", "effects under way when the server died, asked for again under the same key");
    }
}
