using Millrace.Jq;

namespace Millrace.Cli.Views;

/// <summary>One execution of a task as the follower knows it.</summary>
internal sealed class StepLine
{
    public required int Id { get; init; }
    public required int? Parent { get; init; }
    public Json Step { get; set; }
    public string? LastSign { get; set; }
    public List<StepLine> Children { get; } = [];

    public string State => Step["state"].StringOrNull ?? "pending";
    public string Name => Step["name"].StringOrNull ?? "";
    public bool IsOver => State is "completed" or "faulted" or "cancelled" or "skipped";
}

/// <summary>What is known of a followed run: its last state and its steps as a tree. Pure.</summary>
/// <param name="nodesTotal">Tasks in the definition, against which progress is shown; 0 when unknown.</param>
internal sealed class RunProgress(int nodesTotal)
{
    private readonly Dictionary<int, StepLine> _steps = [];
    private readonly HashSet<int> _nodesOver = [];

    public Json Run { get; private set; }
    public List<StepLine> Roots { get; } = [];

    public string State => Run["state"].StringOrNull ?? "pending";
    public bool IsOver => State is "completed" or "faulted" or "cancelled";

    /// <summary>Tasks of the definition that have been executed at least once, of all there are. A run that is over is at its end, whatever it passed by.</summary>
    public (int Done, int Total) Nodes => State == "completed" ? (nodesTotal, nodesTotal) : (Math.Min(_nodesOver.Count, nodesTotal), nodesTotal);

    public int StepsOver => _steps.Values.Count(s => s.IsOver);
    public int Steps => _steps.Count;

    /// <summary>Applies a record; the steps whose state or attempt it changed are returned in their order.</summary>
    public List<StepLine> Apply(Json run, Json steps)
    {
        Run = run;
        var changed = new List<StepLine>();
        foreach (var step in steps.ArrayOrNull ?? JsonArray.Empty)
        {
            var id = (int)step["id"].AsNumber();
            var known = _steps.TryGetValue(id, out var line);
            if (line is null) line = Add(id, step);
            if (!known || line.State != step["state"].StringOrNull || line.Step["attempt"] != step["attempt"]) changed.Add(line);
            line.Step = step;
            if (line.IsOver && step["node"].IsNumber) _nodesOver.Add((int)step["node"].AsNumber());
        }
        return changed;
    }

    public StepLine? Find(int step) => _steps.GetValueOrDefault(step);

    private StepLine Add(int id, Json step)
    {
        var parent = step["parent"].IsNumber ? (int?)step["parent"].AsNumber() : null;
        var line = new StepLine { Id = id, Parent = parent, Step = step };
        _steps[id] = line;
        (parent is { } p && _steps.TryGetValue(p, out var above) ? above.Children : Roots).Add(line);
        return line;
    }
}
