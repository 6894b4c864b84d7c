using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Ends a run whose next one begins in its place.</summary>
internal static class Continuing
{
    public static void Begin(Decision on, Step step, ContinueBody body)
    {
        if (on.State.Batch is not null) throw Refused("An input of a batch belongs to the run that carries out the others, and cannot go on as another run.");
        if (on.State.Compensations.End is not null) throw Refused("A run that is being undone cannot go on as another run.");
        var input = body.Input?.Evaluate(step.Input, new StepVariables(on, step)) ?? step.Input;
        var successor = on.Around.NewId();
        var output = Json.Object("continuedBy", successor.ToString());
        on.Emit(new Entry.StepCompleted(step.Id, output, null, null));
        on.CancelAll();
        on.Emit(new Entry.RunCompleted(output));
        on.Commands.Add(new Command.Continue(successor, input, body.Latest) { Heard = on.State.Heard.All });
    }

    private static WorkflowFault Refused(string detail) => new(new WorkflowError(ErrorTypes.Runtime, 409, "Cannot continue", detail));
}
