using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary>A fact about the children of a step (<see cref="Window"/>). Each is of a size of its own, however many children there are.</summary>
public abstract record SpawnEntry(int Step) : Entry
{
    /// <summary>The step has evaluated what it works on.</summary>
    public sealed record Opened(int Step, int Concurrency) : SpawnEntry(Step)
    {
        /// <summary>Items of one chunk.</summary>
        public int Chunk { get; init; }

        /// <summary>The whole collection, when it is there at once.</summary>
        public JsonArray? Items { get; init; }

        /// <summary>The first cursor of a collection that is made while it is walked.</summary>
        public Json? Cursor { get; init; }

        /// <summary>Results of another map by reference, each chunk of which is one here.</summary>
        public Json? Source { get; init; }

        /// <summary>Failed items that the step bears; null when it is a percentage or any number.</summary>
        public long? FailuresMax { get; init; }
        public double? PercentMax { get; init; }
    }

    /// <summary>The version that children of one definition run, from the first of them on.</summary>
    /// <param name="Definition">As the task names it: <c>namespace/name:version</c>.</param>
    public sealed record Pinned(int Step, string Definition, string Hash) : SpawnEntry(Step);

    /// <summary>A child is to exist; its row is committed with this.</summary>
    /// <param name="Unit">The chunk or the member it carries out.</param>
    public sealed record ChildStarted(int Step, Guid Child, int Unit) : SpawnEntry(Step)
    {
        /// <summary>Index of the chunk's first item, and their number; those of the first start where it is started again.</summary>
        public long Offset { get; init; }
        public int Count { get; init; }

        /// <summary>The cursor after the chunk; null when there is no more. Only of a chunk that starts for the first time.</summary>
        public Json? Next { get; init; }
    }

    /// <summary>A cursor that gave no items.</summary>
    public sealed record CursorMoved(int Step, Json Next) : SpawnEntry(Step);

    public sealed record ChildEnded(int Step, Guid Child, RunPhase Phase) : SpawnEntry(Step)
    {
        public Json? Output { get; init; }
        public WorkflowError? Error { get; init; }
    }

    /// <summary>A child failed and will be started again.</summary>
    public sealed record ChildRetried(int Step, Guid Child, WorkflowError Error, long WakeAt) : SpawnEntry(Step);

    /// <summary>A child has gone on as another run, whose end is waited for instead.</summary>
    public sealed record ChildContinued(int Step, Guid Child, Guid Successor) : SpawnEntry(Step);

    /// <summary>Units whose delay has passed may start.</summary>
    public sealed record DelayPassed(int Step) : SpawnEntry(Step);

    public sealed record ConcurrencyChanged(int Step, int Concurrency) : SpawnEntry(Step);
}

/// <summary>What a parent says of a child besides its input.</summary>
/// <param name="Batch">The input is an array of inputs, to be carried out one after the other.</param>
/// <param name="Collect">An input whose tasks fault does not end the others.</param>
public sealed record Part(bool Batch, bool Collect)
{
    /// <summary>What the effects of each input are keyed by; null when the run's own id is.</summary>
    public IReadOnlyList<string>? Keys { get; init; }

    /// <summary>When the child must have ended.</summary>
    public long? DeadlineAt { get; init; }

    public Json ToJson()
    {
        var json = new JsonObject.Builder(4).Set("batch", Batch).Set("collect", Collect);
        if (Keys is not null) json.Set("keys", JsonArray.Of(Keys.Select(k => (Json)k).ToList()));
        if (DeadlineAt is { } deadline) json.Set("deadlineAt", deadline);
        return json.Build();
    }

    public static Part FromJson(Json json) => new(json["batch"].IsTruthy, json["collect"].IsTruthy)
    {
        Keys = json["keys"].ArrayOrNull is { } keys ? [.. keys.Select(k => k.AsString())] : null,
        DeadlineAt = json["deadlineAt"] is { IsNumber: true } deadline ? (long)deadline.AsNumber() : null,
    };
}

/// <summary>One input of a batch has been carried out (<see cref="Batch"/>).</summary>
public sealed record ItemEnded(Json? Output, WorkflowError? Error) : Entry;

/// <summary>A run that had ended goes back to a step whose children did not all complete.</summary>
public sealed record RunRedriven(int Step) : Entry;
