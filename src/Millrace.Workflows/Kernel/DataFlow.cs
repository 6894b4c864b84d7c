using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Kernel;

/// <summary>An error found while deciding; it becomes the fault of the task at hand.</summary>
internal sealed class WorkflowFault(WorkflowError error) : Exception(error.Detail)
{
    public WorkflowError Error { get; } = error;
}

/// <summary>Schemas, transformations and the context, in the order of dsl.md, Data Flow.</summary>
internal static class DataFlow
{
    public static void BeginRun(Decision on)
    {
        var workflow = on.State.Workflow;
        try
        {
            Check(workflow.InputSchema, on.State.Input, "", "input");
            var variables = new StepVariables(on, on.State.Root);
            var input = workflow.InputFrom?.Evaluate(on.State.Input, variables);
            var deadline = TaskStart.After(on, workflow.Timeout, input ?? on.State.Input, variables);
            if (on.State.Part?.DeadlineAt is { } given && !(deadline < given)) deadline = given;
            on.Emit(new Entry.RunStarted(input, deadline));
            on.Follow(on.State.Root);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            on.Emit(new Entry.RunStarted(null, null));
            on.FaultRun(Refusal(e, "/"));
        }
    }

    public static void EndRun(Decision on, Json output)
    {
        var workflow = on.State.Workflow;
        try
        {
            var variables = new StepVariables(on, on.State.Root);
            var transformed = workflow.OutputAs?.Evaluate(output, variables) ?? output;
            Check(workflow.OutputSchema, transformed, "", "output");
            on.Finish(new Entry.RunCompleted(transformed));
        }
        catch (Exception e) when (IsRefusal(e))
        {
            on.FaultRun(Refusal(e, "/"));
        }
    }

    /// <param name="output">The task's raw output.</param>
    /// <param name="then">A directive in place of the task's own.</param>
    public static void Complete(Decision on, Step step, Json output, Flow? then = null)
    {
        var node = step.Node;
        var transformed = output;
        Json? context = null;
        try
        {
            if (node.OutputAs is not null)
                transformed = node.OutputAs.Evaluate(output, new StepVariables(on, step) { RawOutput = output });
            Check(node.OutputSchema, transformed, node.Reference, "output");
            if (node.ExportAs is not null)
                context = node.ExportAs.Evaluate(transformed, new StepVariables(on, step) { RawOutput = output, Output = transformed });
            Check(node.ExportSchema, context ?? on.State.Context, node.Reference, "context");
        }
        catch (Exception e) when (IsRefusal(e))
        {
            on.Fault(step, Refusal(e, node.Reference));
            return;
        }
        var parent = step.Parent!;
        var detached = step.Detached;
        on.Emit(new Entry.StepCompleted(step.Id, transformed.SameReference(step.Data) ? (Json?)null : transformed, context, then));
        if (!detached) on.Follow(parent);
    }

    /// <summary>The transformed input, computed again when it holds secrets.</summary>
    public static Json InputOf(Decision on, Step step)
    {
        if (!step.InputHidden) return step.Input;
        return step.Node.InputFrom!.Evaluate(step.RawInput, new StepVariables(on, step) { Now = step.StartedAt, BeforeInput = true });
    }

    public static void Check(JsonSchema? schema, Json value, string reference, string what)
    {
        if (schema is null) return;
        var errors = schema.Validate(value, 5);
        if (errors.Count == 0) return;
        var causes = string.Join("; ", errors.Select(e => $"{(e.Instance.Length == 0 ? "/" : e.Instance)}: {e.Message}"));
        throw new WorkflowFault(new WorkflowError(ErrorTypes.Validation, 400, $"Invalid {what}", causes, reference.Length == 0 ? "/" : reference));
    }

    /// <summary>Whether the exception is an expected refusal of the data rather than a fault of ours.</summary>
    public static bool IsRefusal(Exception e) => e is JqException or JqLimitException or WorkflowFault;

    public static WorkflowError Refusal(Exception e, string reference) => e switch
    {
        WorkflowFault fault => fault.Error with { Instance = reference },
        JqLimitException limit => new(ErrorTypes.Expression, 400, "Expression limit", $"{limit.Code}: {limit.Message}", reference),
        _ => new(ErrorTypes.Expression, 400, "Expression failed", e.Message, reference),
    };
}
