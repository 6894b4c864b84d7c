using Millrace.Tests.Chaos;

namespace Millrace.Crash.Tests;

/// <summary>What <c>./bench chaos</c> does at length.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task A_cluster_whose_parts_fail_one_after_another_loses_nothing_and_doubles_nothing()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var told = new List<string>();
        var scenario = new ChaosScenario(Path.Combine(AppContext.BaseDirectory, "Millrace.Server.dll"), runs: 150, TimeSpan.FromSeconds(45), seed: 20)
        {
            Told = line =>
            {
                lock (told) told.Add(line);
            },
        };
        var found = await scenario.RunAsync(patience.Token);
        Assert.True(found.Verdict.IsClean, string.Join('\n', found.Verdict.Complaints.Concat(told)));
        foreach (var kind in new[] { "kill_worker", "kill_api", "halt", "wire", "clock" }) Assert.Contains(found.Faults, f => f.Key.StartsWith(kind, StringComparison.Ordinal));
        Assert.Contains(found.Faults, f => f.Key.StartsWith("postgres", StringComparison.Ordinal));
        Assert.Contains(found.Faults, f => f.Key.StartsWith("redis", StringComparison.Ordinal));
    }
}
