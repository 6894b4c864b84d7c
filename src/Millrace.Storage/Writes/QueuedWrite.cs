namespace Millrace.Storage.Writes;

/// <summary>A write that waits for its turn, and the link to the one queued before it.</summary>
internal abstract class QueuedWrite
{
    public QueuedWrite? Before { get; set; }

    /// <summary>It was let through while a fault lasts, to find out whether the fault is over.</summary>
    public bool IsProbe { get; init; }

    public WriteChain? Chain { get; init; }

    /// <summary>Set when the outcome of <see cref="Run"/> or of the commit is an exception.</summary>
    public Exception? Refusal { get; set; }

    public abstract void Run(DbUnit unit);

    /// <summary>Hands the outcome to the caller.</summary>
    public abstract void Complete();
}

internal sealed class QueuedWrite<T>(Func<DbUnit, T> write) : QueuedWrite
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Task => _completion.Task;

    public override void Run(DbUnit unit) => _result = write(unit);

    public override void Complete()
    {
        if (Refusal is { } refusal) _completion.SetException(refusal);
        else _completion.SetResult(_result);
    }
}
