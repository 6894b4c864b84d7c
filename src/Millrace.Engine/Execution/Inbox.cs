using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What each kind of signal means to the run it was sent to.</summary>
internal static class Inbox
{
    /// <param name="signals">In order. How children ended is read for all of them at once.</param>
    public static async Task HearAsync(RunActor actor, Decision decision, List<Signal> signals)
    {
        Guid[] children = [.. signals.Where(s => s.Kind == "child").Select(ChildOf).Where(c => decision.Awaits(c)).Distinct()];
        var outcomes = children.Length == 0 ? [] : await actor.Worker.Journal.OutcomesAsync(actor.Tenant, children);
        foreach (var signal in signals) await HearAsync(actor, decision, signal, outcomes);
        // There may be more than were read.
        if (signals.Count == SignalStore.BatchMax) actor.Post(RunEvent.Signalled.Instance);
    }

    private static async ValueTask HearAsync(RunActor actor, Decision decision, Signal signal, Dictionary<Guid, RunOutcome> outcomes)
    {
        switch (signal.Kind)
        {
            case "cancel": decision.Cancel(signal.Body["reason"].StringOrNull); break;
            case "suspend": decision.Suspend(signal.Body["reason"].StringOrNull); break;
            case "resume":
                if (!actor.State.IsSuspended) break;
                decision.Resume();
                decision.Recover(actor.IsUnderway, actor.Worker.IsOnce);
                break;
            case "child":
                if (outcomes.TryGetValue(ChildOf(signal), out var end)) decision.ChildEnded(ChildOf(signal), end.Phase, end.Output, end.Error);
                break;
            case "concurrency": decision.ChangeConcurrency((int)signal.Body["step"].AsNumber(), (int)signal.Body["concurrency"].AsNumber()); break;
            case "redrive": decision.Redrive((int)signal.Body["step"].AsNumber()); break;
            case "approval": Approvals.Approvals.Hear(decision, signal); break;
            case "event":
                var position = (long)signal.Body["event"].AsNumber();
                if (await actor.Worker.Events.ReadAsync(actor.Tenant, position) is { } envelope) decision.EventArrived(position, envelope);
                break;
            default: throw new NewerBuildException($"Its inbox holds a signal '{signal.Kind}' that this build does not know.");
        }
    }

    private static Guid ChildOf(Signal signal) => Guid.Parse(signal.Body["run"].AsString());
}
