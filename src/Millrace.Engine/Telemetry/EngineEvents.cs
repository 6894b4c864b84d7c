using Millrace.Engine.Execution;

namespace Millrace.Engine.Telemetry;

/// <summary>What is counted, traced and logged at once.</summary>
internal static class EngineEvents
{
    /// <summary>The run's last record is on disk.</summary>
    public static void RunEnded(RunActor actor)
    {
        var (state, log) = (actor.State, actor.Worker.Log);
        EngineMetrics.RunEnded(state.Ended, state.CreatedAt, state.EndedAt);
        EngineTrace.RunEnded(actor);
        if (actor.State.Trigger is not null) actor.Worker.Schedules.Call(0);
        if (state.Error is not { } error) return;
        using (log.About(actor)) log.RunFaulted(actor.Id, error.Instance, error.Type, error.Status);
    }

    /// <summary>Runs of workers that died are due again.</summary>
    public static void RunsRecovered(Worker worker, int runs)
    {
        EngineMetrics.Recovered(runs);
        worker.Log.RunsFreed(runs);
    }
}
