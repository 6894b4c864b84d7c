using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors.Tests;

/// <summary>Short forms for calling functions and reading how they ended.</summary>
internal static class Calling
{
    /// <summary>What a test waits for at most; reaching it is a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static IFunction Find(this ConnectorFunctions functions, string name) => functions.All.Single(f => f.Descriptor.Name == name);

    public static async Task<Json> OutputAsync(this IFunction function, FunctionContext context, string arguments, CancellationToken cancel = default)
    {
        var outcome = await function.InvokeAsync(context, JsonText.Parse(arguments), cancel).AsTask().WaitAsync(Patience, CancellationToken.None);
        return outcome is FunctionOutcome.Completed done ? done.Output : throw new Xunit.Sdk.XunitException($"Expected an output, got {((FunctionOutcome.Failed)outcome).Error}");
    }

    public static async Task<WorkflowError> ErrorAsync(this IFunction function, FunctionContext context, string arguments, CancellationToken cancel = default)
    {
        var outcome = await function.InvokeAsync(context, JsonText.Parse(arguments), cancel).AsTask().WaitAsync(Patience, CancellationToken.None);
        return outcome is FunctionOutcome.Failed failed ? failed.Error : throw new Xunit.Sdk.XunitException($"Expected an error, got {((FunctionOutcome.Completed)outcome).Output}");
    }
}
