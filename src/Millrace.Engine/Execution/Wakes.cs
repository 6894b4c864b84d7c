using Millrace.Engine.Runs;
using Millrace.Storage;
using Millrace.Storage.Bus;

namespace Millrace.Engine.Execution;

/// <summary>
/// Wake-ups between workers: whoever writes to a run tells the worker that holds it, and whoever leaves a run due tells one that can take
/// it. They are hints: one that is lost costs a poll interval and nothing else.
/// </summary>
internal sealed class Wakes(Worker worker) : IAsyncDisposable
{
    /// <summary>How long a list of living workers is good for.</summary>
    private static readonly TimeSpan AliveFor = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private (long[] Leases, long Seen) _alive = ([], 0);
    private int _next;

    /// <summary>Listens for messages to the worker's lease; called again for each new lease.</summary>
    public void Listen(Lease lease)
    {
        var subscription = worker.Bus.Subscribe(Topics.Worker(lease.Id), capacity: 4096);
        _loop = Task.WhenAll(_loop, ListenAsync(lease, subscription));
    }

    /// <summary>Tells the holder of a run that something was written to it, or somebody that it is due.</summary>
    public async Task SendAsync(Tenant tenant, Guid run)
    {
        try
        {
            var row = await worker.Database.ReadAsync(db => RunStore.Get(db, tenant, run));
            if (row is null or { IsFinished: true }) return;
            if (row.Lease is not { } lease) await CallAsync();
            else if (lease == worker.Lease.Id) worker.NudgeHere(run);
            else worker.Announcements.Wake(lease, run.ToByteArray(bigEndian: true));
        }
        catch (Exception e)
        {
            worker.LoopFailed("waking a run", e);
        }
    }

    /// <summary>Says that runs are due: to this worker if it works, else to one of the living.</summary>
    public async Task CallAsync()
    {
        if (worker.Settings.Works && !worker.IsDraining)
        {
            worker.Due.Call(0);
            return;
        }

        try
        {
            if (await OneAliveAsync() is { } lease) worker.Announcements.Wake(lease, default);
        }
        catch (Exception e)
        {
            worker.LoopFailed("calling a worker", e);
        }
    }

    /// <summary>Living workers besides this one, as of a moment ago.</summary>
    public async ValueTask<int> OthersAsync()
    {
        if (worker.Settings.Alone) return 0;
        await OneAliveAsync();
        return _alive.Leases.Length;
    }

    /// <summary>Says to another worker that a run will soon be due, though this one works too: whoever looks first has it.</summary>
    public async Task ShareAsync(Guid run, long at)
    {
        try
        {
            if (await OneAliveAsync() is { } lease) worker.Announcements.Wake(lease, run.ToByteArray(bigEndian: true));
            worker.Due.Call(at);
        }
        catch (Exception e)
        {
            worker.LoopFailed("sharing runs", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _loop;
        _stop.Dispose();
    }

    private async Task ListenAsync(Lease lease, Subscription subscription)
    {
        await using var _ = subscription;
        try
        {
            while (await subscription.WaitAsync(_stop.Token) && worker.Lease == lease)
            {
                if (subscription.TakeLost()) worker.Due.Call(0);
                while (subscription.TryRead(out var message))
                {
                    if (message.Payload is ReadOnlyMemory<byte> { Length: 16 } run) worker.NudgeHere(new Guid(run.Span, bigEndian: true));
                    else worker.Due.Take();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async ValueTask<long?> OneAliveAsync()
    {
        var alive = _alive;
        if (alive.Leases.Length == 0 || worker.Time.GetElapsedTime(alive.Seen) > AliveFor)
        {
            var leases = await worker.Database.ReadAsync(LeaseStore.Alive);
            _alive = alive = ([.. leases.Where(l => l.Id != worker.Lease.Id).Select(l => l.Id)], worker.Time.GetTimestamp());
        }

        return alive.Leases.Length == 0 ? null : alive.Leases[(uint)Interlocked.Increment(ref _next) % (uint)alive.Leases.Length];
    }
}
