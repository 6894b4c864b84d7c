using System.Diagnostics;
using Millrace.Testing.Checks;
using Millrace.Testing.Scenarios;
using Millrace.Testing.Stage;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;

namespace Millrace.Testing;

/// <summary>What came of one scenario.</summary>
/// <param name="Failures">How it differs from what is expected; nothing when it passed.</param>
/// <param name="Restarts">How often it was played with a crash.</param>
public sealed record ScenarioResult(Scenario Scenario, IReadOnlyList<string> Failures, int Restarts, TimeSpan Took)
{
    public bool Passed => Failures.Count == 0;
}

/// <summary>Plays scenarios on the real engine. One scenario is played on the caller's thread; others may be on other threads.</summary>
public static class ScenarioRunner
{
    /// <summary>Crashes of one scenario; of more writes than that, so many are chosen evenly.</summary>
    private const int CrashesMax = 400;

    /// <param name="everywhere">As if each scenario said <c>restart: everywhere</c>.</param>
    public static ScenarioResult Run(Scenario scenario, bool everywhere = false)
    {
        var began = Stopwatch.GetTimestamp();
        var restarts = 0;
        List<string> failures;
        try
        {
            failures = Play(scenario, everywhere, ref restarts);
        }
        catch (StageException e)
        {
            failures = [e.Message];
        }
        return new ScenarioResult(scenario, failures, restarts, Stopwatch.GetElapsedTime(began));
    }

    private static List<string> Play(Scenario scenario, bool everywhere, ref int restarts)
    {
        var loaded = WorkflowLoader.Load(scenario.Workflow);
        if (!loaded.IsExecutable) return Expectations.CheckRefusal(scenario.Expect, loaded.Diagnostics);
        var workflows = new List<Workflow> { loaded.Workflow! };
        foreach (var text in scenario.Workflows)
        {
            var other = WorkflowLoader.Load(text);
            if (!other.IsExecutable) return [.. Expectations.CheckRefusal(Jq.Json.EmptyObject, other.Diagnostics).Select(d => $"one of 'workflows': {d}")];
            workflows.Add(other.Workflow!);
        }
        var played = Stage.Play.Once(scenario, workflows, new Crash { AfterRecord = scenario.Restart.AfterRecord });
        var failures = Expectations.Check(scenario.Expect, played);
        if (failures.Count > 0 || !(scenario.Restart.Everywhere || everywhere && scenario.Restart is { Forbidden: false, AfterRecord: null })) return failures;
        var step = Math.Max(1, (played.Writes + CrashesMax - 1) / CrashesMax);
        for (long write = 1; write <= played.Writes; write += step)
        {
            restarts++;
            var again = Stage.Play.Once(scenario, workflows, new Crash { AtWrite = write });
            failures.AddRange(Expectations.Check(scenario.Expect, again).Select(f => $"with a crash after write {write} of {played.Writes}: {f}"));
            if (failures.Count > 0) break;
        }
        return failures;
    }
}
