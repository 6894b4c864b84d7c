using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Storage.Writes;

/// <summary>
/// Takes every write that has gathered, runs them in one transaction, commits once, and then answers them all. While it
/// commits, the next group gathers: a lone write waits for nothing, and many share the price of one fsync.
/// </summary>
internal sealed class GroupWriter : IDisposable
{
    private const int UnitsMax = 4_096;
    private const long BytesMax = 8 << 20;

    /// <summary>How often in succession a group's transaction may be lost.</summary>
    private const int LostMax = 20;

    private readonly WriteSession _session;
    private readonly FaultGate _gate;
    private readonly WriteQueue _queue = new();
    private readonly WriteTurn _turn;
    private readonly List<QueuedWrite> _ready = [];
    private int _guarded;

    public GroupWriter(WriteSession session, FaultGate gate, string name, WorkPool pool)
    {
        _session = session;
        _gate = gate;
        _turn = new WriteTurn(_queue, name, pool, WriteAll);
    }

    public Task<T> Add<T>(Func<DbUnit, T> write, WriteChain? chain)
    {
        var passage = _gate.Ask(out var fault);
        if (passage == Passage.Refused)
        {
            chain?.Break();
            return Task.FromException<T>(new StorageUnavailableException(fault!));
        }

        var queued = new QueuedWrite<T>(write) { IsProbe = passage == Passage.Probe, Chain = chain };
        _queue.Add(queued);
        _turn.Ask();
        return queued.Task;
    }

    /// <summary>Finishes what was accepted and stops.</summary>
    public void Dispose()
    {
        var left = _queue.Close();
        _turn.Dispose();
        _ready.AddRange(left);
        WriteReady();
        _session.Dispose();
    }

    private void WriteAll()
    {
        _queue.TakeAll(_ready);
        WriteReady();
    }

    private void WriteReady()
    {
        var ready = CollectionsMarshal.AsSpan(_ready);
        var done = 0;
        while (done < ready.Length)
        {
            if (_gate.Fault is { } fault) done += Refuse(ready[done..], fault);
            var rest = ready[done..];
            done += WriteGroup(rest[..Math.Min(rest.Length, UnitsMax)]);
            _session.Maintain();
        }

        _ready.Clear();
    }

    /// <summary>Refuses the writes before the next probe.</summary>
    private static int Refuse(ReadOnlySpan<QueuedWrite> writes, StorageFault fault)
    {
        var count = 0;
        while (count < writes.Length && !(fault.Recoverable && writes[count].IsProbe)) count++;
        foreach (var write in writes[..count]) Refuse(write, new StorageUnavailableException(fault));
        Answer(writes[..count]);
        return count;
    }

    private static void Refuse(QueuedWrite write, Exception reason)
    {
        write.Refusal = reason;
        write.Chain?.Break();
    }

    /// <returns>How many of them were answered.</returns>
    private int WriteGroup(ReadOnlySpan<QueuedWrite> writes)
    {
        if (writes.IsEmpty) return 0;
        var count = writes.Length;
        var begun = Stopwatch.GetTimestamp();
        try
        {
            count = CommitUnits(writes);
            StorageMetrics.CommitDuration.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            StorageMetrics.CommitWrites.Record(count);
        }
        catch (StorageUnavailableException e)
        {
            Fail(writes[..count], e.Fault);
        }
        catch (Exception e)
        {
            // A broken promise of the driver: nothing is known of this transaction, so nothing of it counts.
            Fail(writes[..count], new StorageFault(StorageFault.Io, $"The group could not be written: {e}", Recoverable: true));
        }

        Answer(writes[..count]);
        return count;
    }

    private void Fail(ReadOnlySpan<QueuedWrite> writes, StorageFault fault)
    {
        try
        {
            _session.Rollback();
        }
        catch (Exception e)
        {
            fault = new StorageFault(StorageFault.Io, $"{fault.Detail}; and then it could not be undone: {e.Message}", Recoverable: false);
        }

        StorageMetrics.CommitFailures.Add(1, new KeyValuePair<string, object?>("code", fault.Code));
        _gate.Raise(fault);
        foreach (var write in writes) Refuse(write, new StorageUnavailableException(fault));
    }

    /// <returns>How many were written; fewer than given when the group grew too large.</returns>
    private int CommitUnits(ReadOnlySpan<QueuedWrite> writes)
    {
        for (var lost = 0; ; lost++)
        {
            try
            {
                var count = RunUnits(writes);
                var changed = _session.HasChanges;
                _session.Commit();
                if (changed) _gate.Recover();
                return count;
            }
            catch (GroupRefusedException)
            {
                // Whose statement it was shows when each unit is guarded.
                _session.Rollback();
                _guarded = Math.Max(1, _session.GuardedGroups);
            }
            catch (TransactionLostException e)
            {
                // Nothing of it counts, and it is worth doing again; but not for ever.
                if (lost == LostMax) throw new StorageUnavailableException(new StorageFault(StorageFault.Io, e.Message, Recoverable: true));
                _session.Rollback();
            }
        }
    }

    /// <returns>How many ran; fewer than given when the group grew too large.</returns>
    private int RunUnits(ReadOnlySpan<QueuedWrite> writes)
    {
        _session.Begin();
        if (_guarded == 0)
        {
            if (TryRunUnguarded(writes, out var count)) return count;
            _session.Rollback();
            _session.Begin();
            _guarded = _session.GuardedGroups;
        }

        _guarded--;
        return RunGuarded(writes);
    }

    /// <returns>False when a unit threw after it had changed something, which can only be undone with the whole group.</returns>
    private bool TryRunUnguarded(ReadOnlySpan<QueuedWrite> writes, out int count)
    {
        for (count = 0; count < writes.Length && _session.BytesBound < BytesMax; count++)
        {
            var write = writes[count];
            if (Run(write) && write.Refusal is not null) return false;
            if (write.Refusal is not null) write.Chain?.Break();
        }

        return true;
    }

    private int RunGuarded(ReadOnlySpan<QueuedWrite> writes)
    {
        var count = 0;
        for (; count < writes.Length && _session.BytesBound < BytesMax; count++)
        {
            var write = writes[count];
            _session.SetSavepoint();
            if (Run(write) && write.Refusal is not null) _session.RollbackToSavepoint();
            _session.ReleaseSavepoint();
            if (write.Refusal is not null) write.Chain?.Break();
        }

        return count;
    }

    /// <returns>True when the unit has changed something.</returns>
    private bool Run(QueuedWrite write)
    {
        if (write.Chain is { IsBroken: true })
        {
            // Kept when it is this one's own, from before the transaction was lost.
            write.Refusal ??= new BrokenChainException();
            return false;
        }

        write.Refusal = null;
        bool changed;
        _session.Enter();
        try
        {
            write.Run(_session.Unit);
            _session.CheckUnit();
        }
        catch (Exception e) when (e is not TransactionLostException and not GroupRefusedException)
        {
            write.Refusal = e;
        }
        finally
        {
            changed = _session.Leave();
        }

        if (_session.Broken is { } fault) throw new StorageUnavailableException(fault);
        return changed;
    }

    private static void Answer(ReadOnlySpan<QueuedWrite> writes)
    {
        foreach (var write in writes) write.Complete();
    }
}
