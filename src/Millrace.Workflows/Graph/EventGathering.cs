using Millrace.Jq;

namespace Millrace.Workflows.Graph;

/// <summary>
/// Gathers the events that start a run together (<c>schedule.on</c> with <c>all</c>, or <c>any</c> with <c>until</c>; docs/decisions/0013-events.md). Pure: the state
/// comes from outside and goes there again. Events that agree in what the filters correlate belong together; of those that could belong to several gatherings, the first takes it.
/// </summary>
public sealed class EventGathering
{
    /// <summary>Gatherings of one definition that are open at once; the oldest makes room.</summary>
    public const int OpenMax = 1000;

    /// <summary>Events that one gathering takes; more are not taken.</summary>
    public const int EventsMax = 1000;

    private readonly EventTrigger _trigger;
    private readonly List<Open> _open = [];

    /// <param name="state">What <see cref="State"/> gave; null for nothing yet.</param>
    public EventGathering(EventTrigger trigger, Json state)
    {
        _trigger = trigger;
        foreach (var one in state["open"].ArrayOrNull ?? JsonArray.Empty) _open.Add(Open.Read(one, trigger.On));
    }

    public Json State => Json.Object("open", JsonArray.Of(_open.ConvertAll(o => o.ToJson())));

    /// <summary>Positions in the log of the events that are gathered.</summary>
    public IEnumerable<long> Events => _open.SelectMany(o => o.Events);

    /// <param name="event">Its position in the log.</param>
    /// <param name="read">Gives an event that was gathered before; null when it is not kept any more.</param>
    /// <returns>What starts a run; null when the event starts none.</returns>
    public GatheredEvents? Take(long @event, Json envelope, Func<long, Json?> read, DateTimeOffset now)
    {
        var variables = EventTrigger.NoRun(now);
        var on = _trigger.On;
        foreach (var open in _open)
        {
            if (on.UntilEvents is { } until && open.Find(until, open.Ends, envelope, variables) is var (end, agreed))
            {
                open.End(end, agreed);
                if (open.HasEnded(until)) return Close(open, read);
                return null;
            }
            if (open.Events.Count >= EventsMax || open.Find(on, open.Found, envelope, variables) is not var (filter, correlated)) continue;
            open.Add(@event, filter, correlated);
            return IsComplete(open, on, Body, variables) ? Close(open, Body) : null;
        }
        var begun = new Open(on);
        if (begun.Find(on, begun.Found, envelope, variables) is not var (first, values)) return null;
        begun.Add(@event, first, values);
        _open.Add(begun);
        if (_open.Count > OpenMax) _open.RemoveAt(0);
        return IsComplete(begun, on, Body, variables) ? Close(begun, Body) : null;

        Json? Body(long position) => position == @event ? envelope : read(position);
    }

    private bool IsComplete(Open open, EventStrategy on, Func<long, Json?> read, IVariables variables)
    {
        if (on.Kind == StrategyKind.All) return Array.TrueForAll(open.Found, f => f);
        if (on.UntilCondition is not { } condition) return on.UntilEvents is null;
        try
        {
            return condition.Evaluate(Input(open, read), variables).IsTruthy;
        }
        catch (Exception e) when (e is JqException or JqLimitException)
        {
            return false;
        }
    }

    private GatheredEvents Close(Open open, Func<long, Json?> read)
    {
        _open.Remove(open);
        return new(Input(open, read), open.Events);
    }

    private Json Input(Open open, Func<long, Json?> read) =>
        JsonArray.Of(open.Events.Select(read).Where(e => e is not null).Select(e => EventFilter.Read(_trigger.Read, e!.Value)).ToList());

    private sealed class Open(EventStrategy on)
    {
        public List<long> Events { get; } = [];
        public bool[] Found { get; } = new bool[on.Filters.Count];
        public bool[] Ends { get; } = new bool[on.UntilEvents?.Filters.Count ?? 0];
        private bool _ended;
        private JsonObject _correlated = JsonObject.Empty;

        public static Open Read(Json json, EventStrategy on)
        {
            var open = new Open(on) { _correlated = json["correlated"].ObjectOrNull ?? JsonObject.Empty };
            foreach (var one in json["events"].AsArray()) open.Events.Add((long)one.AsNumber());
            foreach (var one in json["found"].AsArray()) open.Found[(int)one.AsNumber()] = true;
            foreach (var one in json["ends"].AsArray()) open.Ends[(int)one.AsNumber()] = true;
            return open;
        }

        public Json ToJson() => new JsonObject.Builder().Set("events", JsonArray.Of(Events.ConvertAll(e => (Json)e))).Set("found", Indices(Found)).Set("ends", Indices(Ends))
            .Set("correlated", _correlated).Build();

        /// <summary>The filter that takes the event, with what it says the others must agree in; -1 where every event is taken.</summary>
        public (int Filter, JsonObject Correlated)? Find(EventStrategy of, bool[] found, Json envelope, IVariables variables)
        {
            if (of.Kind == StrategyKind.Any && of.Filters.Count == 0) return (-1, _correlated);
            for (var i = 0; i < of.Filters.Count; i++)
                if (!(of.Kind == StrategyKind.All && found[i]) && Agree(of.Filters[i], envelope, variables) is { } correlated) return (i, correlated);
            return null;
        }

        public void Add(long position, int filter, JsonObject correlated)
        {
            Events.Add(position);
            if (filter >= 0) Found[filter] = true;
            _correlated = correlated;
        }

        public void End(int filter, JsonObject correlated)
        {
            _ended = true;
            if (filter >= 0) Ends[filter] = true;
            _correlated = correlated;
        }

        public bool HasEnded(EventStrategy until) => until.Kind == StrategyKind.All ? Array.TrueForAll(Ends, e => e) : _ended;

        private JsonObject? Agree(EventFilter filter, Json envelope, IVariables variables)
        {
            try
            {
                if (!filter.Fits(envelope, variables)) return null;
                var correlated = _correlated;
                foreach (var correlation in filter.Correlate)
                {
                    var value = correlation.From.Evaluate(envelope, variables);
                    if (value.IsNull || !correlation.Agrees(value, default, variables)) return null;
                    if (correlation.Expect is not null) continue;
                    if (!correlated.TryGet(correlation.Name, out var known)) correlated = correlated.With(correlation.Name, value);
                    else if (known != value) return null;
                }
                return correlated;
            }
            catch (Exception e) when (e is JqException or JqLimitException)
            {
                return null;
            }
        }

        private static Json Indices(bool[] flags) => JsonArray.Of(Enumerable.Range(0, flags.Length).Where(i => flags[i]).Select(i => (Json)i).ToList());
    }
}

/// <summary>Events that start a run together.</summary>
/// <param name="Input">Of the run: what is read of them.</param>
/// <param name="Events">Their positions in the log.</param>
public sealed record GatheredEvents(Json Input, IReadOnlyList<long> Events);
