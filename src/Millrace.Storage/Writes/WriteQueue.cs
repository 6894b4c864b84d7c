using System.Diagnostics;

namespace Millrace.Storage.Writes;

/// <summary>
/// Many threads add, one takes. Adding is one compare-and-swap on a linked stack; taking removes the whole stack and turns it
/// round, so writes come out in the order they were added.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    // Long enough to catch the callers that the last commit has just released, short enough not to be seen on an idle machine.
    private static readonly long SpinTicks = Stopwatch.Frequency / 50_000;

    private static readonly QueuedWrite Closed = new QueuedWrite<bool>(_ => false);

    private readonly SemaphoreSlim _wake = new(0);
    private QueuedWrite? _newest;
    private int _asleep;
    private int _nudged;

    /// <exception cref="ObjectDisposedException">The database is closed.</exception>
    public void Add(QueuedWrite write)
    {
        var seen = Volatile.Read(ref _newest);
        while (true)
        {
            ObjectDisposedException.ThrowIf(ReferenceEquals(seen, Closed), typeof(Database));
            write.Before = seen;
            var current = Interlocked.CompareExchange(ref _newest, write, seen);
            if (ReferenceEquals(current, seen)) break;
            seen = current;
        }

        Wake();
    }

    /// <summary>Lets a <see cref="Wait"/> that sleeps return although nothing was added.</summary>
    public void Nudge()
    {
        Interlocked.Exchange(ref _nudged, 1);
        Wake();
    }

    /// <summary>Nothing can be added from now on.</summary>
    /// <returns>What was left, oldest first.</returns>
    public List<QueuedWrite> Close()
    {
        var rest = new List<QueuedWrite>();
        Unwind(Interlocked.Exchange(ref _newest, Closed), rest);
        Wake();
        return rest;
    }

    /// <summary>Moves everything that waits to the end of <paramref name="ready"/>, oldest first.</summary>
    /// <returns>False when the queue is closed.</returns>
    public bool TakeAll(List<QueuedWrite> ready)
    {
        if (Volatile.Read(ref _newest) is not { } seen) return true;
        if (ReferenceEquals(seen, Closed)) return false;

        // Close may come between, so the sentinel must not be taken away.
        while (!ReferenceEquals(seen, Closed))
        {
            var current = Interlocked.CompareExchange(ref _newest, null, seen);
            if (ReferenceEquals(current, seen))
            {
                Unwind(seen, ready);
                return true;
            }

            seen = current!;
        }

        return false;
    }

    /// <summary>Returns when something was added, or on <see cref="Nudge"/> or <see cref="Close"/>.</summary>
    public void Wait()
    {
        if (HasWork() || Spin()) return;
        Interlocked.Exchange(ref _asleep, 1);

        // Whoever adds after this line sees that we sleep; whoever added before it is seen here.
        if (HasWork() && Interlocked.Exchange(ref _asleep, 0) == 1) return;
        _wake.Wait();
    }

    public void Dispose() => _wake.Dispose();

    private bool Spin()
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetTimestamp() - start < SpinTicks)
        {
            Thread.SpinWait(8);
            if (HasWork()) return true;
        }

        return false;
    }

    private bool HasWork() =>
        Volatile.Read(ref _newest) is not null || (Volatile.Read(ref _nudged) == 1 && Interlocked.Exchange(ref _nudged, 0) == 1);

    private void Wake()
    {
        if (Volatile.Read(ref _asleep) == 1 && Interlocked.Exchange(ref _asleep, 0) == 1) _wake.Release();
    }

    private static void Unwind(QueuedWrite? newest, List<QueuedWrite> into)
    {
        var first = into.Count;
        for (var write = newest; write is not null && !ReferenceEquals(write, Closed); write = write.Before) into.Add(write);
        into.Reverse(first, into.Count - first);
        for (var i = first; i < into.Count; i++) into[i].Before = null;
    }
}
