using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Graph;

/// <summary>Waits for events; its output is the array of what was read of those it has consumed, in their order.</summary>
public sealed record ListenBody(EventStrategy To, EventRead Read, EventIterator? ForEach) : TaskBody;

/// <summary>What is read of an event: its data, the whole event, or its data as the text it came as.</summary>
public enum EventRead : byte { Data, Envelope, Raw }

public enum StrategyKind : byte { One, Any, All }

/// <summary>Which events are consumed, and when that is enough (dsl-reference.md, Event Consumption Strategy).</summary>
/// <param name="Filters">None, with <see cref="StrategyKind.Any"/>: every event.</param>
public sealed record EventStrategy(StrategyKind Kind, IReadOnlyList<EventFilter> Filters)
{
    /// <summary>Asked after each event: whether to stop. Its input is the array of what was read so far.</summary>
    public Expression? UntilCondition { get; init; }

    /// <summary>Events that end the listening and are no part of its output.</summary>
    public EventStrategy? UntilEvents { get; init; }

    public bool EndsWithFirst => Kind != StrategyKind.All && UntilCondition is null && UntilEvents is null;

    /// <summary>Every filter, those of the events that end it included.</summary>
    public IEnumerable<EventFilter> All => UntilEvents is null ? Filters : Filters.Concat(UntilEvents.All);

    /// <summary>What an event must have to concern it at all, as far as that is known before any run.</summary>
    public IReadOnlyList<EventKey> Keys()
    {
        var keys = All.Select(f => f.Key).Distinct().ToList();
        if (Kind == StrategyKind.Any && Filters.Count == 0) return [default];
        if (UntilEvents is { Kind: StrategyKind.Any, Filters.Count: 0 }) return [default];
        return keys;
    }
}

/// <summary>The constant type and source of the events a filter takes; null where any will do or an expression decides.</summary>
public readonly record struct EventKey(string? Type, string? Source)
{
    public override string ToString() => (Type, Source) switch
    {
        (null, null) => "any type",
        (null, _) => $"any type from {Source}",
        (_, null) => $"the type {Type}",
        _ => $"the type {Type} from {Source}",
    };
}

/// <param name="With">What attributes of the event must be.</param>
public sealed record EventFilter(IReadOnlyList<KeyValuePair<string, ValueFilter>> With, IReadOnlyList<Correlation> Correlate)
{
    public EventKey Key => new(Constant("type"), Constant("source"));

    /// <summary>Whether the attributes are what is wanted; correlations are not asked.</summary>
    /// <param name="envelope">The CloudEvent in its JSON format.</param>
    /// <exception cref="JqException">An expression failed on it.</exception>
    internal bool Fits(Json envelope, IVariables variables)
    {
        foreach (var (name, wanted) in With)
        {
            var value = name == "data" ? DataOf(envelope) : envelope[name];
            if (value.IsNull && !(name == "data" && wanted.TakesAbsent)) return false;
            if (!wanted.Fits(value, variables)) return false;
        }
        return true;
    }

    /// <summary>What a task reads of an event.</summary>
    internal static Json Read(EventRead read, Json envelope) => read switch
    {
        EventRead.Envelope => envelope,
        EventRead.Raw when DataOf(envelope) is { IsString: false, IsNull: false } data => data.ToString(),
        _ => DataOf(envelope),
    };

    /// <summary>Bytes are read as the Base64 they came in.</summary>
    private static Json DataOf(Json envelope) => envelope.AsObject().TryGet("data", out var data) ? data : envelope["data_base64"];

    private string? Constant(string name) => With.FirstOrDefault(w => w.Key == name).Value?.Constant;
}

/// <summary>Starts a run for each event that fits (dsl.md, Event-driven scheduling); its input is an array of that event.</summary>
public sealed record EventTrigger(EventStrategy On, EventRead Read)
{
    /// <summary>Several events start a run together: see <see cref="EventGathering"/>.</summary>
    public bool Gathers => On is { Kind: StrategyKind.All, Filters.Count: > 1 } || On.UntilCondition is not null || On.UntilEvents is not null;

    /// <summary>Whether a gathering may want the event, whatever it correlates.</summary>
    public bool Concerns(Json envelope, DateTimeOffset now)
    {
        var variables = NoRun(now);
        return (On.Kind == StrategyKind.Any && On.Filters.Count == 0) || On.UntilEvents is { Kind: StrategyKind.Any, Filters.Count: 0 } || On.All.Any(f => Fits(f, envelope, variables));
    }

    internal static IVariables NoRun(DateTimeOffset now) => new Nothing(new JqOptions { Now = (now - DateTimeOffset.UnixEpoch).TotalSeconds });

    /// <param name="envelope">The CloudEvent in its JSON format.</param>
    /// <returns>The input of the run to start; null when the event starts none.</returns>
    public Json? Start(Json envelope, DateTimeOffset now)
    {
        var variables = NoRun(now);
        var fits = On.Filters.Count == 0 || On.Filters.Any(f => Fits(f, envelope, variables));
        return fits ? Json.Array(EventFilter.Read(Read, envelope)) : (Json?)null;
    }

    private static bool Fits(EventFilter filter, Json envelope, IVariables variables)
    {
        try
        {
            return filter.Fits(envelope, variables) && filter.Correlate.All(c => c.From.Evaluate(envelope, variables) is { IsNull: false } value && c.Agrees(value, default, variables));
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            return false;
        }
    }

    /// <summary>There is no run yet that an expression could read anything of.</summary>
    private sealed class Nothing(JqOptions options) : IVariables
    {
        public JqOptions Options => options;

        public Json Get(string name) => Json.Null;
    }
}

/// <param name="From">Takes the value out of the event.</param>
/// <param name="Expect">What it must be; without it, what the first event gave.</param>
public sealed record Correlation(string Name, Expression From, Template? Expect)
{
    /// <summary>Whether the value is the one that is expected, where one is.</summary>
    internal bool Agrees(Json value, Json input, IVariables variables)
    {
        if (Expect is null) return true;
        var wanted = Expect.Evaluate(input, variables);
        // A constant is always written as text.
        return value == wanted || (Expect.ConstantValue is not null && value.ToString() == wanted.StringOrNull);
    }
}

/// <summary>What is done for each event, one after another (dsl-reference.md, Subscription Iterator).</summary>
public sealed record EventIterator(string Item, string At, Scope? Tasks)
{
    public JsonSchema? OutputSchema { get; init; }
    public Template? OutputAs { get; init; }
    public JsonSchema? ExportSchema { get; init; }
    public Template? ExportAs { get; init; }
}
