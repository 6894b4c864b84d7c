using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Limits;

/// <summary>What becomes of a run that finds its limit reached.</summary>
public enum OnLimit : byte
{
    /// <summary>It waits for its turn.</summary>
    Queue,

    /// <summary>It takes the place of the oldest, which is cancelled.</summary>
    CancelInProgress,

    /// <summary>It is cancelled.</summary>
    CancelNewest,
}

/// <summary>How many runs with the same key may be at work at once.</summary>
/// <param name="Name">Limits of the same name share their slots: by default each is its definition's own.</param>
/// <param name="RoundRobin">Runs that wait take turns between the values of this.</param>
/// <param name="UntilEnd">A run that waits keeps its slot until it has ended.</param>
public sealed record ConcurrencyLimit(string Name, Template Key, int Limit, OnLimit OnLimit, Template? RoundRobin, bool UntilEnd);

/// <summary>How many runs with the same key may begin within any time of that length; the others begin later.</summary>
public sealed record StartRate(string Name, Template Key, int Limit, TimeSpan Per);

/// <summary>Of starts with the same key that follow each other within <paramref name="After"/>, only the last becomes a run that works.</summary>
/// <param name="Max">However many follow, one begins so long after the first.</param>
public sealed record Debounce(string Name, Template Key, TimeSpan After, TimeSpan Max);

/// <summary>
/// When runs of a definition may begin and how many at once: <c>document.metadata.flow</c>. Its expressions read the run's input; a run that
/// ignored it would come to the same result.
/// </summary>
public sealed record FlowControl
{
    public const int PriorityMax = 1000;

    public IReadOnlyList<ConcurrencyLimit> Concurrency { get; init; } = [];
    public StartRate? Rate { get; init; }
    public Debounce? Debounce { get; init; }

    /// <summary>Whole number from -1000 to 1000; of the runs that wait, those with the highest go first.</summary>
    public Template? Priority { get; init; }

    /// <summary>What a run on this input needs before it may begin.</summary>
    /// <exception cref="JqException">An expression failed, or gave what is no priority.</exception>
    /// <exception cref="JqLimitException">An expression reached a limit.</exception>
    public LimitPlan PlanOf(Json input, DateTimeOffset now)
    {
        var variables = new InputOnly(new JqOptions { Now = (now - DateTimeOffset.UnixEpoch).TotalSeconds });
        var needs = new List<LimitNeed>(Concurrency.Count + 2);
        foreach (var limit in Concurrency)
        {
            needs.Add(new LimitNeed(NeedKind.Slot, limit.Name, KeyOf(limit.Key), limit.Limit)
            {
                OnLimit = limit.OnLimit,
                UntilEnd = limit.UntilEnd,
                Group = limit.RoundRobin is { } by ? KeyOf(by) : null,
            });
        }
        if (Rate is { } rate) needs.Add(new LimitNeed(NeedKind.Rate, rate.Name, KeyOf(rate.Key), rate.Limit) { Micros = Micros(rate.Per) });
        if (Debounce is { } quiet) needs.Add(new LimitNeed(NeedKind.Quiet, quiet.Name, KeyOf(quiet.Key), 1) { Micros = Micros(quiet.After), MicrosMax = Micros(quiet.Max) });
        return new LimitPlan(needs, PriorityOf(input, variables));

        string KeyOf(Template key) => LimitPlan.Text(key.Evaluate(input, variables));
    }

    private int PriorityOf(Json input, InputOnly variables)
    {
        if (Priority is null) return 0;
        var value = Priority.Evaluate(input, variables);
        if (!value.IsNumber || Math.Floor(value.AsNumber()) != value.AsNumber() || Math.Abs(value.AsNumber()) > PriorityMax)
            throw new JqException(value, $"The priority must be a whole number from -{PriorityMax} to {PriorityMax}; it is {LimitPlan.Text(value)}.");
        return (int)value.AsNumber();
    }

    private static long Micros(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The run has not begun: there is nothing of it to read but its input.</summary>
    private sealed class InputOnly(JqOptions options) : IVariables
    {
        public JqOptions Options => options;

        public Json Get(string name) => Json.Null;
    }
}
