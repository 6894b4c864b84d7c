using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Where a scope stands when what is in it begins and ends, and what it passes on.</summary>
internal static class Places
{
    /// <summary>The parent's place moves to the child that starts or is skipped.</summary>
    public static void Visit(Step parent, Node node, int iteration)
    {
        parent.Pending = null;
        if (parent.Node?.Body is ForkBody fork)
        {
            parent.Position = Math.Max(parent.Position, iteration);
            (parent.Redo, parent.Edited) = (-1, null);
            if (parent.Position + 1 < fork.Branches.Count) parent.Pending = Flow.Continue;
            return;
        }
        parent.Position = node.Position;
        if (parent.Node?.Body is ForBody) parent.Index = iteration;
    }

    public static void Detach(Step step)
    {
        step.Detached = true;
        step.Parent!.Children.Remove(step);
        Pass(step, step.InputHidden ? step.RawInput : step.Input, step.Node.Then);
    }

    public static void Pass(Step step, Json output, Flow then)
    {
        var parent = step.Parent!;
        if (parent.Node?.Body is ForkBody fork)
        {
            if (fork.Compete && parent.Winner < 0) parent.Winner = step.Iteration;
            EndBranch(parent, step.Iteration, output);
            return;
        }
        if (parent.Extension is not null)
        {
            Extending.Pass(parent, step, output, then);
            return;
        }
        parent.Data = output;
        parent.Pending = then;
    }

    public static void EndBranch(Step fork, int branch, Json output)
    {
        fork.Results![branch] = output;
        CountBranch(fork);
    }

    /// <summary>A fork can go on when it has a winner, when all branches have ended, or while some have not begun.</summary>
    public static void CountBranch(Step fork)
    {
        fork.Ended++;
        var branches = fork.Results!.Length;
        if (fork.Winner >= 0 || fork.Ended == branches || fork.Position + 1 < branches) fork.Pending = Flow.Continue;
    }
}
