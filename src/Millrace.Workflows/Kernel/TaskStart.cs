using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>Starting a task: its condition, its input, and what each kind does first.</summary>
internal static class TaskStart
{
    public static void Begin(Decision on, Step parent, Node node, int iteration)
    {
        var state = on.State;
        var id = state.LastStep + 1;
        var raw = parent.ForNext;
        var draft = new Step(id, parent, node, on.Now) { RawInput = raw, Input = raw, Iteration = iteration };
        try
        {
            if (node.If is not null && !node.If.Evaluate(raw, new StepVariables(on, draft) { BeforeInput = true }).IsTruthy)
            {
                on.Emit(new Entry.StepSkipped(id, parent.Id, node.Index, iteration));
                on.Follow(parent);
                return;
            }
            var extensions = node.Body is ExtendedBody extended ? Extending.Applying(on, draft, extended) : null;
            if (extensions is { Count: 0 })
            {
                Begin(on, parent, ((ExtendedBody)node.Body).Task, iteration);
                return;
            }
            on.Emit(Prepare(on, draft, parent));
            if (extensions is not null) on.Emit(new ExtensionEntry.Applied(id, extensions));
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            // The step begins all the same, so that the fault has a step to stand at.
            on.Emit(new Entry.StepStarted(id, parent.Id, node.Index, iteration));
            on.Fault(state.Find(id)!, DataFlow.Refusal(e, node.Reference));
            return;
        }
        if (parent.Node?.Body is ForkBody) on.Follow(parent);
        Enter(on, state.Find(id)!);
    }

    /// <summary>Evaluates a call's arguments and asks for the effect; also used to ask again after a crash.</summary>
    public static void Invoke(Decision on, Step step)
    {
        var call = (CallBody)step.Node.Body;
        try
        {
            var variables = new StepVariables(on, step) { Now = step.StartedAt };
            on.Commands.Add(new Command.Invoke(step, call.Function, call.Arguments.Evaluate(DataFlow.InputOf(on, step), variables)));
            if (step.Intake is not null) Consuming.Tell(on, step);
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    public static void Spawn(Decision on, Step step, SpawnBody spawn) => on.Commands.Add(new Command.Spawn(step, step.Child!.Value, spawn,
        spawn.Input?.Evaluate(DataFlow.InputOf(on, step), new StepVariables(on, step)) ?? step.Input));

    private static Entry.StepStarted Prepare(Decision on, Step draft, Step parent)
    {
        var node = draft.Node;
        DataFlow.Check(node.InputSchema, draft.RawInput, node.Reference, "input");
        var hidden = node.InputFrom is { } secret && secret.Variables.Contains("secrets");
        var input = node.InputFrom?.Evaluate(draft.RawInput, new StepVariables(on, draft) { BeforeInput = true });
        draft.Input = input ?? draft.RawInput;
        var variables = new StepVariables(on, draft);
        var body = node.Body;
        if (body is InvokeBody { Arguments: { } arguments }) input = arguments.Evaluate(draft.Input, variables);
        return new Entry.StepStarted(draft.Id, parent.Id, node.Index, draft.Iteration)
        {
            Input = hidden ? null : input,
            InputHidden = hidden,
            TimeoutAt = After(on, node.Timeout, draft.Input, variables),
            WakeAt = body is WaitBody wait ? After(on, wait.Duration, draft.Input, variables) : null,
            Items = body is ForBody loop ? Items(loop, draft, variables) : null,
            Child = body is SpawnBody ? on.Around.NewId() : null,
        };
    }

    private static void Enter(Decision on, Step step)
    {
        try
        {
            switch (step.Node.Body)
            {
                case var _ when Extending.Given(step) is { } given: DataFlow.Complete(on, step, given); break;
                case SetBody set:
                    DataFlow.Complete(on, step, set.Value.Evaluate(step.Input, new StepVariables(on, step)));
                    break;
                case SwitchBody choice:
                    DataFlow.Complete(on, step, step.Input, Choose(on, step, choice));
                    break;
                case RaiseBody raise:
                    on.Fault(step, Raised(on, step, raise));
                    break;
                case CallBody { Each: { } each }: Consuming.Begin(on, step, each); break;
                case CallBody call:
                    Invoke(on, step);
                    if (!call.Await && on.State.Find(step.Id) == step)
                    {
                        on.Emit(new Entry.StepDetached(step.Id));
                        on.Follow(step.Parent!);
                    }
                    break;
                case SpawnBody spawn:
                    Spawn(on, step, spawn);
                    if (!spawn.Await) DataFlow.Complete(on, step, step.Input);
                    break;
                case ChildrenBody: Spawning.Begin(on, step); break;
                case WaitBody: break;
                case TryBody attempt when attempt.Catch.Retry?.AttemptDurationMax is { } limit:
                    on.Emit(new Entry.StepRetried(step.Id, After(on, limit, step.Input, new StepVariables(on, step))));
                    on.Follow(step);
                    break;
                case ContinueBody next: Continuing.Begin(on, step, next); break;
                case ApproveBody approve: Approving.Begin(on, step, approve); break;
                case ListenBody listen: Listening.Begin(on, step, listen); break;
                default:
                    on.Follow(step);
                    break;
            }
        }
        catch (Exception e) when (DataFlow.IsRefusal(e))
        {
            on.Fault(step, DataFlow.Refusal(e, step.Node.Reference));
        }
    }

    private static Flow? Choose(Decision on, Step step, SwitchBody choice)
    {
        SwitchCase? otherwise = null;
        foreach (var one in choice.Cases)
        {
            if (one.When is null) otherwise = one;
            else if (one.When.Evaluate(step.Input, new StepVariables(on, step)).IsTruthy) return one.Then;
        }
        return otherwise?.Then;
    }

    private static WorkflowError Raised(Decision on, Step step, RaiseBody raise)
    {
        var json = raise.Error.Evaluate(step.Input, new StepVariables(on, step));
        if (json["type"].StringOrNull is not { Length: > 0 } || !json["status"].IsNumber)
            throw new WorkflowFault(new WorkflowError(ErrorTypes.Expression, 400, "Invalid error", $"An error needs a type (text) and a status (number); this one is {json}."));
        return WorkflowError.FromJson(json) with { Instance = step.Node.Reference };
    }

    private static JsonArray Items(ForBody loop, Step draft, StepVariables variables)
    {
        var items = loop.In.Evaluate(draft.Input, variables);
        if (items.IsNull) return JsonArray.Empty;
        return items.ArrayOrNull
            ?? throw new WorkflowFault(new WorkflowError(ErrorTypes.Expression, 400, "Not a collection", $"'for.in' gives {items.Kind}; expected an array."));
    }

    internal static long? After(Decision on, Template? duration, Json input, IVariables variables)
    {
        if (duration is null) return null;
        if (!Duration.TryParse(duration.Evaluate(input, variables), out var span, out var reason))
            throw new WorkflowFault(new WorkflowError(ErrorTypes.Expression, 400, "Invalid duration", reason));
        return on.Now + span.Ticks / TimeSpan.TicksPerMicrosecond;
    }
}
