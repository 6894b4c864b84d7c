using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Server.Tests.Support;

/// <summary><c>lacking:1.0.0@default</c>: an effect that has nothing here to work with.</summary>
public sealed class LackingFunction : IFunction
{
    public FunctionDescriptor Descriptor { get; } = new("lacking", "1.0.0", Capability.Read, Idempotency.Idempotent, Lane.Io);

    public string? Lacks => "a steam engine in the cellar";

    public ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel) => throw new InvalidOperationException("It cannot be called.");
}
