using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Connectors;

/// <summary>An expected failure on its way to the outcome of the attempt; its text is shown to people and kept, so no secret may stand in it.</summary>
internal sealed class Refusal(WorkflowError error) : Exception(error.Detail ?? error.Title)
{
    public WorkflowError Error { get; } = error;

    /// <summary>The arguments, or the machine's settings, are not such that the function could work.</summary>
    public static Refusal Configuration(string title, string detail) => new(new WorkflowError(ErrorTypes.Configuration, 400, title, detail));

    public static Refusal Expression(string title, string detail) => new(new WorkflowError(ErrorTypes.Expression, 400, title, detail));

    public static Refusal Authentication(string detail) => new(new WorkflowError(ErrorTypes.Authentication, 401, "Authentication failed", detail));

    public static Refusal Authorization(string detail) => new(new WorkflowError(ErrorTypes.Authorization, 403, "Access refused", detail));

    public static Refusal Communication(int status, string title, string detail) => new(new WorkflowError(ErrorTypes.Communication, status, title, detail));

    public static Refusal Runtime(string title, string detail) => new(new WorkflowError(ErrorTypes.Runtime, 500, title, detail));
}

/// <summary>A function whose expected failures are thrown as <see cref="Refusal"/> from any depth and become outcomes here.</summary>
internal abstract class ConnectorFunction : IFunction
{
    public abstract FunctionDescriptor Descriptor { get; }

    public virtual string? Lacks => null;

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        try
        {
            return FunctionOutcome.Done(await RunAsync(context, new Arguments(arguments), cancel));
        }
        catch (Refusal refusal)
        {
            return new FunctionOutcome.Failed(refusal.Error);
        }
    }

    /// <exception cref="Refusal">The attempt failed in a way that is expected.</exception>
    protected abstract ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel);
}
