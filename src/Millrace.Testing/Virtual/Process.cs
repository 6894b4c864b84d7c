using Millrace.Storage;

namespace Millrace.Testing.Virtual;

/// <summary>
/// One process of the simulated world: a queue of work, a clock that may be wrong, and a thread pool of its own. It can stand still
/// for a while, as under SIGSTOP or a long collection, and it can die, after which nothing of it ever happens again.
/// </summary>
public sealed class Process
{
    private readonly Scheduler _scheduler;
    private readonly List<(SendOrPostCallback Call, object? State)> _queue = [];
    private readonly Context _context;

    internal Process(Scheduler scheduler, string name)
    {
        _scheduler = scheduler;
        Name = name;
        _context = new Context(this);
        Pool = new QueuePool(this);
        Time = new Clock(this);
    }

    public string Name { get; }
    public WorkPool Pool { get; }
    public TimeProvider Time { get; }
    public Scheduler Scheduler => _scheduler;

    /// <summary>How far its clock is from the true one.</summary>
    public TimeSpan Skew { get; set; }

    public long PausedUntil { get; private set; }
    public bool IsDead { get; private set; }
    public bool HasWork => _queue.Count > 0;
    internal bool IsRunnable => _queue.Count > 0 && PausedUntil <= _scheduler.Now;

    public void Pause(TimeSpan span) => PausedUntil = Math.Max(PausedUntil, _scheduler.Now + (long)span.TotalMicroseconds);

    public void Resume() => PausedUntil = 0;

    public void Die()
    {
        IsDead = true;
        _queue.Clear();
        _scheduler.Remove(this);
    }

    /// <summary>Begins <paramref name="work"/> inside this process.</summary>
    /// <returns>Ends with it; never, when the process dies before.</returns>
    public Task<T> Do<T>(Func<Task<T>> work)
    {
        var end = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(_ => _ = FinishAsync(work, end), null);
        return end.Task;
    }

    /// <summary>Begins <paramref name="work"/> and does not wait for it; it must not fail.</summary>
    public void Go(Func<Task> work) => Post(_ => _ = WatchAsync(work), null);

    public Task Do(Func<Task> work) => Do(async () =>
    {
        await work();
        return true;
    });

    /// <summary>Sleeps by the true clock.</summary>
    public Task DelayAsync(TimeSpan span) => DelayAsync(Time, span, default);

    public static async Task DelayAsync(TimeProvider time, TimeSpan span, CancellationToken cancel)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (time.CreateTimer(static end => ((TaskCompletionSource)end!).TrySetResult(), end, span, Timeout.InfiniteTimeSpan))
        await using (cancel.UnsafeRegister(static (end, token) => ((TaskCompletionSource)end!).TrySetCanceled(token), end))
        {
            await end.Task;
        }
    }

    internal void Post(SendOrPostCallback call, object? state)
    {
        // The collector may call on behalf of what a dead process left behind.
        if (IsDead) return;
        _scheduler.CheckThread();
        _queue.Add((call, state));
    }

    internal void RunOne(Dice? dice)
    {
        var index = dice?.Below(_queue.Count) ?? 0;
        var (call, state) = _queue[index];
        // The rest keeps its order, so that what waits longest is not always overtaken by the last.
        _queue.RemoveAt(index);
        _scheduler.Mix(Name);
        _scheduler.Mix(call.Method.Name);
        SynchronizationContext.SetSynchronizationContext(_context);
        call(state);
    }

    private async Task WatchAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e)
        {
            _scheduler.Fail($"{Name} met {e}");
        }
    }

    private static async Task FinishAsync<T>(Func<Task<T>> work, TaskCompletionSource<T> end)
    {
        try
        {
            end.TrySetResult(await work());
        }
        catch (OperationCanceledException e)
        {
            end.TrySetCanceled(e.CancellationToken);
        }
        catch (Exception e)
        {
            end.TrySetException(e);
        }
    }

    /// <summary>Where everything that is awaited inside the process goes on.</summary>
    private sealed class Context(Process process) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => process.Post(d, state);

        public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nobody waits for a thread in a simulation.");

        public override SynchronizationContext CreateCopy() => this;
    }

    private sealed class QueuePool(Process process) : WorkPool
    {
        public override void Queue(IThreadPoolWorkItem work, bool preferLocal = false) =>
            process.Post(static work => ((IThreadPoolWorkItem)work!).Execute(), work);
    }

    private sealed class Clock(Process process) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() =>
            new DateTimeOffset(DateTime.UnixEpoch, TimeSpan.Zero).AddMicroseconds(process._scheduler.Now) + process.Skew;

        /// <summary>The clock that nobody sets.</summary>
        public override long GetTimestamp() => process._scheduler.Now * TimeSpan.TicksPerMicrosecond;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new VirtualTimer(process, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }
}
