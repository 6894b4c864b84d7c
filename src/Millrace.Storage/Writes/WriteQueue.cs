namespace Millrace.Storage.Writes;

/// <summary>
/// Many threads add, one takes. Adding is one compare-and-swap on a linked stack; taking removes the whole stack and turns it
/// round, so writes come out in the order they were added.
/// </summary>
internal sealed class WriteQueue
{
    private static readonly QueuedWrite Closed = new QueuedWrite<bool>(_ => false);

    private QueuedWrite? _newest;

    public bool IsEmpty => Volatile.Read(ref _newest) is not { } newest || ReferenceEquals(newest, Closed);

    /// <exception cref="ObjectDisposedException">The database is closed.</exception>
    public void Add(QueuedWrite write)
    {
        var seen = Volatile.Read(ref _newest);
        while (true)
        {
            ObjectDisposedException.ThrowIf(ReferenceEquals(seen, Closed), typeof(Database));
            write.Before = seen;
            var current = Interlocked.CompareExchange(ref _newest, write, seen);
            if (ReferenceEquals(current, seen)) return;
            seen = current;
        }
    }

    /// <summary>Moves everything that waits to the end of <paramref name="ready"/>, oldest first.</summary>
    public void TakeAll(List<QueuedWrite> ready)
    {
        var seen = Volatile.Read(ref _newest);
        while (seen is not null && !ReferenceEquals(seen, Closed))
        {
            // Close may come between, and its mark must not be taken away.
            var current = Interlocked.CompareExchange(ref _newest, null, seen);
            if (ReferenceEquals(current, seen))
            {
                Unwind(seen, ready);
                return;
            }

            seen = current;
        }
    }

    /// <summary>Nothing can be added from now on.</summary>
    /// <returns>What was left, oldest first.</returns>
    public List<QueuedWrite> Close()
    {
        var rest = new List<QueuedWrite>();
        Unwind(Interlocked.Exchange(ref _newest, Closed), rest);
        return rest;
    }

    private static void Unwind(QueuedWrite? newest, List<QueuedWrite> into)
    {
        var first = into.Count;
        for (var write = newest; write is not null && !ReferenceEquals(write, Closed); write = write.Before) into.Add(write);
        into.Reverse(first, into.Count - first);

        // Unlinked, so that a write that lives long does not keep all those before it.
        for (var i = first; i < into.Count; i++) into[i].Before = null;
    }
}
