using System.Globalization;

namespace Millrace.Testing.Virtual;

/// <summary>
/// Everything of a seed or a scenario happens here, on one thread: a clock that only moves when it is told to, processes with queues of
/// work, and dice that pick what happens next. Two runs of one seed pick the same.
/// </summary>
/// <param name="dice">Null: work is taken in the order in which it came, and takes no time.</param>
/// <param name="began">Where the clock stands at first; null: at the beginning of 2026.</param>
public sealed class Scheduler(Dice? dice, DateTimeOffset? began = null)
{
    private const int EventsKept = 60;

    /// <summary>Pieces of work after which a seed goes round in circles; an ordinary one needs a few thousand.</summary>
    public long StepsMax { get; init; } = 500_000;

    /// <summary>The most that a piece of work takes, microseconds.</summary>
    private const int WorkMicrosMost = 60;

    private readonly List<Process> _processes = [];
    private readonly PriorityQueue<VirtualTimer, (long At, long Number)> _timers = new();
    private readonly Queue<string> _events = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private string? _escape;
    private long _number;
    private ulong _trace = 14695981039346656037;

    /// <summary>Unix microseconds.</summary>
    public long Now { get; private set; } = Micros(began);

    public long Began { get; } = Micros(began);

    public TimeSpan Elapsed => TimeSpan.FromMicroseconds(Now - Began);

    /// <summary>Pieces of work carried out.</summary>
    public long Steps { get; private set; }

    /// <summary>A fingerprint of everything that has happened, in order.</summary>
    public ulong Trace => _trace;

    public IEnumerable<string> LastEvents => _events;

    /// <summary>What must never happen and has; the first stops the seed.</summary>
    public string? Failure { get; private set; }

    public Process Start(string name)
    {
        var process = new Process(this, name);
        _processes.Add(process);
        return process;
    }

    /// <summary>Goes on until <paramref name="done"/> says so, a failure is found, or that much time has passed.</summary>
    /// <returns>Whether it was done.</returns>
    public bool Run(Func<bool> done, TimeSpan most)
    {
        var end = Now + (long)most.TotalMicroseconds;
        var outer = SynchronizationContext.Current;
        try
        {
            while (Failure is null && !done())
            {
                if (_escape is { } where) Fail($"something left the simulation for another thread:\n{where}");
                if (Steps > StepsMax) Fail($"it goes round in circles: {Steps} pieces of work");
                FireTimers();
                if (Runnable() is { } process)
                {
                    Steps++;
                    Now += dice?.Below(WorkMicrosMost) ?? 0;
                    process.RunOne(dice);
                }
                else if (!Wait(end))
                {
                    return false;
                }
            }

            return Failure is null;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    /// <summary>Goes on as long as there is something to do at this moment.</summary>
    public void Settle() => Run(() => !_processes.Exists(p => p.IsRunnable) && !(_timers.TryPeek(out _, out var due) && due.At <= Now), TimeSpan.Zero);

    /// <summary>Something worth telling: it is part of the fingerprint and of what a failing seed prints.</summary>
    public void Note(string what)
    {
        Mix(what);
        if (_events.Count == EventsKept) _events.Dequeue();
        _events.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds,10:0.000000} {what}"));
    }

    public void Fail(string what)
    {
        Note($"FAILED {what}");
        Failure ??= what;
    }

    public void Mix(ReadOnlySpan<char> what)
    {
        foreach (var c in what) _trace = (_trace ^ c) * 1099511628211;
        _trace = (_trace ^ (ulong)Now) * 1099511628211;
    }

    public void Mix(ReadOnlySpan<byte> what)
    {
        foreach (var b in what) _trace = (_trace ^ b) * 1099511628211;
    }

    internal void Arm(VirtualTimer timer, long at) => _timers.Enqueue(timer, (at, ++_number));

    /// <summary>Called wherever work is queued: a thread other than the simulation's must not get here.</summary>
    internal void CheckThread()
    {
        if (Environment.CurrentManagedThreadId != _thread) Interlocked.CompareExchange(ref _escape, Environment.StackTrace, null);
    }

    internal void Remove(Process process) => _processes.Remove(process);

    private static long Micros(DateTimeOffset? moment) => ((moment?.UtcTicks ?? new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks) - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private Process? Runnable()
    {
        var count = 0;
        foreach (var process in _processes)
        {
            if (process.IsRunnable) count++;
        }

        if (count == 0) return null;
        var chosen = dice?.Below(count) ?? 0;
        foreach (var process in _processes)
        {
            if (process.IsRunnable && chosen-- == 0) return process;
        }

        return null;
    }

    private void FireTimers()
    {
        while (_timers.TryPeek(out var timer, out var due) && due.At <= Now)
        {
            _timers.Dequeue();
            timer.Fire(due.At);
        }
    }

    /// <summary>Nothing can be done now: the clock moves to the next timer.</summary>
    private bool Wait(long end)
    {
        var next = _timers.TryPeek(out _, out var due) ? due.At : long.MaxValue;
        foreach (var process in _processes)
        {
            if (process.HasWork && process.PausedUntil > Now) next = Math.Min(next, process.PausedUntil);
        }

        if (next > end)
        {
            Now = end;
            return false;
        }

        Now = Math.Max(Now, next);
        return true;
    }
}
