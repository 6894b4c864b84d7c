using Millrace.Engine.Holds;
using Millrace.Engine.Runs;
using Millrace.Storage;

namespace Millrace.Engine.Execution;

/// <summary>The right of this worker to write. Every write is fenced by it, and it is looked up once for each transaction.</summary>
/// <param name="id">The epoch: grows with every start of a worker.</param>
/// <param name="stands">Told by each transaction what it finds to stand.</param>
internal sealed class Lease(long id, Action<HoldMark>? stands = null)
{
    private long _transaction = -1;
    private bool _alive;

    public long Id => id;

    /// <summary>Called inside transactions that write, which come one after another.</summary>
    public bool IsAlive(DbUnit db)
    {
        if (db.Transaction == _transaction) return _alive;
        (_alive, var holds) = LeaseStore.Check(db, id);
        _transaction = db.Transaction;
        stands?.Invoke(holds);
        return _alive;
    }
}
