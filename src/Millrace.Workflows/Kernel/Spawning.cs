using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Decides about the children of a map or a swarm: what each is given, when it starts, what its end means.</summary>
internal static class Spawning
{
    /// <summary>Evaluates what the step works on.</summary>
    public static void Begin(Decision on, Step step)
    {
        var body = (ChildrenBody)step.Node.Body;
        var variables = new StepVariables(on, step);
        var concurrency = Whole(body.Concurrency.Evaluate(step.Input, variables), "concurrency", ChildrenBody.ConcurrencyMax);
        on.Emit(body is MapBody map ? MapPlan.Open(step, map, concurrency, variables) : new SpawnEntry.Opened(step.Id, concurrency));
        if (step.Pending is not null) on.Follow(step);
    }

    /// <summary>Starts the next child, or ends the step.</summary>
    public static void GoOn(Decision on, Step step)
    {
        var window = step.Window!;
        if (window.Failure is { } failure)
        {
            End(on, step);
            on.Fault(step, failure with { Instance = step.Node.Reference });
            return;
        }
        if (window.IsOver)
        {
            End(on, step);
            DataFlow.Complete(on, step, window.OutputOf(on.State.Id, step.Id));
            return;
        }
        try
        {
            if (window is MapWindow map) MapPlan.Start(on, step, map);
            else StartMember(on, step, (SwarmWindow)window);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            End(on, step);
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
            return;
        }
        if (step.Pending is not null) on.Follow(step);
    }

    /// <summary>The step that a child under way belongs to; null when there is none.</summary>
    public static Step? OwnerOf(RunState state, Guid child)
    {
        foreach (var step in state.Active.Values)
            if (step.Window?.Has(child) == true) return step;
        return null;
    }

    public static void Ended(Decision on, Step step, Guid child, RunPhase phase, Json output, WorkflowError? error)
    {
        if (phase == RunPhase.Cancelled)
            error = new WorkflowError(ErrorTypes.Runtime, 499, "Child run cancelled", $"The child run {child} was cancelled.");
        if (phase == RunPhase.Faulted && Retry(on, step, child) is { } wakeAt) on.Emit(new SpawnEntry.ChildRetried(step.Id, child, error!, wakeAt));
        else on.Emit(new SpawnEntry.ChildEnded(step.Id, child, phase) { Output = phase == RunPhase.Completed ? step.Window!.KeptOf(output) : null, Error = error });
        if (step.Pending is not null) on.Follow(step);
    }

    /// <summary>What a child works on has been read.</summary>
    /// <returns>Null when the child is not to begin: its step has ended, or nothing can be made of the items and it faulted.</returns>
    public static Command.Spawn? Given(Decision on, Command.Spawn asked, JsonArray items)
    {
        if (on.State.Find(asked.Step.Id) != asked.Step)
        {
            Forget(on, asked);
            return null;
        }
        try
        {
            var filled = MapPlan.Fill(on, asked, items);
            on.Commands[on.Commands.IndexOf(asked)] = filled;
            return filled;
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            End(on, asked.Step);
            on.Fault(asked.Step, DataFlow.Refusal(e, asked.Step.Node.Reference));
            Forget(on, asked);
            return null;
        }
    }

    /// <summary>The child's row is not written, so there is nobody to cancel.</summary>
    private static void Forget(Decision on, Command.Spawn asked) =>
        on.Commands.RemoveAll(c => ReferenceEquals(c, asked) || (c is Command.CancelChild cancel && cancel.Child == asked.Child));

    /// <summary>Some delay has passed.</summary>
    public static void Wake(Decision on, Step step)
    {
        on.Emit(new SpawnEntry.DelayPassed(step.Id));
        if (step.Pending is not null) on.Follow(step);
    }

    public static void ChangeConcurrency(Decision on, Step step, int concurrency)
    {
        if (step.Window!.Concurrency == concurrency) return;
        on.Emit(new SpawnEntry.ConcurrencyChanged(step.Id, concurrency));
        if (step.Pending is not null) on.Follow(step);
    }

    /// <summary>Children that are under way are not wanted any more.</summary>
    private static void End(Decision on, Step step) => on.Drop(step);

    private static long? Retry(Decision on, Step step, Guid child)
    {
        if (step.Node.Body is not SwarmBody swarm) return null;
        var unit = step.Window!.UnitOf(child);
        var node = swarm.Nodes[unit.Index];
        if (unit.Attempts >= node.Retries) return null;
        try
        {
            return TaskStart.After(on, node.Delay, step.Input, NeedsOf(on, step, unit)) ?? on.Now;
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            // The delay is no duration: the failure at hand says more than that one.
            return null;
        }
    }

    private static void StartMember(Decision on, Step step, SwarmWindow window)
    {
        var unit = window.FirstReady!;
        var node = ((SwarmBody)step.Node.Body).Nodes[unit.Index];
        var variables = NeedsOf(on, step, unit);
        var input = node.Child.Input?.Evaluate(step.Input, variables) ?? step.Input;
        var deadline = TaskStart.After(on, node.Timeout, step.Input, variables);
        Spawn(on, step, node.Child, new SpawnEntry.ChildStarted(step.Id, on.Around.NewId(), unit.Index) { Count = 1 }, input,
            deadline is null ? null : new Part(false, false) { DeadlineAt = deadline });
    }

    private static SpawnVariables NeedsOf(Decision on, Step step, Unit unit) =>
        new(new StepVariables(on, step), "needs", ((SwarmWindow)step.Window!).NeedsOf(unit.Index));

    internal static void Spawn(Decision on, Step step, SpawnBody body, SpawnEntry.ChildStarted started, Json input, Part? part)
    {
        on.Emit(started);
        on.Commands.Add(new Command.Spawn(step, started.Child, body, input) { Part = part });
    }

    /// <exception cref="WorkflowFault">It is no whole number from 1 to <paramref name="max"/>.</exception>
    internal static int Whole(Json value, string what, int max)
    {
        if (value.IsNumber && value.AsNumber() is var number && number >= 1 && number <= max && Math.Floor(number) == number) return (int)number;
        throw new WorkflowFault(new WorkflowError(ErrorTypes.Validation, 400, "Invalid argument", $"'{what}' is {Shortened(value)}; expected a whole number from 1 to {max}."));
    }

    internal static string Shortened(Json value)
    {
        var text = value.ToString();
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
