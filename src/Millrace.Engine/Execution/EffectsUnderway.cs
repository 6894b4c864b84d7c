using Millrace.Engine.Functions;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Execution;

/// <summary>The effects of one run that were asked for and have not ended. Touched only by the run's actor in its turn.</summary>
internal sealed class EffectsUnderway(RunActor actor)
{
    /// <summary>By step; the source is there once the effect has begun.</summary>
    private readonly Dictionary<int, CancellationTokenSource?> _effects = [];

    /// <summary>Of effects whose items something is done for.</summary>
    private readonly Dictionary<int, ItemsHandled> _items = [];

    /// <summary>Notes the effects that a decision asks for.</summary>
    public void Expect(List<Command> commands)
    {
        foreach (var command in commands)
        {
            if (command is Command.Invoke invoke) _effects.TryAdd(invoke.Step.Id, null);
        }
    }

    public bool IsEmpty => _effects.Count == 0;

    public bool Contains(int step) => _effects.ContainsKey(step);

    /// <summary>Begins and abandons effects as a durable record asks.</summary>
    public void CarryOut(IReadOnlyList<Command> commands)
    {
        for (var i = 0; i < commands.Count; i++)
        {
            if (commands[i] is Command.Invoke invoke) Begin(invoke);
            else if (commands[i] is Command.Listen) Hear();
            else if (commands[i] is Command.Handled handled && _items.TryGetValue(handled.Step, out var items)) items.Tell(handled.Count, handled.Enough);
            else if (commands[i] is Command.Abandon abandon && _effects.Remove(abandon.Step, out var effect))
            {
                _items.Remove(abandon.Step);
                effect?.Cancel();
            }
        }
    }

    public void End(Decision decision, RunEvent.EffectEnded e)
    {
        if (_effects.Remove(e.Step, out var cancel)) cancel?.Dispose();
        _items.Remove(e.Step);
        if (e.Outcome is FunctionOutcome.Completed done) decision.EffectCompleted(e.Step, done.Output);
        else decision.EffectFailed(e.Step, ((FunctionOutcome.Failed)e.Outcome).Error);
    }

    public void CancelAll()
    {
        foreach (var effect in _effects.Values) effect?.Cancel();
        _effects.Clear();
        _items.Clear();
    }

    /// <summary>Events that came before the step began to listen were written into the inbox with the record.</summary>
    private void Hear()
    {
        if (actor.IsHeld) actor.Post(RunEvent.Signalled.Instance);
        else actor.Worker.Due.Call(0);
    }

    private void Begin(Command.Invoke invoke)
    {
        var step = invoke.Step;
        if (actor.State.Find(step.Id) != step) return;
        if (actor.Worker.Functions.Find(invoke.Function) is not { } function)
        {
            actor.Post(new RunEvent.EffectEnded(step.Id, FunctionOutcome.Fail(
                ErrorTypes.Configuration, 404, "Unknown function", $"There is no function '{invoke.Function}' here.")));
            return;
        }
        var cancel = new CancellationTokenSource();
        _effects[step.Id] = cancel;
        var items = step.Intake is null ? null : _items[step.Id] = new ItemsHandled();
        _ = Effect.PerformAsync(actor, function, invoke, items, cancel.Token);
    }
}
