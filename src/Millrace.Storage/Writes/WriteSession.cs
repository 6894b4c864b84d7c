namespace Millrace.Storage.Writes;

/// <summary>What the group writer needs of a database: one connection that writes. It is used by one thread at a time, but not always by the same. A driver's exceptions leave it as declared by <see cref="Database"/>.</summary>
internal abstract class WriteSession : IDisposable
{
    public abstract DbUnit Unit { get; }

    /// <summary>Why the open transaction can no longer be committed, although no call may have said so.</summary>
    public abstract StorageFault? Broken { get; }

    /// <summary>The open transaction has changed something since it began.</summary>
    public abstract bool HasChanges { get; }

    /// <summary>Bytes given to statements since the transaction began.</summary>
    public abstract long BytesBound { get; }

    /// <summary>After a refusal that undid a group, this many groups guard each unit from the start.</summary>
    public abstract int GuardedGroups { get; }

    /// <summary>Begins a transaction that writes.</summary>
    public abstract void Begin();

    /// <summary>Returns when the transaction is on disk.</summary>
    public abstract void Commit();

    /// <summary>Undoes the transaction; does nothing when there is none.</summary>
    public abstract void Rollback();

    /// <summary>Says that a unit's function is about to run.</summary>
    public abstract void Enter();

    /// <summary>Says that it has ended.</summary>
    /// <returns>True when the unit has changed something.</returns>
    public abstract bool Leave();

    /// <summary>Refuses what would only be found at commit, where it could no longer be told whose it is.</summary>
    public abstract void CheckUnit();

    public abstract void SetSavepoint();
    public abstract void ReleaseSavepoint();
    public abstract void RollbackToSavepoint();

    /// <summary>Called between transactions.</summary>
    public abstract void Maintain();

    public abstract void Dispose();
}

/// <summary>The transaction is gone for a reason that lies in none of its units, nothing of it counts, and it is worth doing again.</summary>
internal sealed class TransactionLostException(string reason, Exception? cause = null) : Exception(reason, cause);

/// <summary>A statement that several units share was refused; the transaction must be undone, and each unit asked by itself.</summary>
internal sealed class GroupRefusedException(string reason) : Exception(reason);
