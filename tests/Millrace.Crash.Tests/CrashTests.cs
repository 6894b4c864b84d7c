using Millrace.Tests.Crash;

namespace Millrace.Crash.Tests;

public sealed class CrashTests
{
    private static readonly string Server = Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll");

    [Fact]
    public async Task Thirty_kills_under_a_thousand_runs_lose_nothing_and_record_every_effect_once()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var result = await new CrashScenario(Server, runs: 1000, stepsPerRun: 10, kills: 32, seed: 20).RunAsync(patience.Token);
        Assert.Equal("", result.Unfinished);
        Assert.Equal(1000, result.Completed);
        Assert.Equal(10_000, result.Effects);
    }
}
