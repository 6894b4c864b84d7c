using System.Globalization;

namespace Millrace.Engine.Views;

public enum StepChange : byte { Same, Changed, OnlyLeft, OnlyRight }

/// <summary>One step of one run, of the other, or of both.</summary>
/// <param name="Path">Its tasks from the outside in, each with its iteration in brackets where it has one, and with <c>~2</c> when the same task was begun there for the second time.</param>
/// <param name="Differs">What is not the same in both: task, state, input, output, error. How long it took is told and never counts as a difference.</param>
public sealed record StepPair(string Path, StepChange Change, IReadOnlyList<string> Differs, StepView? Left, StepView? Right);

/// <summary>Two runs side by side, step by step. Aligned by where a step stands, so that runs of different versions, or a fork and its source, can be compared.</summary>
public static class RunDiff
{
    /// <summary>In the order of the left run; what only the right one has stands where it has it.</summary>
    public static IReadOnlyList<StepPair> Of(IEnumerable<StepView> left, IEnumerable<StepView> right)
    {
        var (lefts, rights) = (Paths(left), Paths(right));
        var byPath = new Dictionary<string, StepView>(StringComparer.Ordinal);
        foreach (var (path, step) in rights) byPath[path] = step;
        var known = new HashSet<string>(lefts.Select(l => l.Path), StringComparer.Ordinal);
        var pairs = new List<StepPair>(Math.Max(lefts.Count, rights.Count));
        var at = 0;
        foreach (var (path, step) in lefts)
        {
            if (!byPath.TryGetValue(path, out var other))
            {
                pairs.Add(new StepPair(path, StepChange.OnlyLeft, [], step, null));
                continue;
            }
            // What only the right one did before it came to the same step.
            for (; at < rights.Count && rights[at].Path != path && !known.Contains(rights[at].Path); at++) pairs.Add(Only(rights[at]));
            if (at < rights.Count && rights[at].Path == path) at++;
            pairs.Add(Pair(path, step, other));
        }
        var told = pairs.Where(p => p.Right is not null).Select(p => p.Path).ToHashSet(StringComparer.Ordinal);
        pairs.AddRange(rights.Where(r => !told.Contains(r.Path)).Select(Only));
        return pairs;
    }

    private static StepPair Only((string Path, StepView Step) right) => new(right.Path, StepChange.OnlyRight, [], null, right.Step);

    private static StepPair Pair(string path, StepView left, StepView right)
    {
        var differs = new List<string>();
        if (left.Node.Body.Keyword != right.Node.Body.Keyword || left.Node.Definition != right.Node.Definition) differs.Add("task");
        if (left.State != right.State) differs.Add("state");
        if (left.Input != right.Input) differs.Add("input");
        if (left.Output.HasValue != right.Output.HasValue || (left.Output is { } a && right.Output is { } b && a != b)) differs.Add("output");
        if (!Equals(left.Error, right.Error)) differs.Add("error");
        return new StepPair(path, differs.Count == 0 ? StepChange.Same : StepChange.Changed, differs, left, right);
    }

    private static List<(string Path, StepView Step)> Paths(IEnumerable<StepView> steps)
    {
        var paths = new Dictionary<int, string>();
        var times = new Dictionary<string, int>(StringComparer.Ordinal);
        var all = new List<(string, StepView)>();
        var superseded = new HashSet<int>();
        foreach (var step in steps)
        {
            // What a fork began once more is compared by what it became.
            if (step.IsSuperseded || superseded.Contains(step.Parent))
            {
                superseded.Add(step.Id);
                continue;
            }
            var own = step.Node.Reference[(step.Node.Reference.LastIndexOf('/') + 1)..];
            var path = $"{(step.Parent == 0 ? "" : paths.GetValueOrDefault(step.Parent))}/{own}";
            if (step.Iteration >= 0) path += string.Create(CultureInfo.InvariantCulture, $"[{step.Iteration}]");
            times[path] = times.GetValueOrDefault(path) + 1;
            if (times[path] > 1) path += string.Create(CultureInfo.InvariantCulture, $"~{times[path]}");
            paths[step.Id] = path;
            all.Add((path, step));
        }
        return all;
    }
}
