using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Testing.Virtual;
using Millrace.Simulation.Programs;
using Millrace.Workflows;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <summary>One idempotency key as the outside has seen it.</summary>
internal sealed record Request(Guid Workspace, Guid Run, int First, string Function, string Arguments)
{
    /// <summary>The last step that came with it.</summary>
    public int Step { get; set; } = First;

    public int Times { get; set; }
}

/// <summary>The world that effects reach. It outlives every crash, and it notices what must never happen to it.</summary>
internal sealed class Outside(Scheduler scheduler, Dice dice)
{
    /// <summary>The function whose effects are done for items that have names: in whichever run, an item's come under one key.</summary>
    public const string Named = "named";

    /// <summary>What programs know as <c>$secrets.token</c>. It stands nowhere but here.</summary>
    public const string Secret = "what-nobody-else-may-know";

    /// <summary>Effects that were given the secret.</summary>
    public int Trusted { get; private set; }

    /// <summary>Sabotage: how likely an effect reaches the outside twice.</summary>
    public double Repeated { get; init; }

    private readonly HashSet<(int Step, Guid Run, string Part)> _recorded = [];
    private readonly Dictionary<(Guid Run, int Tag), List<string>> _flaky = [];
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly Json _padding = new string('x', 70_000);

    public Dictionary<string, Request> Requests { get; } = new(StringComparer.Ordinal);

    /// <summary>Sub-steps whose work was begun.</summary>
    public HashSet<(Guid Run, int Step, string Part)> Worked { get; } = [];

    /// <summary>Forks, with the run each parted from: what failed there does not fail as often again.</summary>
    public Dictionary<Guid, Guid> Sources { get; } = [];

    /// <summary>For each run, the steps that were undone and what they had given, in the order in which that was first heard of.</summary>
    public Dictionary<Guid, List<(int Step, int Gave)>> Undone { get; } = [];

    /// <summary>Sabotage: how likely something is said to be undone and is not.</summary>
    public double NotUndone { get; init; }

    public IEnumerable<IFunction> Functions =>
    [
        new Inline("count", Idempotency.Keyed, Lane.Io, (context, arguments, cancel) => AnswerAsync("count", context, arguments, cancel)),
        new Inline("once", Idempotency.Once, Lane.Io, OnceAsync),
        new Inline("parts", Idempotency.Keyed, Lane.Cpu, PartsAsync),
        new Inline("big", Idempotency.Keyed, Lane.Io, BigAsync),
        new Inline("flaky", Idempotency.Keyed, Lane.Io, FlakyAsync),
        new Inline(Named, Idempotency.Keyed, Lane.Io, (context, arguments, cancel) => AnswerAsync(Named, context, arguments, cancel)),
        new Inline("moody", Idempotency.Keyed, Lane.Io, MoodyAsync),
        new Inline("undo", Idempotency.Keyed, Lane.Io, UndoAsync),
        new Inline("hang", Idempotency.Keyed, Lane.Sandbox, HangAsync),
        new Inline(Messages.Function, Idempotency.Keyed, Lane.Io, SubscribeAsync, version: ""),
    ];

    private async ValueTask<FunctionOutcome> AnswerAsync(string function, FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await WorkAsync(context, cancel);
        Reach(context, function, arguments);
        await WorkAsync(context, cancel);
        return FunctionOutcome.Done(Given(context, arguments));
    }

    private async ValueTask<FunctionOutcome> OnceAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await WorkAsync(context, cancel);
        if (Reach(context, "once", arguments) > 1) scheduler.Fail($"a once effect happened twice: {context.IdempotencyKey}");
        await WorkAsync(context, cancel);
        return FunctionOutcome.Done(Given(context, arguments));
    }

    private async ValueTask<FunctionOutcome> PartsAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Reach(context, "parts", arguments);
        foreach (var part in (string[])["first", "second", "third"])
        {
            var done = await context.StepAsync(part, async inner =>
            {
                if (_recorded.Contains((context.Step, context.Run, part))) scheduler.Fail($"sub-step {part} of {context.IdempotencyKey} ran again though it was recorded");
                Worked.Add((context.Run, context.Step, part));
                await WorkAsync(context, inner);
                return part.Length;
            }, cancel);
            if (done.AsNumber() != part.Length) scheduler.Fail($"sub-step {part} of {context.IdempotencyKey} gave {done}");
            _recorded.Add((context.Step, context.Run, part));
        }

        return FunctionOutcome.Done(Json.Object("n", Answer(arguments)));
    }

    /// <summary>Gives messages, each once, until there are as many as are wanted or one was enough.</summary>
    private async ValueTask<FunctionOutcome> SubscribeAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Reach(context, Messages.Function, arguments);
        var wanted = arguments["subscription"]["consume"]["amount"];
        for (var i = 0; wanted.IsNull || i < wanted.AsNumber(); i++)
        {
            var (part, number) = (Intake.NameOf(i), Messages.Number(arguments, i));
            var message = await context.StepAsync(part, async inner =>
            {
                if (_recorded.Contains((context.Step, context.Run, part))) scheduler.Fail($"{part} of {context.IdempotencyKey} was taken again though it was recorded");
                Worked.Add((context.Run, context.Step, part));
                await WorkAsync(context, inner);
                return Json.Object("n", number);
            }, cancel);
            if (message["n"].AsNumber() != number) scheduler.Fail($"{part} of {context.IdempotencyKey} is {message}");
            _recorded.Add((context.Step, context.Run, part));
            if (await context.HandledAsync(i, cancel)) break;
        }
        return FunctionOutcome.Done(Json.Null);
    }

    /// <summary>Its answer is too large for the journal and goes to the blob store.</summary>
    private async ValueTask<FunctionOutcome> BigAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Reach(context, "big", arguments);
        await WorkAsync(context, cancel);
        return FunctionOutcome.Done(Given(context, arguments, _padding));
    }

    /// <summary>Fails for the first steps it sees of a run's task, as often as it is told, and always for those. All of them come under one key.</summary>
    private async ValueTask<FunctionOutcome> FlakyAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await WorkAsync(context, cancel);
        Reach(context, "flaky", arguments);
        var task = (RootOf(context.Run), (int)arguments["tag"].AsNumber());
        if (!_flaky.TryGetValue(task, out var failed)) _flaky.Add(task, failed = []);
        var attempt = $"{context.Run} {context.IdempotencyKey} {context.Step}";
        if (failed.Count < arguments["failures"].AsNumber() && !failed.Contains(attempt)) failed.Add(attempt);
        return failed.Contains(attempt)
            ? FunctionOutcome.Fail(ErrorTypes.Communication, 503, "Service Unavailable")
            : FunctionOutcome.Done(Json.Object("n", Answer(arguments)));
    }

    /// <summary>Fails the first time it is asked for something, if it likes to, and not again.</summary>
    private async ValueTask<FunctionOutcome> MoodyAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await WorkAsync(context, cancel);
        return _asked.Add(arguments.ToString()) && dice.Chance(0.4)
            ? FunctionOutcome.Fail(ErrorTypes.Communication, 503, "Service Unavailable")
            : FunctionOutcome.Done(Json.Object("n", Answer(arguments)));
    }

    private async ValueTask<FunctionOutcome> UndoAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        await WorkAsync(context, cancel);
        if (NotUndone > 0 && dice.Chance(NotUndone)) return FunctionOutcome.Done(arguments);
        var isFirst = !Requests.ContainsKey(context.IdempotencyKey);
        Reach(context, "undo", arguments);
        if (isFirst)
        {
            if (!Undone.TryGetValue(context.Run, out var undone)) Undone.Add(context.Run, undone = []);
            undone.Add(((int)arguments["step"].AsNumber(), (int)arguments["n"].AsNumber()));
        }
        await WorkAsync(context, cancel);
        return FunctionOutcome.Done(arguments);
    }

    private async ValueTask<FunctionOutcome> HangAsync(FunctionContext context, Json arguments, CancellationToken cancel)
    {
        Reach(context, "hang", arguments);
        await Process.DelayAsync(context.Time, TimeSpan.FromDays(1), cancel);
        return FunctionOutcome.Done(arguments);
    }

    /// <summary>The answer; who was given the secret shows it while at work, and gives it back.</summary>
    private JsonObject Given(FunctionContext context, Json arguments, Json? padding = null)
    {
        var answer = new JsonObject.Builder().Set("n", Answer(arguments));
        if (padding is { } more) answer.Set("padding", more);
        if (arguments["token"].IsNull) return answer.Build();
        if (arguments["token"].StringOrNull != Secret) scheduler.Fail($"{context.IdempotencyKey} was given {arguments["token"]} for the secret");
        Trusted++;
        context.Live("stdout", Secret);
        return answer.Set("given", Secret).Build();
    }

    private static int Answer(Json arguments) => CallNode.Answer((int)arguments["n"].AsNumber(), (int)arguments["tag"].AsNumber());

    private Guid RootOf(Guid run) => Sources.TryGetValue(run, out var source) ? RootOf(source) : run;

    /// <summary>Nothing, or a while.</summary>
    private async Task WorkAsync(FunctionContext context, CancellationToken cancel)
    {
        if (dice.Chance(0.4)) return;
        var mean = dice.Chance(0.05) ? TimeSpan.FromSeconds(6) : TimeSpan.FromMilliseconds(150);
        await Process.DelayAsync(context.Time, dice.Span(mean), cancel);
    }

    /// <returns>How often this key has come now.</returns>
    private int Reach(FunctionContext context, string function, Json arguments)
    {
        var request = new Request(context.Workspace, context.Run, context.Step, function, arguments.ToString());
        if (!Requests.TryGetValue(context.IdempotencyKey, out var known)) Requests.Add(context.IdempotencyKey, known = request);
        known.Times += Repeated > 0 && dice.Chance(Repeated) ? 2 : 1;
        scheduler.Note($"effect {function} {Names.Of(context.Run)}-{context.Step} {known.Times}");
        if (function == Named)
        {
            if (known.Arguments != request.Arguments) scheduler.Fail($"key {context.IdempotencyKey} came with {known.Arguments} and then with {arguments}");
            return known.Times;
        }
        known.Step = Math.Max(known.Step, request.Step);
        if ((known.Run, known.Function, known.Arguments) != (request.Run, request.Function, request.Arguments))
            scheduler.Fail($"key {context.IdempotencyKey} came with {known.Function} {known.Arguments} and then with {function} {arguments}");
        return known.Times;
    }

    private sealed class Inline(string name, Idempotency idempotency, Lane lane, Func<FunctionContext, Json, CancellationToken, ValueTask<FunctionOutcome>> work, string version = "1.0.0") : IFunction
    {
        public FunctionDescriptor Descriptor { get; } = new(name, version, Capability.Write, idempotency, lane);

        public ValueTask<FunctionOutcome> InvokeAsync(FunctionContext context, Json arguments, CancellationToken cancel) => work(context, arguments, cancel);
    }
}

internal static class Names
{
    /// <summary>Enough of an id to tell runs apart.</summary>
    public static string Of(Guid run) => run.ToString("N")[^6..];
}
