using Millrace.Jq;
using Millrace.Workflows;

namespace Millrace.Engine.Functions;

/// <summary>What a function may do to the world; a session's rights are given in these classes.</summary>
public enum Capability : byte { Read, Compute, Write, Irreversible }

/// <summary>
/// What may happen when the outcome of an attempt is lost: <see cref="Pure"/> and <see cref="Idempotent"/> are simply
/// repeated, <see cref="Keyed"/> is repeated with the same idempotency key, <see cref="Once"/> is not repeated: its
/// outcome is unknown.
/// </summary>
public enum Idempotency : byte { Pure, Idempotent, Keyed, Once }

/// <summary>Which limit of concurrency a function counts against.</summary>
public enum Lane : byte { Io, Cpu, Sandbox }

/// <param name="Name">As documents call it: <c>http</c>, or the name part of <c>name:version@default</c>.</param>
/// <param name="Version">Semantic version; empty for the language's own calls.</param>
public sealed record FunctionDescriptor(string Name, string Version, Capability Capability, Idempotency Idempotency, Lane Lane)
{
    public string? Summary { get; init; }

    /// <summary>JSON Schema of the arguments.</summary>
    public Json InputSchema { get; init; }

    /// <summary>JSON Schema of the result.</summary>
    public Json OutputSchema { get; init; }

    /// <summary>The name under which documents reach it.</summary>
    public string Reference => Version.Length == 0 ? Name : $"{Name}:{Version}@default";
}

/// <summary>Performs one kind of effect. One instance serves all runs at once.</summary>
public interface IFunction
{
    FunctionDescriptor Descriptor { get; }

    /// <summary>What has to be installed on this machine before it can do anything; null when nothing is missing.</summary>
    string? Lacks => null;

    /// <summary>
    /// Does the effect. Expected failures are outcomes; an exception becomes a runtime error of the step. Cancellation ends
    /// the effect as fast as it can and throws <see cref="OperationCanceledException"/>.
    /// </summary>
    ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel);
}

/// <summary>How an attempt ended.</summary>
public abstract record FunctionOutcome
{
    public sealed record Completed(Json Output) : FunctionOutcome;

    /// <summary>An error in the sense of the language; <c>instance</c> is added by the engine.</summary>
    public sealed record Failed(WorkflowError Error) : FunctionOutcome;

    public static FunctionOutcome Done(Json output) => new Completed(output);

    public static FunctionOutcome Fail(string type, int status, string title, string? detail = null) =>
        new Failed(new WorkflowError(type, status, title, detail));
}
