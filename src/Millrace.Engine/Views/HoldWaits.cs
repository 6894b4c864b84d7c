using Millrace.Engine.Execution;
using Millrace.Engine.Holds;
using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Views;

/// <summary>Says that a run's definition or its workspace is suspended where the run has not written so yet: one that waits for a time finds out when that comes.</summary>
public static class HoldWaits
{
    /// <returns>Null when neither is.</returns>
    public static WaitingFor? Of(DbUnit db, RunRow run)
    {
        var id = run.Definition;
        var hold = HoldStore.Find(db, run.Tenant, id.Namespace, id.Name) ?? HoldStore.Find(db, run.Tenant, "", "");
        return hold is null ? null : new WaitingFor(WaitKind.Resume, hold.CreatedAt, null, Detail(hold.Reason, begun: run.StartedAt is not null));
    }

    internal static string Detail(string? reason, bool begun) =>
        $"Its definition or its workspace is suspended{(reason is { } why ? $" ({why})" : "")}; it {(begun ? "goes on" : "begins")} when that is over.";
}
