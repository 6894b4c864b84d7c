using Millrace.Engine.Runs;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>Turns the wish to go on as another run into that run, which is committed with the record that ends the first.</summary>
internal static class Successors
{
    /// <summary>It stands where the first stood: under the same parent, for the same tick, with the same deadline.</summary>
    public static async ValueTask<NewRun> CreateAsync(RunActor run, Command.Continue wish)
    {
        var (worker, definition) = (run.Worker, run.Workflow.Id);
        var workflow = wish.Latest && await worker.Definitions.FindAsync(run.Tenant, definition.Namespace, definition.Name, "latest") is { } latest ? latest : run.Workflow;
        var row = RunRow.New(run.Tenant, wish.Successor, workflow.Id, workflow.Hash, worker.Now) with
        {
            Lease = run.Lease.Id,
            Parent = run.Parent,
            ParentStep = run.ParentStep,
            Depth = run.Depth,
            Trigger = run.State.Trigger,
        };
        var first = new Entry.RunCreated(wish.Input) { Trace = run.State.Trace, Trigger = run.State.Trigger, Part = run.State.Part };
        return await NewRun.CreateAsync(worker.Blobs, row, workflow, first);
    }
}
