using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// What is done for each item of an effect that gives several (dsl-reference.md, AsyncAPI Subscription; decision 22). The effect goes on while the tasks run, and waits
/// with its next item until it is told that they are done.
/// </summary>
internal static class Consuming
{
    /// <summary>Asks for the effect, unless its condition wants nothing at all.</summary>
    public static void Begin(Decision on, Step step, ItemLoop each)
    {
        if (each.While is { } goes && !goes.Evaluate(JsonArray.Empty, new StepVariables(on, step)).IsTruthy) DataFlow.Complete(on, step, JsonArray.Empty);
        else TaskStart.Invoke(on, step);
    }

    /// <summary>A sub-step that is the next item is taken at once.</summary>
    public static void Note(Step step, Entry.SubStepCompleted e)
    {
        (step.SubSteps ??= [])[e.Name] = e.Output;
        if (step.Intake is not { } intake || !intake.Awaits(e.Name)) return;
        intake.Take(e.Output);
        (step.Data, step.Position, step.Pending) = (e.Output, -1, Flow.Continue);
    }

    /// <summary>What was to be done for an item is done.</summary>
    public static void Finish(Decision on, Step step, ItemLoop each)
    {
        try
        {
            Listening.Handle(on, step, each.Iterator);
            if (IsEnough(on, step, each)) on.Emit(new Entry.IntakeClosed(step.Id));
            Tell(on, step);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    /// <summary>Tells the effect how far its items are done with.</summary>
    public static void Tell(Decision on, Step step) => on.Commands.Add(new Command.Handled(step.Id, step.Intake!.Handled, step.Intake.IsClosed));

    /// <summary>The effect has ended: the output is what was made of its items.</summary>
    public static void End(Decision on, Step step)
    {
        on.CancelBelow(step);
        DataFlow.Complete(on, step, step.Intake!.Output);
    }

    /// <summary>The variables of an iteration.</summary>
    public static Json? Variable(Step step, ItemLoop each, string name) =>
        name == each.Iterator.Item ? step.Intake!.Item : name == each.Iterator.At ? (Json)step.Intake!.Index : (Json?)null;

    private static bool IsEnough(Decision on, Step step, ItemLoop each)
    {
        var variables = new StepVariables(on, step);
        return each.While is { } goes ? !goes.Evaluate(step.Intake!.Items, variables).IsTruthy : each.Until?.Evaluate(step.Intake!.Items, variables).IsTruthy == true;
    }
}
