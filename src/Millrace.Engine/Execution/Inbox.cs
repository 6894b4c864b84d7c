using Millrace.Engine.Journal;
using Millrace.Engine.Limits;
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
        if (signals.Count == 0)
        {
            CheckSlot(actor);
            return;
        }
        // What it was let through for may stand behind others, or behind all that was read, and nothing before it is to begin anything.
        var wish = actor.Limits.IsSlotless ? await actor.Worker.Journal.WishAsync(actor, signals[0].Position) : null;
        if (wish is not null) await HearAsync(actor, decision, wish, []);
        // What a child has gone on as is waited for from the moment at which that is heard.
        HashSet<Guid> next = [.. signals.Where(s => s.Kind == "continued").Select(SuccessorOf)];
        Guid[] children = [.. signals.Where(s => s.Kind == "child" && (decision.Awaits(ChildOf(s)) || next.Contains(ChildOf(s)))).Select(EndOf).Distinct()];
        var outcomes = children.Length == 0 ? [] : await actor.Worker.Journal.OutcomesAsync(actor.Tenant, children);
        foreach (var signal in signals)
        {
            // What is wanted of a run that goes on as another is wanted of the other: it stays unheard, and moves.
            if (decision.GoesOn) break;
            actor.Heard(signal);
            if (signal.Kind != "resume" || wish is null || signal.Position > wish.Position) await HearAsync(actor, decision, signal, outcomes);
        }
        // There may be more than were read.
        if (signals.Count == SignalStore.BatchMax) actor.Post(RunEvent.Signalled.Instance);
        else CheckSlot(actor);
    }

    /// <exception cref="NoSlotException">It was let through to end or to stand, and does neither. What it did is undone without a slot: who wants an end does not wait.</exception>
    private static void CheckSlot(RunActor actor)
    {
        if (actor.Limits.IsSlotless && actor.State is { IsFinished: false, IsSuspended: false, IsUndoing: false }) throw new NoSlotException(actor.Id);
    }

    private static async ValueTask HearAsync(RunActor actor, Decision decision, Signal signal, Dictionary<Guid, RunOutcome> outcomes)
    {
        switch (signal.Kind)
        {
            case "cancel": decision.Cancel(signal.Body["reason"].StringOrNull, cleanUp: signal.Body["cleanUp"].Kind != Jq.JsonKind.False); break;
            case "suspend": decision.Suspend(signal.Body["reason"].StringOrNull); break;
            case "resume":
                if (!actor.State.IsSuspended) break;
                decision.Resume();
                Recover(actor, decision);
                break;
            case "child":
                if (outcomes.TryGetValue(EndOf(signal), out var end)) decision.ChildEnded(ChildOf(signal), end.Phase, end.Output, end.Error);
                break;
            case "continued": decision.ChildContinued(ChildOf(signal), SuccessorOf(signal)); break;
            case "release":
                var hold = Guid.Parse(signal.Body["hold"].AsString());
                if (actor.State.Hold?.Id != hold) break;
                decision.Release(hold, actor.Worker.Standing.Over(actor.Tenant, actor.Workflow, except: hold));
                Recover(actor, decision);
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

    /// <summary>What was under way when it came to stand goes on, if nothing else keeps it standing.</summary>
    private static void Recover(RunActor actor, Decision decision)
    {
        if (actor.State is { IsStarted: true, IsSuspended: false }) decision.Recover(actor.IsUnderway, actor.Worker.IsOnce);
    }

    private static Guid SuccessorOf(Signal signal) => Guid.Parse(signal.Body["by"].AsString());

    private static Guid ChildOf(Signal signal) => Guid.Parse(signal.Body["run"].AsString());

    /// <summary>Whose end is the child's: a fork hears of one that had gone on as others only when all of them had ended.</summary>
    private static Guid EndOf(Signal signal) => signal.Body["end"].StringOrNull is { } last ? Guid.Parse(last) : ChildOf(signal);
}
