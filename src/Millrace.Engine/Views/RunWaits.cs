using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Views;

/// <summary>What a run waits for, with what its own journal does not know.</summary>
public static class RunWaits
{
    /// <param name="own">What the journal says (<see cref="RunHistory.Waiting"/>). Nothing is added to nothing: such a run has ended.</param>
    /// <param name="isSuspended">It has heard of it itself.</param>
    public static IReadOnlyList<WaitingFor> Of(DbUnit db, RunRow run, bool isSuspended, IReadOnlyList<WaitingFor> own)
    {
        if (own.Count == 0) return own;
        // What is under way for it goes on only when it has its slot, and nothing begins while its definition stands.
        var limits = LimitWaits.Of(db, run.Tenant, run.Id);
        var waits = limits.Count > 0 ? limits : own;
        return !isSuspended && HoldWaits.Of(db, run) is { } hold ? [hold, .. waits] : waits;
    }
}
