using System.Collections.Concurrent;
using System.Text;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Support;

/// <summary>Effects that a test can watch, hold and fail. The ledger outlives a crash, as the world outside does.</summary>
internal sealed class TestFunctions
{
    private TaskCompletionSource _gate = New();
    private TaskCompletionSource _entered = New();

    /// <summary>Idempotency keys with the number of attempts that reached the outside.</summary>
    public ConcurrentDictionary<string, int> Ledger { get; } = new();

    /// <summary>The key of each call of <c>flaky</c>.</summary>
    public ConcurrentQueue<string> FlakyKeys { get; } = new();

    /// <summary>How often <c>flaky</c> fails before it succeeds, over all calls.</summary>
    public int FailuresLeft;

    /// <summary>Where <c>emit</c> puts its events: the log of the engine that is open.</summary>
    public Func<Json, Task> Publish { get; set; } = _ => Task.CompletedTask;

    /// <summary>Work done inside sub-steps, by name.</summary>
    public ConcurrentDictionary<string, int> SubSteps { get; } = new();

    /// <summary>Tokens of held effects.</summary>
    public ConcurrentBag<CancellationToken> Held { get; } = [];

    public IEnumerable<IFunction> All =>
    [
        new Inline("count", Idempotency.Keyed, (context, arguments, _) =>
        {
            Ledger.AddOrUpdate(context.IdempotencyKey, 1, (_, n) => n + 1);
            return new(FunctionOutcome.Done(arguments));
        }),
        new Inline("hold", Idempotency.Keyed, HoldAsync),
        new Inline("hold_once", Idempotency.Once, HoldAsync),
        new Inline("flaky", Idempotency.Keyed, (context, _, _) => new(Noted(context) && Interlocked.Decrement(ref FailuresLeft) >= 0
            ? FunctionOutcome.Fail(ErrorTypes.Communication, 503, "Service Unavailable")
            : FunctionOutcome.Done("fine"))),
        new Inline("broken", Idempotency.Keyed, (_, _, _) => throw new InvalidOperationException("it is broken: s3cr3t-value")),
        new Inline("echo_secret", Idempotency.Keyed, (context, arguments, _) =>
            new(FunctionOutcome.Done(Json.Object("got", $"{new string('x', arguments["pad"].IsNumber ? (int)arguments["pad"].AsNumber() : 0)}{context.Secret("token")?.StringOrNull}")))),
        new Inline("save", Idempotency.Keyed, async (context, arguments, cancel) =>
            FunctionOutcome.Done((await context.SaveArtifactAsync("file.txt", "text/plain", Encoding.UTF8.GetBytes(arguments["text"].AsString()), cancel)).Sha256)),
        new Inline("three_parts", Idempotency.Keyed, ThreePartsAsync),
        new Inline("emit", Idempotency.Keyed, EmitAsync, version: ""),
        new Inline("asyncapi", Idempotency.Keyed, SubscribeAsync, version: ""),
    ];

    /// <summary>Ends when an effect is being held.</summary>
    public Task Entered => _entered.Task.WaitAsync(TestEngine.Patience);

    /// <summary>Lets held effects, and those to come, end.</summary>
    public void Open() => _gate.TrySetResult();

    /// <summary>A new process holds nothing.</summary>
    public void Forget()
    {
        _gate = New();
        _entered = New();
    }

    private async ValueTask<FunctionOutcome> HoldAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Ledger.AddOrUpdate(context.IdempotencyKey, 1, (_, n) => n + 1);
        Held.Add(cancel);
        _entered.TrySetResult();
        await _gate.Task.WaitAsync(cancel);
        return FunctionOutcome.Done("let go");
    }

    private async ValueTask<FunctionOutcome> ThreePartsAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Json sum = 0;
        foreach (var part in new[] { "first", "second", "third" })
        {
            var done = await context.StepAsync(part, _ =>
            {
                SubSteps.AddOrUpdate(part, 1, (_, n) => n + 1);
                return new(part.Length);
            }, cancel);
            sum = sum.AsNumber() + done.AsNumber();
        }
        return FunctionOutcome.Done(sum);
    }

    /// <summary>Gives as many messages as are wanted, each a number.</summary>
    private static async ValueTask<FunctionOutcome> SubscribeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        for (var i = 0; i < arguments["subscription"]["consume"]["amount"].AsNumber(); i++)
        {
            var message = i;
            await context.StepAsync(Intake.NameOf(i), _ => new(message), cancel);
            if (await context.HandledAsync(i, cancel)) break;
        }
        return FunctionOutcome.Done(Json.Null);
    }

    private async ValueTask<FunctionOutcome> EmitAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        var emitted = new JsonObject.Builder().Set("specversion", "1.0").Set("id", context.IdempotencyKey);
        foreach (var name in new[] { "type", "source", "subject", "data" })
            if (!arguments[name].IsNull) emitted.Set(name, arguments[name]);
        var built = emitted.Build();
        await Publish(built);
        return FunctionOutcome.Done(built);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool Noted(FunctionContext context)
    {
        FlakyKeys.Enqueue(context.IdempotencyKey);
        return true;
    }

    private sealed class Inline(string name, Idempotency idempotency, Func<FunctionContext, Json, CancellationToken, ValueTask<FunctionOutcome>> work, string version = "1.0.0") : IFunction
    {
        public FunctionDescriptor Descriptor { get; } = new(name, version, Capability.Write, idempotency, Lane.Io);

        public ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel) => work(context, arguments, cancel);
    }
}
