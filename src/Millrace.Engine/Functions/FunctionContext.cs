using Millrace.Jq;

namespace Millrace.Engine.Functions;

/// <summary>What a function sees of the run it works for: who it is, and the durable context (design §2).</summary>
public abstract class FunctionContext
{
    public abstract Guid Organisation { get; }
    public abstract Guid Workspace { get; }
    public abstract Guid Run { get; }

    /// <summary>Number of the step within the run.</summary>
    public abstract int Step { get; }

    /// <summary>JSON pointer of the task.</summary>
    public abstract string Reference { get; }

    /// <summary>Stable for the step, the same in every attempt and after every crash.</summary>
    public abstract string IdempotencyKey { get; }

    public abstract TimeProvider Time { get; }

    /// <summary>W3C traceparent to give to whatever is called; null when the run is not traced.</summary>
    public virtual string? TraceParent => null;

    /// <summary>
    /// A named sub-step: the first time <paramref name="work"/> runs and its result is on disk before this returns;
    /// a recovered function gets the recorded result and <paramref name="work"/> does not run. Names are unique in the step.
    /// </summary>
    public abstract ValueTask<Json> StepAsync(string name, Func<CancellationToken, ValueTask<Json>> work, CancellationToken cancel);

    /// <summary>
    /// The task does something for each item that the function gives: a sub-step <c>message-0</c>, <c>message-1</c>, … The function waits by
    /// <see cref="HandledAsync"/> before it takes the next; its output is made of what was done.
    /// </summary>
    public virtual bool HasIterator => false;

    /// <summary>Waits until the run is done with that item; at once where it does nothing for items.</summary>
    /// <returns>True when no more are wanted.</returns>
    public virtual ValueTask<bool> HandledAsync(int item, CancellationToken cancel) => ValueTask.FromResult(false);

    /// <summary>Output that is shown live and not kept, such as lines of a process.</summary>
    /// <param name="channel"><c>stdout</c>, <c>stderr</c>, <c>progress</c>, or the function's own.</param>
    public abstract void Live(string channel, Json data);

    /// <summary>Says that the work goes on; shown as the step's last sign of life.</summary>
    public abstract void Heartbeat(Json detail = default);

    /// <summary>A secret the definition lists under <c>use.secrets</c>; null when it lists none of that name or the vault has none.</summary>
    public abstract Json? Secret(string name);

    /// <summary>Keeps a file with the run. The same name again replaces it.</summary>
    public abstract ValueTask<ArtifactInfo> SaveArtifactAsync(string name, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancel);
}

/// <param name="Path">Where the bytes lie when they lie on this machine's disk.</param>
public sealed record ArtifactInfo(string Name, string MediaType, long Size, string Sha256, string? Path);
