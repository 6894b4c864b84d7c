using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// Steps that have completed and say how they are undone, in the order of their ends; and, while a run is undone, how it will end. A handler is a
/// step that nobody waits for: its fault is recorded and keeps no other from running.
/// </summary>
internal sealed class Compensations
{
    private List<(Step Step, Json Output)>? _done;
    private List<string>? _failed;

    /// <summary>How the run ends when all is undone; null while nothing is being undone.</summary>
    public CompensationEntry.Begun? End { get; private set; }

    public bool IsOver => _done is null or { Count: 0 };

    /// <summary>Whether something would be undone.</summary>
    public bool IsWanted => End is null && !IsOver;

    /// <summary>The one that completed last is undone first.</summary>
    public (Step Step, Json Output) Next => _done![^1];

    /// <summary>A step with a handler of its own stands for all that was done inside it.</summary>
    public void Keep(Step step, Json output)
    {
        if (End is not null) return;
        _done ??= [];
        if (step.Node.Body is DoBody or ForBody or ForkBody or TryBody or InvokeBody or ListenBody or CallBody { Each: not null }) _done.RemoveAll(d => d.Step.Id > step.Id && d.Step.Around().Contains(step));
        _done.Add((step, output));
    }

    public void Apply(CompensationEntry entry, RunState state, long at)
    {
        if (entry is CompensationEntry.Started started)
        {
            state.Attach(Take(started, state.Root, state.Workflow.Nodes[started.Node], at), state.Root);
            return;
        }
        End = (CompensationEntry.Begun)entry;
        // Nothing but the run itself is left, and its time is over.
        state.Root.TimeoutAt = null;
        state.ResetTimers();
        state.Root.Pending = Flow.Continue;
    }

    public void Failed(Step handler) => (_failed ??= []).Add(handler.Compensated["name"].AsString());

    public void Clear()
    {
        (_done, _failed, End) = (null, null, null);
    }

    /// <summary>The entry that ends the run, which tells of handlers that failed.</summary>
    public Entry Ending()
    {
        var failed = _failed is null ? null : $"Not undone: {string.Join(", ", _failed)}.";
        if (End!.Error is not { } error) return new Entry.RunCancelled(Join(End.Reason, failed));
        return new Entry.RunFaulted(error with { Detail = Join(error.Detail, failed) });
    }

    private static string? Join(string? one, string? other) => one is null ? other : other is null ? one : $"{one} {other}";

    /// <summary>The step that undoes another one.</summary>
    private Step Take(CompensationEntry.Started e, Step root, Node node, long at)
    {
        var (done, output) = _done![^1];
        _done.RemoveAt(_done.Count - 1);
        return new Step(e.Step, root, node, at)
        {
            RawInput = output,
            Input = output,
            Data = output,
            Detached = true,
            Compensates = e.For,
            Compensated = new JsonObject.Builder().Set("step", done.Id).Set("name", done.Node.Name).Set("reference", done.Node.Reference)
                .Set("input", done.InputHidden ? Json.Null : done.Input).Set("output", output).Build(),
            Pending = Flow.Continue,
        };
    }
}
