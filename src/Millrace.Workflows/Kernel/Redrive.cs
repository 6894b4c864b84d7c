using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// Steps that ended though not all of their children completed, kept as they were, so that a run that has ended can go back to one of
/// them. What came after the step is done again; time limits of the step and of what it stands in do not hold again.
/// </summary>
internal sealed class Redrive
{
    /// <summary>The last so many; a loop over maps keeps no more.</summary>
    private const int StepsMax = 100;

    private readonly SortedDictionary<int, (Step Step, Json Context)> _steps = [];

    public void Keep(Step step, Json context)
    {
        if (step.Window is not { IsRedrivable: true }) return;
        _steps[step.Id] = (step, context);
        if (_steps.Count > StepsMax) _steps.Remove(_steps.First().Key);
    }

    /// <summary>Branches beside the step's own were cut off when their fork ended, so a step in a fork cannot be gone back to.</summary>
    public bool Has(int step) => _steps.TryGetValue(step, out var kept) && kept.Step.Around().All(s => s.Node.Body is not ForkBody);

    public (Step Step, Json Context) Take(int step)
    {
        var kept = _steps[step];
        // Those that came after it will come again.
        foreach (var later in _steps.Keys.Where(id => id >= step).ToArray()) _steps.Remove(later);
        return kept;
    }

    /// <summary>Puts the parent where it was while the step was under way.</summary>
    public static void Restore(Step step)
    {
        var parent = step.Parent!;
        step.TimeoutAt = step.AttemptTimeoutAt = step.WakeAt = parent.TimeoutAt = null;
        parent.Children.Clear();
        parent.Children.Add(step);
        (parent.Position, parent.Pending) = (step.Node.Position, null);
        if (parent.Node?.Body is ForBody) parent.Index = step.Iteration;
        if (parent.Node?.Body is TryBody attempt && attempt.Tasks.Nodes.Contains(step.Node)) parent.Caught = null;
    }
}
