using Millrace.Engine.Events;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Simulation.Programs;
using Millrace.Storage;

namespace Millrace.Simulation.World;

/// <summary>What <c>emit</c> is in production, without its checks: the event goes to the log of the workspace, under an id of the step.</summary>
internal sealed class Emit(Task<EventLog> log) : IFunction
{
    public FunctionDescriptor Descriptor { get; } = new("emit", "", Capability.Write, Idempotency.Keyed, Lane.Io);

    public async ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        var emitted = Events.Make(context.IdempotencyKey, arguments["type"].AsString(), arguments["data"]);
        await (await log).PublishUntilKeptAsync(new Tenant(context.Organisation, context.Workspace), emitted, cancel);
        return FunctionOutcome.Done(emitted);
    }
}
