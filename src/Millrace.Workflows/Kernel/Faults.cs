using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>How an error travels outwards until a try task catches it (dsl.md, Fault Tolerance).</summary>
internal static class Faults
{
    public static void Raise(Decision on, Step step, WorkflowError error)
    {
        error = error with { Type = ErrorTypes.Normalize(error.Type), Instance = error.Instance ?? step.Node?.Reference ?? "/" };
        while (true)
        {
            if (step.Node is null)
            {
                on.FaultRun(error);
                return;
            }
            on.CancelBelow(step);
            // The fault may be that of a task inside, while the effect goes on.
            if (step.Intake is not null) on.Drop(step);
            var parent = step.Parent!;
            on.Emit(new Entry.StepFaulted(step.Id, error));
            // A detached effect's fault is recorded and hurts nobody: no one waits for it.
            if (step.Detached) return;
            if (parent.Node?.Body is ForkBody { Compete: true })
            {
                on.Follow(parent);
                return;
            }
            if (parent.Node?.Body is TryBody attempt && !parent.InCatch)
            {
                var (caught, own) = Catches(on, parent, attempt.Catch, error);
                if (caught)
                {
                    Handle(on, parent, attempt.Catch, error);
                    return;
                }
                if (own is not null) error = own;
            }
            step = parent;
        }
    }

    public static void TimedOut(Decision on, Step step, TimerKind kind)
    {
        var what = step.Node is null ? "The run" : kind == TimerKind.Attempt ? $"Attempt {step.Attempt} of '{step.Node.Name}'" : $"'{step.Node.Name}'";
        var error = new WorkflowError(ErrorTypes.Timeout, 408, "Timeout", $"{what} did not end in time.", step.Node?.Reference ?? "/");
        on.CancelBelow(step);
        if (kind != TimerKind.Attempt)
        {
            on.Drop(step);
            Raise(on, step, error);
            return;
        }
        var clause = ((TryBody)step.Node!.Body).Catch;
        var (caught, own) = Catches(on, step, clause, error);
        if (caught) Handle(on, step, clause, error);
        else Raise(on, step, own ?? error);
    }

    public static void Retry(Decision on, Step step)
    {
        var limit = ((TryBody)step.Node.Body).Catch.Retry?.AttemptDurationMax;
        on.Emit(new Entry.StepRetried(step.Id, TaskStart.After(on, limit, step.Input, new StepVariables(on, step))));
        on.Follow(step);
    }

    /// <returns>Whether the clause catches; or the error that its own condition raised.</returns>
    private static (bool Caught, WorkflowError? Own) Catches(Decision on, Step step, CatchClause clause, WorkflowError error)
    {
        var variables = new StepVariables(on, step) { Error = error };
        try
        {
            var caught = (clause.With is null || Matches(clause.With.Evaluate(step.Input, variables), error.ToJson()))
                && (clause.When is null || clause.When.Evaluate(step.Input, variables).IsTruthy)
                && (clause.ExceptWhen is null || !clause.ExceptWhen.Evaluate(step.Input, variables).IsTruthy);
            return (caught, null);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            return (false, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    private static bool Matches(Json filter, Json error)
    {
        foreach (var (key, wanted) in filter.AsObject().Members)
        {
            var value = key == "type" && wanted.StringOrNull is { } type ? ErrorTypes.Normalize(type) : wanted;
            if (error[key] != value) return false;
        }
        return true;
    }

    private static void Handle(Decision on, Step step, CatchClause clause, WorkflowError error)
    {
        try
        {
            if (clause.Retry is { } policy)
            {
                if (Schedule(on, step, policy, error) is { } wakeAt)
                {
                    on.Emit(new Entry.RetryScheduled(step.Id, error, step.Attempt + 1, wakeAt));
                    return;
                }
                // Retries that ran out are a handled error only when the clause says what to do then.
                if (clause.Do is null)
                {
                    Raise(on, step, error);
                    return;
                }
            }
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            Raise(on, step, DataFlow.Refusal(e, step.Node.Reference));
            return;
        }
        on.Emit(new Entry.StepCaught(step.Id, error));
        on.Follow(step);
    }

    /// <returns>When to try again; null when the policy does not allow it.</returns>
    private static long? Schedule(Decision on, Step step, RetryPolicy policy, WorkflowError error)
    {
        var retries = step.Attempt;
        if (policy.AttemptsMax is { } max && retries > max) return null;
        var variables = new StepVariables(on, step) { Error = error };
        if (policy.When is not null && !policy.When.Evaluate(step.Input, variables).IsTruthy) return null;
        if (policy.ExceptWhen is not null && policy.ExceptWhen.Evaluate(step.Input, variables).IsTruthy) return null;

        double Micros(Template? duration) => TaskStart.After(on, duration, step.Input, variables) is { } at ? at - on.Now : 0;
        var delay = Micros(policy.Delay);
        delay = policy.Backoff switch
        {
            BackoffKind.Linear => policy.BackoffStep is null ? delay * retries : delay + Micros(policy.BackoffStep) * (retries - 1),
            BackoffKind.Exponential => delay * Math.Pow(Factor(policy.BackoffStep, step.Input, variables), retries - 1),
            _ => delay,
        };
        if (policy.JitterTo is not null)
        {
            var from = Micros(policy.JitterFrom);
            delay += from + (Micros(policy.JitterTo) - from) * on.Around.Random();
        }
        var wakeAt = on.Now + (long)Math.Clamp(delay, 0, Duration.Max.TotalMicroseconds);
        if (policy.DurationMax is not null && wakeAt > step.StartedAt + Micros(policy.DurationMax)) return null;
        return wakeAt;
    }

    private static double Factor(Template? step, Json input, StepVariables variables)
    {
        var factor = step?.Evaluate(input, variables) ?? 2;
        return factor.IsNumber && factor.AsNumber() >= 1 ? factor.AsNumber() : 2;
    }
}
