using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Which task comes next inside a composite step (dsl.md, Task Flow; dsl-reference.md, Flow Directive).</summary>
internal static class Progress
{
    public static void Go(Decision on, Step scope, Flow flow)
    {
        switch (scope.Node?.Body)
        {
            case null when on.State.Compensations.End is not null: Compensating.GoOn(on); return;
            case null when on.State.Batch is { Waits: true }: DataFlow.BeginRun(on); return;
            case ForkBody fork: GoFork(on, scope, fork); return;
            case ExtendedBody extended: Extending.Go(on, scope, extended, flow); return;
            case ChildrenBody: Spawning.GoOn(on, scope); return;
            case InvokeBody invoke when scope.Position < 0: TaskStart.Begin(on, scope, invoke.Target, -1); return;
            case ForBody loop when scope.Index < 0:
                NextIteration(on, scope, loop);
                return;
        }
        if (flow.Kind == FlowKind.End)
        {
            if (Compensating.EndsHandler(on, scope)) return;
            on.EndRun(scope.Data);
            return;
        }
        var tasks = scope.Scope(on.State.Workflow);
        var next = flow.Kind switch
        {
            FlowKind.Continue => scope.Position + 1,
            FlowKind.Goto => flow.Position,
            _ => int.MaxValue,
        };
        if (tasks is not null && next < tasks.Nodes.Count) TaskStart.Begin(on, scope, tasks.Nodes[next], scope.Listener?.Index ?? scope.Intake?.Index ?? scope.Index);
        else FinishScope(on, scope);
    }

    private static void FinishScope(Decision on, Step scope)
    {
        switch (scope.Node?.Body)
        {
            case null: on.EndRun(scope.Data); break;
            case ForBody loop: NextIteration(on, scope, loop); break;
            case ListenBody { ForEach: { } each }: Listening.Finish(on, scope, each); break;
            case CallBody { Each: { } each }: Consuming.Finish(on, scope, each); break;
            case TryBody { Catch.Then: { } then } when scope.InCatch: DataFlow.Complete(on, scope, scope.Data, then); break;
            default: DataFlow.Complete(on, scope, scope.Data); break;
        }
    }

    private static void NextIteration(Decision on, Step scope, ForBody loop)
    {
        var next = scope.Index + 1;
        if (next >= scope.Items!.Count || loop.Tasks.Nodes.Count == 0)
        {
            DataFlow.Complete(on, scope, scope.Data);
            return;
        }
        if (loop.While is not null)
        {
            bool goes;
            try
            {
                goes = loop.While.Evaluate(scope.Data, new StepVariables(on, scope) { Iteration = next }).IsTruthy;
            }
            catch (Exception e) when (DataFlow.IsRefusal(e))
            {
                on.Fault(scope, DataFlow.Refusal(e, scope.Node.Reference));
                return;
            }
            if (!goes)
            {
                DataFlow.Complete(on, scope, scope.Data);
                return;
            }
        }
        TaskStart.Begin(on, scope, loop.Tasks.Nodes[0], next);
    }

    private static void GoFork(Decision on, Step scope, ForkBody fork)
    {
        if (scope.Redo >= 0)
        {
            TaskStart.Begin(on, scope, fork.Branches[scope.Redo], scope.Redo);
        }
        else if (scope.Winner >= 0)
        {
            on.CancelBelow(scope);
            DataFlow.Complete(on, scope, scope.Results![scope.Winner]);
        }
        else if (scope.Position + 1 < fork.Branches.Count)
        {
            TaskStart.Begin(on, scope, fork.Branches[scope.Position + 1], scope.Position + 1);
        }
        else if (!fork.Compete)
        {
            DataFlow.Complete(on, scope, JsonArray.Of(scope.Results));
        }
        else if (scope.LastError is { } error)
        {
            on.Fault(scope, error);
        }
        else
        {
            DataFlow.Complete(on, scope, scope.Input);
        }
    }
}
