using System.Globalization;
using Millrace.Connectors.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Testing.Checks;
using Millrace.Testing.Scenarios;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Graph;

namespace Millrace.Testing.Outside;

/// <summary>One call as the outside has seen it; however often it came, it is one.</summary>
internal sealed record OutsideCall(string Key, string Call, string Task, string Reference, Json With)
{
    public Mock? Mock { get; init; }

    /// <summary>Known only where a mock asks for it.</summary>
    public CallingRun Run { get; init; }

    /// <summary>When it came first.</summary>
    public DateTimeOffset Began { get; init; }

    /// <summary>Requests of it, in order; a repetition gets the same answers.</summary>
    public List<AskedRequest> Requests { get; } = [];

    public Json ToJson() => new JsonObject.Builder().Set("call", Call).Set("task", Task).Set("with", With).Set("idempotencyKey", Key).Build();
}

/// <summary>The run that a call comes from: its definition's name, and its input.</summary>
internal readonly record struct CallingRun(string? Workflow, Json Input);

internal sealed record AskedRequest(Json Request, Mock? Mock, DateTimeOffset Began);

/// <summary>Everything outside the process of a scenario. It outlives every crash, and remembers what it was asked and told.</summary>
internal sealed class OutsideWorld(IReadOnlyList<Mock> mocks)
{
    private static readonly TimeSpan Forever = TimeSpan.FromDays(36_500);

    private readonly Dictionary<Mock, int> _used = [];
    private readonly Dictionary<string, OutsideCall> _effects = new(StringComparer.Ordinal);
    private readonly HashSet<(string Source, string Id)> _known = [];
    private readonly Dictionary<Guid, CallingRun> _runs = [];
    private Func<Guid, Task<CallingRun>>? _find;

    public List<OutsideCall> Effects { get; } = [];
    public List<Json> Emitted { get; } = [];
    public List<Json> Requests { get; } = [];

    /// <summary>Calls and requests that no mock answers, each a sentence.</summary>
    public List<string> Unmocked { get; } = [];

    /// <summary>A process begins: what it sends requests through, and where its events go.</summary>
    /// <param name="find">Tells of a run that calls.</param>
    public (HttpMessageHandler Handler, EventOutlet Outlet) Open(Process process, Task<DurableEngine> engine, Func<Guid, Task<CallingRun>> find)
    {
        _find = find;
        return (new MockTransport(this, process.Time), (emitted, _) => PublishAsync(emitted.Event, engine));
    }

    private async ValueTask PublishAsync(Json one, Task<DurableEngine> engine)
    {
        if (_known.Add((one["source"].AsString(), one["id"].AsString()))) Emitted.Add(one);
        await (await engine).Events.PublishAsync(Tenant.Default, [one]);
    }

    /// <summary>The functions with mocks before them.</summary>
    public IEnumerable<IFunction> Wrap(IEnumerable<IFunction> functions) => functions.Select(f => new MockedFunction(this, f));

    public async ValueTask<OutsideCall> CallAsync(string call, FunctionContext context, Json arguments)
    {
        var run = mocks.Any(m => m.Input is not null || m.Workflow is not null) ? await FindAsync(context.Run) : default;
        // Each attempt of a try is a call of its own, whatever key it comes with.
        var key = string.Create(CultureInfo.InvariantCulture, $"{context.Run:N}-{context.Step}");
        if (_effects.TryGetValue(key, out var known)) return known;
        var with = arguments.ObjectOrNull is { } members && members.Has("input") ? members.Without("input") : arguments;
        var effect = new OutsideCall(key, call, context.Reference[(context.Reference.LastIndexOf('/') + 1)..], context.Reference, with) { Run = run };
        var mock = Use(m => m.Call is not null && IsFor(m, effect) && Matching.Like(m.With, with));
        _effects.Add(effect.Key, effect = effect with { Mock = mock, Began = context.Time.GetUtcNow() });
        return effect;
    }

    public void Reached(OutsideCall effect)
    {
        if (!Effects.Contains(effect)) Effects.Add(effect);
    }

    public AskedRequest Request(OutsideCall effect, int number, Json request, DateTimeOffset now)
    {
        if (number < effect.Requests.Count && effect.Requests[number].Request == request) return effect.Requests[number];
        var mock = Use(m => !m.Request.IsNull && IsAt(m, effect) && Matching.Like(m.Request, request));
        var asked = new AskedRequest(request, mock, now);
        effect.Requests.Add(asked);
        Requests.Add(request);
        if (mock is null) Unmocked.Add($"no mock answers the request {request["method"].StringOrNull} {request["uri"].StringOrNull} of '{effect.Task}' ({effect.Call})");
        return asked;
    }

    /// <summary>
    /// Waits until the answer comes. Whoever asks again after a crash asks about the same thing, which went on meanwhile: it answers when it
    /// would have.
    /// </summary>
    public static async Task AnswerAsync(Mock mock, DateTimeOffset began, TimeProvider time, CancellationToken cancel)
    {
        var left = mock.Answer is MockAnswer.Hangs ? Forever : began + mock.After - time.GetUtcNow();
        if (left > TimeSpan.Zero) await Process.DelayAsync(time, left, cancel);
    }

    private static bool IsFor(Mock mock, OutsideCall effect) =>
        (mock.Call == effect.Call || effect.Call.StartsWith($"{mock.Call}:", StringComparison.Ordinal)) && IsAt(mock, effect);

    private static bool IsAt(Mock mock, OutsideCall effect) =>
        (mock.Task is not { } task || task == effect.Task || task == effect.Reference)
        && (mock.Workflow is not { } workflow || workflow == effect.Run.Workflow)
        && (mock.Input is not { } input || Matching.Same(input, effect.Run.Input));

    private async ValueTask<CallingRun> FindAsync(Guid run) => _runs.TryGetValue(run, out var known) ? known : _runs[run] = await _find!(run);

    private Mock? Use(Func<Mock, bool> fits)
    {
        foreach (var mock in mocks)
        {
            if (_used.GetValueOrDefault(mock) >= mock.Times || !fits(mock)) continue;
            _used[mock] = _used.GetValueOrDefault(mock) + 1;
            return mock;
        }
        return null;
    }

    /// <summary>A value of a mock with its expressions evaluated over what was asked.</summary>
    public static Json Filled(Json template, Json asked) => Template.Compile(template, [], "", (_, _) => { }).Evaluate(asked, NoVariables.Instance);
}
