using System.Diagnostics;
using Millrace.Engine.Functions;
using Millrace.Engine.Telemetry;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>One attempt at one effect: a slot of its lane, the function, and an outcome whatever happens.</summary>
internal static class Effect
{
    public static async Task PerformAsync(RunActor actor, IFunction function, Command.Invoke invoke, ItemsHandled? items, CancellationToken cancel)
    {
        var step = invoke.Step;
        var slot = new LaneSlot(actor, function.Descriptor.Lane);
        FunctionOutcome? outcome = null;
        try
        {
            await slot.TakeAsync(cancel);
            try
            {
                // Its turn may come in the moment in which it is cancelled, or in which its worker hears that others do its work.
                cancel.ThrowIfCancellationRequested();
                // Another worker begins it instead; what must not be done twice is done here, since it counts as begun.
                if (actor.Worker.IsDraining && function.Descriptor.Idempotency != Idempotency.Once) return;
                outcome = await AttemptAsync(actor, function, invoke, items, slot, cancel);
            }
            finally
            {
                slot.Give();
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return;
        }
        actor.Post(new RunEvent.EffectEnded(step.Id, outcome));
    }

    private static async ValueTask<FunctionOutcome> AttemptAsync(RunActor actor, IFunction function, Command.Invoke invoke, ItemsHandled? items, LaneSlot slot, CancellationToken cancel)
    {
        var step = invoke.Step;
        var time = actor.Worker.Time;
        var began = time.GetTimestamp();
        using var span = EngineTrace.Effect(actor, function.Descriptor, step);
        var context = new EffectContext(actor, step, function.Descriptor.Idempotency, span?.Id ?? actor.State.Trace, items, slot);
        var end = EffectEnd.Cancelled;
        FunctionOutcome? outcome = null;
        try
        {
            outcome = await function.InvokeAsync(context, invoke.Arguments, cancel);
            end = outcome is FunctionOutcome.Completed ? EffectEnd.Completed : EffectEnd.Failed;
            if (context.Mask is { IsEmpty: false } mask) outcome = Masked(outcome, mask);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            end = EffectEnd.Crashed;
            outcome = Crashed(actor, function, step, context, e);
        }
        finally
        {
            context.EndLive();
            EngineMetrics.EffectEnded(function.Descriptor, end, time.GetElapsedTime(began));
            EngineTrace.EffectEnded(span, end, outcome);
        }
        return outcome;
    }

    private static FunctionOutcome Masked(FunctionOutcome outcome, SecretMask mask) => outcome switch
    {
        FunctionOutcome.Completed done => FunctionOutcome.Done(mask.Apply(done.Output)),
        FunctionOutcome.Failed failed => new FunctionOutcome.Failed(mask.Apply(failed.Error)),
        _ => outcome,
    };

    private static FunctionOutcome.Failed Crashed(RunActor actor, IFunction function, Step step, EffectContext context, Exception e)
    {
        var detail = $"{e.GetType().Name}: {e.Message}";
        if (context.Mask is { IsEmpty: false } mask) detail = mask.Apply(detail);
        // The log gets the exception's name: its message may quote what the run works with.
        using (actor.Worker.Log.About(actor)) actor.Worker.Log.EffectCrashed(actor.Id, step.Id, step.Node.Reference, function.Descriptor.Reference, e.GetType().Name);
        return new FunctionOutcome.Failed(new WorkflowError(ErrorTypes.Runtime, 500, $"The function '{function.Descriptor.Reference}' failed", detail));
    }
}
