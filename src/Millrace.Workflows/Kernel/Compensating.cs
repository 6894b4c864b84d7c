using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Decides what is undone before a run ends that did not complete (docs/decisions/0019-compensation.md).</summary>
internal static class Compensating
{
    /// <summary>The name under which a handler finds the step it undoes.</summary>
    public const string Variable = "compensated";

    /// <summary>Everything else has been cancelled.</summary>
    /// <returns>False when there is nothing to undo: the run ends now.</returns>
    public static bool Begin(Decision on, WorkflowError? error, string? reason)
    {
        if (!on.State.Compensations.IsWanted) return false;
        // Whoever ends a run that stands wants it to end, and not to stand.
        if (on.State.IsStanding) on.Emit(new Entry.RunResumed());
        if (on.State.Hold is not null) on.Emit(new HoldEntry.Released());
        on.Emit(new CompensationEntry.Begun(error, reason));
        on.Follow(on.State.Root);
        return true;
    }

    /// <summary>Begins the next handler, or ends the run.</summary>
    public static void GoOn(Decision on)
    {
        var state = on.State;
        if (state.Compensations.IsOver)
        {
            on.Finish(state.Compensations.Ending());
            return;
        }
        var (done, _) = state.Compensations.Next;
        var id = state.LastStep + 1;
        on.Emit(new CompensationEntry.Started(id, done.Node.Compensate!.Index, done.Id));
        on.Follow(state.Find(id)!);
    }

    /// <summary>The directive <c>end</c> ends the handler it stands in, and not the run.</summary>
    public static bool EndsHandler(Decision on, Step scope)
    {
        if (on.State.Compensations.End is null) return false;
        var handler = scope.Around().Last();
        on.CancelBelow(handler);
        DataFlow.Complete(on, handler, scope.Data);
        return true;
    }

    /// <summary>Whether the run has come to the end of a handler and goes on with the next.</summary>
    public static bool MovesOn(RunState state, out Step root)
    {
        root = state.Root;
        return state.Compensations.End is not null && root.Pending is not null;
    }
}
