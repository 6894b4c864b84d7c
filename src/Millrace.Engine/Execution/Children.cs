using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>Turns spawn commands into runs that are committed together with the record that asked for them.</summary>
internal static class Children
{
    public static async ValueTask<IReadOnlyList<NewRun>> ResolveAsync(RunActor parent, List<Command> commands, Action<int, WorkflowError> refuse)
    {
        var worker = parent.Worker;
        var children = new List<NewRun>();
        foreach (var spawn in commands.OfType<Command.Spawn>().ToArray())
        {
            var body = spawn.Body;
            if (parent.Depth + 1 > worker.Settings.DepthMax)
            {
                refuse(spawn.Step.Id, new WorkflowError(ErrorTypes.Runtime, 508, "Too deep", $"Runs start runs at most {worker.Settings.DepthMax} deep."));
                continue;
            }
            var workflow = await worker.Definitions.FindAsync(parent.Tenant, body.Namespace, body.Name, body.Version);
            if (workflow is null)
            {
                refuse(spawn.Step.Id, new WorkflowError(ErrorTypes.Configuration, 404, "Definition not found", $"There is no definition {body.Namespace}/{body.Name}:{body.Version}."));
                continue;
            }
            var now = worker.Now;
            var row = new RunRow
            {
                Tenant = parent.Tenant,
                Id = spawn.Child,
                Definition = workflow.Id,
                Hash = workflow.Hash,
                State = RunPhase.Running,
                Lease = parent.Lease.Id,
                Parent = parent.Id,
                ParentStep = spawn.Step.Id,
                CreatedAt = now,
                UpdatedAt = now,
                Depth = parent.Depth + 1,
            };
            children.Add(await NewRun.CreateAsync(worker.Blobs, row, workflow, new Entry.RunCreated(spawn.Input) { Trace = parent.State.Trace }));
        }
        return children;
    }
}
