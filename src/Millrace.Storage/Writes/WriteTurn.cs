using System.Diagnostics;

namespace Millrace.Storage.Writes;

/// <summary>
/// Whose turn it is to write. A write that comes alone is offered to the thread pool, where the thread that asked for it takes
/// it as soon as it awaits: no other thread has to wake up, which costs as much as the commit itself. As soon as there is more
/// than one, a thread of its own takes over and stays until the queue is empty, so that the pool is not kept waiting for disks.
/// Where there are no threads, every turn is the pool's.
/// </summary>
internal sealed class WriteTurn : IThreadPoolWorkItem, IDisposable
{
    private const int Idle = 0;
    private const int Offered = 1;
    private const int Held = 2;

    // Long enough to catch the callers that the last commit has just released, short enough not to be seen on an idle machine.
    private static readonly long SpinTicks = Stopwatch.Frequency / 50_000;

    private readonly WriteQueue _queue;
    private readonly Action _write;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly WorkPool _pool;
    private readonly Thread? _thread;
    private int _turn;
    private volatile bool _closing;

    /// <param name="write">Writes what the queue holds; never called by two threads at once.</param>
    public WriteTurn(WriteQueue queue, string name, WorkPool pool, Action write)
    {
        _queue = queue;
        _write = write;
        _pool = pool;
        if (!pool.HasThreads) return;
        _thread = new Thread(Loop) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Something was added to the queue.</summary>
    public void Ask()
    {
        switch (Volatile.Read(ref _turn))
        {
            case Idle when _thread is null || Thread.CurrentThread.IsThreadPoolThread:
                if (Change(Idle, Offered)) _pool.Queue(this, preferLocal: true);
                break;
            case Idle:
                if (Change(Idle, Held)) _wake.Release();
                break;
            case Offered when _thread is not null:
                if (Change(Offered, Held)) _wake.Release();
                break;
        }
    }

    /// <summary>On the thread pool.</summary>
    public void Execute()
    {
        if (!Change(Offered, Held)) return;
        _write();
        if (_queue.IsEmpty || _thread is null) GiveBack();
        else _wake.Release();
    }

    /// <summary>Ends after a last write; the queue must be closed.</summary>
    public void Dispose()
    {
        _closing = true;
        if (_thread is not null)
        {
            if (Change(Idle, Held) || Change(Offered, Held)) _wake.Release();
            _thread.Join();
        }

        _wake.Dispose();
    }

    private void Loop()
    {
        while (true)
        {
            _wake.Wait();
            do _write();
            while (!_queue.IsEmpty || SpinsInto());
            if (_closing) return;
            GiveBack();
        }
    }

    private bool SpinsInto()
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetTimestamp() - start < SpinTicks)
        {
            Thread.SpinWait(8);
            if (!_queue.IsEmpty) return true;
        }

        return false;
    }

    /// <summary>Whoever added before the exchange is seen after it, and whoever adds later finds the turn free.</summary>
    private void GiveBack()
    {
        Interlocked.Exchange(ref _turn, Idle);
        if (_thread is null)
        {
            if (!_queue.IsEmpty) Ask();
        }
        else if ((!_queue.IsEmpty || _closing) && Change(Idle, Held))
        {
            _wake.Release();
        }
    }

    private bool Change(int from, int to) => Interlocked.CompareExchange(ref _turn, to, from) == from;
}
