using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Views;

/// <summary>What a run waits for, with what its own journal does not know.</summary>
public static class RunWaits
{
    /// <param name="own">What the journal says (<see cref="RunHistory.Waiting"/>); nothing when it has ended, and nothing is added to that unless it is to go on since.</param>
    /// <param name="isSuspended">It has heard of it itself.</param>
    public static IReadOnlyList<WaitingFor> Of(DbUnit db, RunRow run, bool isSuspended, IReadOnlyList<WaitingFor> own)
    {
        if (own.Count == 0)
        {
            // The journal is not older than this look at the row: whoever wanted it to go on has reopened it, and it has not heard so.
            if (RunStore.Get(db, run.Tenant, run.Id) is not { IsFinished: false } reopened) return own;
            own = [new WaitingFor(WaitKind.Worker, reopened.UpdatedAt, null, "It had ended and is to go on. A worker will go on with it at once.")];
        }
        // What is under way for it goes on only when it has its slot, and nothing begins while its definition stands.
        var limits = LimitWaits.Of(db, run.Tenant, run.Id);
        var waits = limits.Count > 0 ? limits : own;
        return !isSuspended && HoldWaits.Of(db, run) is { } hold ? [hold, .. waits] : waits;
    }
}
