using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>How a run goes on from the state that another one had.</summary>
internal static class Forking
{
    /// <summary>Parts from the source: the step begins anew, edited values take their places, and timers keep the time they had left.</summary>
    public static void Apply(RunState state, Entry.RunForked fork, long at)
    {
        state.Fork = fork;
        // Whoever forked it began it, not the schedule of its source.
        state.Trigger = null;
        if (fork.Context is { } context) state.Context = context;
        // What is done with other values is not what was done for the item.
        if (fork is { Input: not null } or { Context: not null }) state.Part = state.Part is { } part ? part with { Keys = null } : null;
        if (!state.IsStarted)
        {
            if (fork.Input is { } first) state.Input = first;
            return;
        }
        state.IsCut = true;
        if (fork is { Again: true, Step: { } id }) Rewind(state, state.Find(id)!);
        if (fork is { Input: { } input, Step: not null }) Edit(state.Find(fork.Scope)!, input);
        foreach (var step in state.Active.Values.Where(s => s.Window is not null))
        {
            step.Window!.Restart();
            step.Pending = step.Window.CanGoOn ? Flow.Continue : null;
        }
        Shift(state, at - fork.CutAt, at);
    }

    /// <summary>Asks once more for all that was under way at the cut, under this run's own keys, with children and ears of its own.</summary>
    public static void GoOn(Decision on)
    {
        var state = on.State;
        on.Emit(new Entry.RunContinued());
        foreach (var step in state.Active.Values.OrderBy(s => s.Id).ToArray())
        {
            if (state.IsFinished || state.Find(step.Id) != step) continue;
            if (step.IsEffect) TaskStart.Invoke(on, step);
            else if (step.Node.Body is ListenBody listen) Listening.Listen(on, step, listen);
            else if (step is { Approval: not null, Node.Body: ApproveBody approve }) Approving.Renew(on, step, approve);
            else if (step.Node.Body is SpawnBody spawn && !state.Fork!.Ended.Contains(step.Id)) Respawn(on, step, spawn);
        }
    }

    private static void Respawn(Decision on, Step step, SpawnBody spawn)
    {
        on.Emit(new Entry.StepRespawned(step.Id, on.Around.NewId()));
        try
        {
            TaskStart.Spawn(on, step, spawn);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    /// <summary>Takes a step out again, with all that is inside; its scope is about to begin it.</summary>
    private static void Rewind(RunState state, Step step)
    {
        Remove(state, step);
        var scope = step.Parent!;
        switch (scope.Node?.Body)
        {
            case ForkBody: (scope.Redo, scope.Pending) = (step.Iteration, Flow.Continue); break;
            case InvokeBody: (scope.Position, scope.Pending) = (-1, Flow.Continue); break;
            default: scope.Pending = new Flow(FlowKind.Goto, step.Node.Position); break;
        }
    }

    private static void Remove(RunState state, Step step)
    {
        if (step.HasChildren)
            foreach (var child in step.Children.ToArray()) Remove(state, child);
        state.Remove(step, RunPhase.Cancelled);
        state.Counts = state.Counts with { Cancelled = state.Counts.Cancelled + 1 };
    }

    private static void Edit(Step scope, Jq.Json input)
    {
        if (scope.Node?.Body is ForkBody) scope.Edited = input;
        else scope.Data = input;
    }

    /// <summary>Every step has the time left that it had at the cut. The run itself starts now, with all of its time.</summary>
    private static void Shift(RunState state, long by, long now)
    {
        foreach (var step in state.Active.Values)
        {
            step.StartedAt += by;
            step.TimeoutAt += by;
            step.WakeAt += by;
            step.AttemptTimeoutAt += by;
        }
        var root = state.Root;
        root.TimeoutAt = now + (root.TimeoutAt - root.StartedAt);
        root.StartedAt = state.StartedAt = now;
        state.ResetTimers();
    }
}
