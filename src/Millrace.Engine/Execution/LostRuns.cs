using System.Collections.Concurrent;
using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Execution;

/// <summary>
/// Runs that carry this worker's lease on disk and are not in its memory: a record could not be written, or a write that was reported
/// as failed has been written all the same. They are given back, to be read again from what the disk holds.
/// </summary>
internal sealed class LostRuns(Worker worker)
{
    private readonly ConcurrentQueue<(Tenant Tenant, Guid Run)> _lost = new();

    /// <summary>Runs whose rows are being written under the lease: in memory as soon as their commit is known.</summary>
    private readonly ConcurrentDictionary<Guid, bool> _coming = new();

    private bool _doubt;

    public void Add(Tenant tenant, Guid run) => _lost.Enqueue((tenant, run));

    /// <summary>A claim or a start was reported as failed: which runs it took, if any, only the database knows.</summary>
    public void Doubt() => Volatile.Write(ref _doubt, true);

    public void Expect(Guid run) => _coming[run] = true;

    /// <summary>The run has come, or will not.</summary>
    public void ExpectNoMore(Guid run) => _coming.TryRemove(run, out _);

    /// <summary>The children of a record that did not become durable, as far as anybody knows.</summary>
    /// <param name="mayBeThere">The record was reported as failed, or nobody was there to hear of its success.</param>
    public void Disown(IReadOnlyList<NewRun> children, bool mayBeThere)
    {
        foreach (var child in children)
        {
            ExpectNoMore(child.Row.Id);
            if (mayBeThere) Add(child.Row.Tenant, child.Row.Id);
        }
    }

    public async Task RecoverAsync()
    {
        var doubt = Volatile.Read(ref _doubt);
        if ((_lost.IsEmpty && !doubt) || worker.Database.Fault is { Recoverable: false }) return;
        Volatile.Write(ref _doubt, false);
        var lost = new List<(Tenant Tenant, Guid Run)>();
        while (_lost.TryDequeue(out var one)) lost.Add(one);
        try
        {
            var (now, lease) = (worker.Now, worker.Lease);
            foreach (var one in await worker.Database.WriteAsync(db => Free(db, doubt ? [.. lost, .. RunStore.HeldBy(db, lease.Id)] : lost, lease, now))) Add(one.Tenant, one.Run);
        }
        catch
        {
            foreach (var one in lost) _lost.Enqueue(one);
            if (doubt) Doubt();
            throw;
        }
    }

    /// <returns>Those that nobody can tell of yet: whoever writes their rows has not heard that they are there, and may hear that they are not held.</returns>
    private List<(Tenant Tenant, Guid Run)> Free(DbUnit db, List<(Tenant Tenant, Guid Run)> lost, Lease lease, long now)
    {
        // The heartbeat waits for whatever an earlier connection of this worker may still be writing under the lease.
        LeaseStore.Renew(db, lease.Id, now, now + (long)worker.Settings.LeaseTime.TotalMicroseconds);
        var open = new List<(Tenant Tenant, Guid Run)>();
        foreach (var (tenant, run) in lost)
        {
            // In this order: a run that comes is in memory before it is expected no more.
            if (_coming.ContainsKey(run)) open.Add((tenant, run));
            // One that was lost may have been claimed again since; what is held is never given back.
            else if (!worker.Holds(run)) RunStore.Free(db, tenant, run, lease.Id, now);
        }
        return open;
    }
}
