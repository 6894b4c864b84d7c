using Millrace.Connectors.Processes;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Testing.Scenarios;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Testing.Outside;

/// <summary>
/// A function of the real catalog, with a mock before it. Without one it runs as it is where it reaches nothing outside, or reaches it through
/// requests that can be mocked themselves; any other call says that it has none.
/// </summary>
internal sealed class MockedFunction(OutsideWorld outside, IFunction real) : IFunction
{
    /// <summary>What functions are called that reach nothing outside the engine.</summary>
    private static readonly string[] Inside = ["emit", "artifact", "csv", "hash", "log", "uuid"];

    /// <summary>What functions are called that reach it with the HTTP client alone; mcp does so unless it starts a process.</summary>
    private static readonly string[] OverHttp = ["http", "openapi", "a2a"];

    /// <summary>The effect that a request of the HTTP client belongs to.</summary>
    internal static readonly AsyncLocal<RequestsOf?> Current = new();

    public FunctionDescriptor Descriptor => real.Descriptor;

    private string Name => real.Descriptor.Name;

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        var effect = await outside.CallAsync(Name, context, arguments);
        if (effect.Mock is not null || !Inside.Contains(Name)) outside.Reached(effect);
        if (effect.Mock is not { } mock) return await RealAsync(effect, context, arguments, cancel);
        await OutsideWorld.AnswerAsync(mock, effect.Began, context.Time, cancel);
        return mock.Answer switch
        {
            MockAnswer.Faults faults => new FunctionOutcome.Failed(faults.Error),
            MockAnswer.Exits exits => ProcessResult.Of(new ProcessEnd(ProcessEnding.Exited, exits.Code, exits.Stdout, exits.Stderr), effect.With),
            MockAnswer.Outputs outputs => await GiveAsync(context, outputs.Value, cancel),
            MockAnswer.Returns returns => await GiveAsync(context, OutsideWorld.Filled(returns.Value, effect.With), cancel),
            _ => throw new InvalidOperationException($"A call is not answered by {mock.Answer.GetType().Name}."),
        };
    }

    /// <summary>Where the task does something for each item, they come one by one, as long as they are wanted.</summary>
    private static async ValueTask<FunctionOutcome> GiveAsync(FunctionContext context, Json value, CancellationToken cancel)
    {
        if (!context.HasIterator || value.ArrayOrNull is not { } items) return FunctionOutcome.Done(value);
        for (var i = 0; i < items.Count; i++)
        {
            var item = items[i];
            await context.StepAsync(Intake.NameOf(i), _ => ValueTask.FromResult(item), cancel);
            if (await context.HandledAsync(i, cancel)) break;
        }
        return FunctionOutcome.Done(value);
    }

    private async ValueTask<FunctionOutcome> RealAsync(OutsideCall effect, FunctionContext context, Json arguments, CancellationToken cancel)
    {
        if (Inside.Contains(Name) || OverHttp.Contains(Name) || (Name == "mcp" && arguments["transport"]["http"].IsObject))
        {
            Current.Value = new RequestsOf(effect);
            return await real.InvokeAsync(context, arguments, cancel);
        }
        outside.Unmocked.Add($"no mock answers '{effect.Task}', which calls {Name} with {effect.With}");
        return FunctionOutcome.Fail(ErrorTypes.Configuration, 501, "Not mocked", $"No mock of the scenario answers this call of {Name}.");
    }
}

/// <summary>Counts the requests of one attempt at an effect.</summary>
internal sealed class RequestsOf(OutsideCall effect)
{
    private int _next;

    public OutsideCall Effect => effect;

    public int Next() => _next++;
}
