using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>One attempt at one effect: a slot of its lane, the function, and an outcome whatever happens.</summary>
internal static class Effect
{
    public static async Task PerformAsync(RunActor actor, IFunction function, Step step, Json arguments, CancellationToken cancel)
    {
        var slots = actor.Worker.Lanes.Of(function.Descriptor.Lane);
        FunctionOutcome outcome;
        actor.Worker.Performing(1);
        try
        {
            await slots.TakeAsync(cancel);
            try
            {
                var context = new EffectContext(actor, step);
                outcome = await function.InvokeAsync(context, arguments, cancel);
                if (context.Mask is { IsEmpty: false } mask) outcome = Masked(outcome, mask);
            }
            finally
            {
                slots.GiveBack();
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            outcome = Crashed(actor, function, step, e);
        }
        finally
        {
            actor.Worker.Performing(-1);
        }
        actor.Post(new RunEvent.EffectEnded(step.Id, outcome));
    }

    private static FunctionOutcome Masked(FunctionOutcome outcome, SecretMask mask) => outcome switch
    {
        FunctionOutcome.Completed done => FunctionOutcome.Done(mask.Apply(done.Output)),
        FunctionOutcome.Failed failed => new FunctionOutcome.Failed(mask.Apply(failed.Error)),
        _ => outcome,
    };

    private static FunctionOutcome Crashed(RunActor actor, IFunction function, Step step, Exception e)
    {
        var detail = $"{e.GetType().Name}: {e.Message}";
        if (new EffectContext(actor, step).Mask is { IsEmpty: false } mask) detail = mask.Apply(detail);
        return FunctionOutcome.Fail(ErrorTypes.Runtime, 500, $"The function '{function.Descriptor.Reference}' failed", detail);
    }
}
