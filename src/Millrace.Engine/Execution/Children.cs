using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>Turns spawn commands into runs that are committed together with the record that asked for them.</summary>
internal static class Children
{
    /// <summary>How long a child that is for whoever takes it first stays untaken: long enough for others to hear of it before this worker looks.</summary>
    private static readonly TimeSpan SharedFor = TimeSpan.FromMilliseconds(10);

    /// <summary>The runs that a decision begins: children, or the one it goes on as.</summary>
    public static async ValueTask<IReadOnlyList<NewRun>> OfAsync(RunActor run, Decision decision, Action<Command.Spawn, WorkflowError> refuse)
    {
        var children = await ResolveAsync(run, decision, refuse);
        return decision.Commands.Find(c => c is Command.Continue) is Command.Continue next ? [.. children, await Successors.CreateAsync(run, next)] : children;
    }

    private static async ValueTask<IReadOnlyList<NewRun>> ResolveAsync(RunActor parent, Decision decision, Action<Command.Spawn, WorkflowError> refuse)
    {
        var children = new List<NewRun>();
        var seen = new HashSet<Guid>();
        var found = new Dictionary<string, Workflow?>(StringComparer.Ordinal);
        var others = decision.Commands.Exists(c => c is Command.Spawn { Step.Window: not null }) ? await parent.Worker.Wakes.OthersAsync() : 0;
        // A refusal may let other children start, or take away those that were to start.
        while (decision.Commands.OfType<Command.Spawn>().Where(s => !seen.Contains(s.Child)).ToArray() is { Length: > 0 } asked)
        {
            foreach (var wish in asked)
            {
                seen.Add(wish.Child);
                if (!decision.Commands.Contains(wish)) continue;
                if (await FillAsync(parent, decision, wish, refuse) is not { } spawn) continue;
                if (parent.Lineage.Depth + 1 > parent.Worker.Settings.DepthMax)
                    refuse(spawn, new WorkflowError(ErrorTypes.Runtime, 508, "Too deep", $"Runs start runs at most {parent.Worker.Settings.DepthMax} deep."));
                else if (await FindAsync(parent, decision, spawn, found) is { } workflow)
                    children.Add(await CreateAsync(parent, spawn, workflow,
                        isShared: (spawn.Step.Window is not null && children.Count % (others + 1) != 0) || parent.Worker.Limits.Governs(parent.Tenant, workflow)));
                else
                    refuse(spawn, new WorkflowError(ErrorTypes.Configuration, 404, "Definition not found", $"There is no definition {NameOf(spawn)}."));
            }
        }
        return children;
    }

    /// <summary>Reads what the child works on where that is not in the decision.</summary>
    private static async ValueTask<Command.Spawn?> FillAsync(RunActor parent, Decision decision, Command.Spawn wish, Action<Command.Spawn, WorkflowError> refuse)
    {
        if (wish.From is not { } from) return wish;
        if (await parent.Worker.Results.ReadAsync(parent, decision, from) is { } items) return decision.ChildGiven(wish, items);
        refuse(wish, new WorkflowError(ErrorTypes.Runtime, 410, "Results not kept", $"Results of the step {from.Step} of the run {from.Run} are not kept any more: their run has gone."));
        return null;
    }

    private static string NameOf(Command.Spawn spawn) => $"{spawn.Body.Namespace}/{spawn.Body.Name}:{spawn.Body.Version}";

    /// <summary>A step that starts many children stays with the version that its first one ran.</summary>
    private static async ValueTask<Workflow?> FindAsync(RunActor parent, Decision decision, Command.Spawn spawn, Dictionary<string, Workflow?> found)
    {
        var (name, definitions) = (NameOf(spawn), parent.Worker.Definitions);
        if (spawn.Body.Entry is { } entry) return await definitions.ByHashAsync(parent.Tenant, $"{Workflow.TextOf(parent.Workflow.Hash)}#{entry}");
        var pin = spawn.Step.Window?.PinOf(name);
        if (!found.TryGetValue(pin ?? name, out var workflow))
            found[pin ?? name] = workflow = pin is null
                ? await definitions.FindAsync(parent.Tenant, spawn.Body.Namespace, spawn.Body.Name, spawn.Body.Version)
                : await definitions.ByHashAsync(parent.Tenant, pin);
        if (workflow is not null && pin is null && spawn.Step.Window is not null) decision.ChildPinned(spawn.Step, name, workflow.Hash);
        return workflow;
    }

    /// <param name="isShared">It is due for whoever takes it first, so that the children of one step are not all this worker's.</param>
    private static ValueTask<NewRun> CreateAsync(RunActor parent, Command.Spawn spawn, Workflow workflow, bool isShared)
    {
        var now = parent.Worker.Now;
        var row = RunRow.New(parent.Tenant, spawn.Child, workflow.Id, workflow.Hash, now) with
        {
            Lease = isShared ? null : parent.Lease.Id,
            WakeAt = isShared ? now + (long)SharedFor.TotalMicroseconds : null,
            Parent = parent.Id,
            ParentStep = spawn.Step.Id,
            Depth = parent.Lineage.Depth + 1,
        };
        return NewRun.CreateAsync(parent.Worker.Keeping.Loose, row, workflow, new Entry.RunCreated(spawn.Input) { Trace = parent.State.Trace, Part = spawn.Part });
    }
}
