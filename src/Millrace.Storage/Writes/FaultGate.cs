namespace Millrace.Storage.Writes;

internal enum Passage
{
    Open,

    /// <summary>A fault lasts; this one write may find out whether it is over.</summary>
    Probe,
    Refused,
}

/// <summary>Whether writes are accepted, and who is told when that changes.</summary>
internal sealed class FaultGate(TimeProvider time, TimeSpan probeInterval, WorkPool pool) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly Queue<StorageFault?> _news = new();
    private StorageFault? _fault;
    private long _probed;
    private bool _telling;

    public event Action<StorageFault?>? Changed;

    public StorageFault? Fault => Volatile.Read(ref _fault);

    public Passage Ask(out StorageFault? fault)
    {
        fault = Fault;
        if (fault is null) return Passage.Open;
        if (!fault.Recoverable) return Passage.Refused;
        var probed = Volatile.Read(ref _probed);
        return time.GetElapsedTime(probed) >= probeInterval
            && Interlocked.CompareExchange(ref _probed, time.GetTimestamp(), probed) == probed
            ? Passage.Probe
            : Passage.Refused;
    }

    /// <summary>A fault that only a restart ends is never replaced.</summary>
    public void Raise(StorageFault fault)
    {
        lock (_lock)
        {
            if (_fault is { Recoverable: false }) return;
            var news = _fault?.Code != fault.Code;
            if (_fault is null) StorageMetrics.Faults.Add(1);
            Volatile.Write(ref _probed, time.GetTimestamp());
            Volatile.Write(ref _fault, fault);
            if (news) Tell(fault);
        }
    }

    /// <summary>A commit has reached the disk.</summary>
    public void Recover()
    {
        if (Fault is not { Recoverable: true }) return;
        lock (_lock)
        {
            if (_fault is not { Recoverable: true }) return;
            Volatile.Write(ref _fault, null);
            StorageMetrics.Faults.Add(-1);
            Tell(null);
        }
    }

    private void Tell(StorageFault? fault)
    {
        _news.Enqueue(fault);
        if (_telling) return;
        _telling = true;
        pool.Queue(this);
    }

    /// <summary>Tells what is new, in order.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            StorageFault? fault;
            lock (_lock)
            {
                if (!_news.TryDequeue(out fault))
                {
                    _telling = false;
                    return;
                }
            }

            Changed?.Invoke(fault);
        }
    }
}
