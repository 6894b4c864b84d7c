using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Jq;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What each kind of signal means to the run it was sent to.</summary>
internal static class Inbox
{
    public static async Task HearAsync(RunActor actor, Decision decision, Signal signal)
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
                var child = Guid.Parse(signal.Body["run"].AsString());
                var (phase, output, error) = await actor.Worker.Journal.OutcomeAsync(actor.Tenant, child);
                decision.ChildEnded(child, phase, output, error);
                break;
            case "event":
                var position = (long)signal.Body["event"].AsNumber();
                if (await actor.Worker.Events.ReadAsync(actor.Tenant, position) is { } envelope) decision.EventArrived(position, envelope);
                break;
            default: throw new NewerBuildException($"Its inbox holds a signal '{signal.Kind}' that this build does not know.");
        }
    }
}
