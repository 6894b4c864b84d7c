using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Carries out what extensions do before and after a task (dsl-reference.md, Extension; docs/decisions/0025-extensions.md).</summary>
internal static class Extending
{
    /// <summary>The extensions that apply to a task about to begin, each by its condition.</summary>
    public static List<int> Applying(Decision on, Step draft, ExtendedBody body)
    {
        var applying = new List<int>();
        for (var i = 0; i < body.Layers.Count; i++)
            if (body.Layers[i].When is not { } when || when.Evaluate(draft.RawInput, new StepVariables(on, draft) { BeforeInput = true }).IsTruthy) applying.Add(i);
        return applying;
    }

    public static void Apply(Step step, ExtensionEntry entry)
    {
        if (entry is ExtensionEntry.Applied applied) step.Extension = new Extension((ExtendedBody)step.Node.Body, applied.Layers);
        else step.Extension!.Pass();
        Enter(step);
    }

    /// <summary>Something directly inside has ended.</summary>
    public static void Pass(Step step, Step child, Json output, Flow then)
    {
        if (step.Extension!.Extends(child))
        {
            step.Extension.End(output, then);
            Enter(step);
        }
        else
        {
            (step.Data, step.Pending) = (output, then);
        }
    }

    public static void Go(Decision on, Step step, ExtendedBody body, Flow flow)
    {
        var extension = step.Extension!;
        if (flow.Kind == FlowKind.End && step.Position >= 0)
        {
            on.EndRun(step.Data);
        }
        else if (extension.IsOver)
        {
            DataFlow.Complete(on, step, extension.Output, extension.Then == step.Node.Then ? null : extension.Then);
        }
        else if (extension.Tasks is not { } tasks)
        {
            TaskStart.Begin(on, step, body.Task, -1);
        }
        else if (flow.Kind == FlowKind.Exit)
        {
            // Before the task: it is left out, and what the list gave stands for what it would have given. After it: that replaces its output.
            if (extension.IsBefore) TaskStart.Begin(on, step, body.Task, -1);
            else DataFlow.Complete(on, step, step.Data, extension.Then == step.Node.Then ? null : extension.Then);
        }
        else
        {
            var next = flow.Kind == FlowKind.Goto ? flow.Position : step.Position + 1;
            if (next < tasks.Nodes.Count)
            {
                TaskStart.Begin(on, step, tasks.Nodes[next], -1);
            }
            else
            {
                on.Emit(new ExtensionEntry.Passed(step.Id));
                on.Follow(step);
            }
        }
    }

    /// <summary>The raw output of a task that an extension has left out; null for one that is carried out.</summary>
    public static Json? Given(Step step) =>
        step.Parent is { Extension: { IsBefore: true } extension } parent && extension.Extends(step) ? parent.Data : (Json?)null;

    /// <summary>The step of the extended task, for a step of what an extension does; null for every other.</summary>
    public static Step? Around(Step step)
    {
        for (var one = step; one.Parent is { } parent; one = parent)
            if (parent.Extension is { } extension && !extension.Extends(one)) return parent;
        return null;
    }

    /// <summary>Every list begins on what the task begins on, or on what it gave.</summary>
    private static void Enter(Step step)
    {
        var extension = step.Extension!;
        step.Data = extension.IsBefore || extension is { Tasks: null, IsOver: false } ? step.Input : extension.Output;
        (step.Position, step.Pending) = (-1, Flow.Continue);
    }
}
