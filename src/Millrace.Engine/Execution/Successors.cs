using Millrace.Engine.Runs;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>What a run stands under, and how many stand above it.</summary>
internal readonly record struct Lineage(Guid? Parent, int? Step, int Depth)
{
    public static Lineage Of(RunRow row) => new(row.Parent, row.ParentStep, row.Depth);
}

/// <summary>Turns the wish to go on as another run into that run, which is committed with the record that ends the first.</summary>
internal static class Successors
{
    /// <summary>It stands where the first stood: under the same parent, for the same tick, with the same deadline.</summary>
    public static async ValueTask<NewRun> CreateAsync(RunActor run, Command.Continue wish)
    {
        var (worker, definition) = (run.Worker, run.Workflow.Id);
        var workflow = wish.Latest && await worker.Definitions.FindAsync(run.Tenant, definition.Namespace, definition.Name, "latest") is { } latest ? latest : run.Workflow;
        var (now, isLimited) = (worker.Now, worker.Limits.Governs(run.Tenant, workflow));
        var row = RunRow.New(run.Tenant, wish.Successor, workflow.Id, workflow.Hash, now) with
        {
            // Under limits it is taken as any other, and asks for what it needs.
            Lease = isLimited ? null : run.Lease.Id,
            WakeAt = isLimited ? now : null,
            Plan = isLimited ? worker.Limits.PlanOfSuccessor(run.Tenant, workflow, wish.Input) : null,
            Parent = run.Lineage.Parent,
            ParentStep = run.Lineage.Step,
            Depth = run.Lineage.Depth,
            Trigger = run.State.Trigger,
        };
        var first = new Entry.RunCreated(wish.Input) { Trace = run.State.Trace, Trigger = run.State.Trigger, Part = run.State.Part };
        return await NewRun.CreateAsync(worker.Keeping.Loose, row, workflow, first);
    }
}
