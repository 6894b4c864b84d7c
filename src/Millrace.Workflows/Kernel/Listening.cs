using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Which events a step consumes, what it does for each, and when it has heard enough (dsl-reference.md, Listen; decision 13).</summary>
internal static class Listening
{
    /// <summary>Events that one step consumes.</summary>
    public const int EventsMax = 100_000;

    /// <summary>Events consumed that may wait while something is done for the ones before them.</summary>
    public const int WaitingMax = 10_000;

    public static void Begin(Decision on, Step step, ListenBody body)
    {
        Listen(on, step, body);
        Advance(on, step);
    }

    /// <summary>Asks to be told of events, of those that came since the run began too.</summary>
    public static void Listen(Decision on, Step step, ListenBody body) =>
        on.Commands.Add(new Command.Listen(step.Id, body.To.Keys(), on.State.CreatedAt) { Except = on.State.Heard.All });

    /// <summary>An event has come; the step consumes it or lets it be.</summary>
    /// <param name="envelope">The CloudEvent in its JSON format.</param>
    public static void Offer(Decision on, Step step, long position, Json envelope)
    {
        var (body, listener) = ((ListenBody)step.Node.Body, step.Listener!);
        if (listener.Has(position) || on.State.Heard.Has(position, before: step.Id) || IsComplete(body.To, listener)) return;
        try
        {
            if (body.To.UntilEvents is { } until && Match(on, step, until, listener.Ends, envelope) is { } end)
            {
                on.Emit(new Entry.EventConsumed(step.Id, position, end.Filter, true, Json.Null, end.Correlated));
            }
            else if (Match(on, step, body.To, listener.Found, envelope) is { } found)
            {
                if (listener.Consumed >= EventsMax) throw TooMany($"A task consumes at most {EventsMax} events.");
                if (listener.Waiting >= WaitingMax) throw TooMany($"{WaitingMax} events wait for what is done for those before them, which is the limit.");
                on.Emit(new Entry.EventConsumed(step.Id, position, found.Filter, false, EventFilter.Read(body.Read, envelope), found.Correlated));
            }
            else
            {
                return;
            }
            Advance(on, step);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    /// <summary>What was to be done for an event is done.</summary>
    public static void Finish(Decision on, Step step, EventIterator each)
    {
        try
        {
            Handle(on, step, each);
            Advance(on, step);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    /// <summary>Makes the output of what was done for an item, and the context.</summary>
    public static void Handle(Decision on, Step step, EventIterator each)
    {
        var output = step.Data;
        var variables = new StepVariables(on, step) { InIteration = true, RawOutput = output };
        var transformed = each.OutputAs?.Evaluate(output, variables) ?? output;
        DataFlow.Check(each.OutputSchema, transformed, step.Node.Reference, "output");
        Json? context = each.ExportAs is null ? (Json?)null : each.ExportAs.Evaluate(transformed, new StepVariables(on, step) { InIteration = true, RawOutput = output, Output = transformed });
        DataFlow.Check(each.ExportSchema, context ?? on.State.Context, step.Node.Reference, "context");
        on.Emit(new Entry.EventHandled(step.Id, transformed.SameReference(output) ? (Json?)null : transformed, context));
    }

    /// <summary>Notes that nobody is to be told of events, or asked for a decision, for a step that ends.</summary>
    public static void Leave(Decision on, Entry entry)
    {
        var id = entry switch { Entry.StepCompleted e => e.Step, Entry.StepFaulted e => e.Step, Entry.StepCancelled e => e.Step, _ => 0 };
        if (id == 0 || on.State.Find(id) is not { } step) return;
        if (step.Listener is not null) on.Commands.Add(new Command.Deafen(id));
        else if (step.Approval is not null) Approving.Leave(on, step);
    }

    /// <summary>The variables of an iteration.</summary>
    public static Json? Variable(Step step, EventIterator each, string name) =>
        name == each.Item ? step.Listener!.Item : name == each.At ? (Json)step.Listener!.Index : (Json?)null;

    private static void Advance(Decision on, Step step)
    {
        var (body, listener) = ((ListenBody)step.Node.Body, step.Listener!);
        if (listener.IsBusy) return;
        if (listener.Output.Count > 0 && body.To.UntilCondition is { } until && until.Evaluate(listener.Output, new StepVariables(on, step)).IsTruthy)
        {
            DataFlow.Complete(on, step, listener.Output);
        }
        else if (listener.Waiting > 0)
        {
            on.Emit(new Entry.EventTaken(step.Id));
            on.Follow(step);
        }
        else if (IsComplete(body.To, listener))
        {
            DataFlow.Complete(on, step, listener.Output);
        }
    }

    /// <summary>Whether no more events are wanted; a condition is asked elsewhere.</summary>
    private static bool IsComplete(EventStrategy to, Listener listener)
    {
        if (to.UntilEvents is { } until) return IsFound(until, listener.Ends, listener.Ending);
        return to.UntilCondition is null && IsFound(to, listener.Found, listener.Consumed);
    }

    private static bool IsFound(EventStrategy to, bool[] found, int count) =>
        to.Kind == StrategyKind.All ? Array.TrueForAll(found, f => f) : count > 0;

    /// <returns>Which filter takes the event (-1: they all do, since there is none) and what its correlations found; null when none does.</returns>
    private static (int Filter, JsonObject? Correlated)? Match(Decision on, Step step, EventStrategy to, bool[] found, Json envelope)
    {
        if (to.Kind == StrategyKind.Any && to.Filters.Count == 0) return (-1, null);
        for (var i = 0; i < to.Filters.Count; i++)
        {
            // One event for each: what comes again for a filter that has its own is not wanted.
            if (to.Kind == StrategyKind.All && found[i]) continue;
            if (Match(on, step, to.Filters[i], envelope) is { } match) return (i, match.Count == 0 ? null : match);
        }
        return null;
    }

    /// <summary>An expression that fails on an event says that the event does not fit: it may be of a form that its author never thought of.</summary>
    private static JsonObject? Match(Decision on, Step step, EventFilter filter, Json envelope)
    {
        try
        {
            var variables = new StepVariables(on, step);
            return filter.Fits(envelope, variables) ? Correlate(step, filter, envelope, variables) : null;
        }
        catch (JqException)
        {
            return null;
        }
    }

    private static JsonObject? Correlate(Step step, EventFilter filter, Json envelope, StepVariables variables)
    {
        var found = new JsonObject.Builder();
        foreach (var correlation in filter.Correlate)
        {
            var value = correlation.From.Evaluate(envelope, variables);
            if (value.IsNull || !correlation.Agrees(value, step.Input, variables)) return null;
            if (correlation.Expect is not null) continue;
            if (!step.Listener!.Correlations.TryGetValue(correlation.Name, out var known)) found.Set(correlation.Name, value);
            else if (value != known) return null;
        }
        return found.Build();
    }

    private static WorkflowFault TooMany(string detail) => new(new WorkflowError(ErrorTypes.Runtime, 429, "Too many events", detail));
}
