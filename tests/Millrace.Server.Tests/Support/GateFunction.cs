using System.Collections.Concurrent;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Server.Tests.Support;

/// <summary><c>gate:1.0.0@default</c>: an effect that ends when the test says so, and shows what it is told to show.</summary>
public sealed class GateFunction : IFunction
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _entered = new();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _opened = new();
    private readonly ConcurrentDictionary<Guid, FunctionContext> _contexts = new();

    public FunctionDescriptor Descriptor { get; } = new("gate", "1.0.0", Capability.Read, Idempotency.Idempotent, Lane.Io);

    /// <summary>Ends when the run stands at the gate.</summary>
    public Task EnteredAsync(Guid run) => _entered.GetOrAdd(run, _ => New()).Task.WaitAsync(TestServer.Patience);

    public void Open(Guid run) => _opened.GetOrAdd(run, _ => New()).TrySetResult();

    public void Show(Guid run, string text) => _contexts[run].Live("stdout", text);

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        _contexts[context.Run] = context;
        _entered.GetOrAdd(context.Run, _ => New()).TrySetResult();
        await _opened.GetOrAdd(context.Run, _ => New()).Task.WaitAsync(cancel);
        return FunctionOutcome.Done("open");
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
