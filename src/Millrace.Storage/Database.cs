namespace Millrace.Storage;

/// <summary>One database: many readers, writes in groups.</summary>
public abstract class Database : IAsyncDisposable
{
    /// <summary>
    /// Runs <paramref name="read"/> on a snapshot. It opens no transaction that writes. It runs on the caller's thread when a
    /// connection is free. Cancelling interrupts a statement that is under way.
    /// </summary>
    public abstract Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default);

    /// <summary>
    /// Runs <paramref name="write"/> in a transaction that it may share with other writes (group commit). The task ends
    /// when the transaction is on disk (fsync). When <paramref name="write"/> throws, its own changes and nobody else's are
    /// undone; it may therefore run twice, so it must touch nothing but its unit and what it returns. Its continuation
    /// never holds up the writer.
    /// </summary>
    /// <param name="chain">When given, and an earlier write of the chain did not become durable, this one is refused.</param>
    /// <exception cref="StorageUnavailableException">The disk is full or refused a write or an fsync; nothing of it counts.</exception>
    /// <exception cref="BrokenChainException">An earlier write of the chain failed.</exception>
    public abstract Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null);

    /// <summary>
    /// The time by the clock that all processes go by which share this database, Unix microseconds; null where there is only one process,
    /// which goes by its own.
    /// </summary>
    public virtual Task<long?> ClockAsync(CancellationToken cancel = default) => Task.FromResult<long?>(null);

    /// <summary>
    /// Null while writes are accepted; otherwise why not. A recoverable fault ends with the next commit that reaches the
    /// disk: while it lasts, one write per short interval is tried and the others are refused at once.
    /// </summary>
    public abstract StorageFault? Fault { get; }

    /// <summary>A fault began, changed or ended (null). Raised on the thread pool, in order.</summary>
    public abstract event Action<StorageFault?>? FaultChanged;

    /// <summary>
    /// Applies missing migrations in order; refuses a database whose applied migrations differ from ours, or that is newer, unless each of the
    /// newer ones says that this build may work on it.
    /// </summary>
    /// <exception cref="MigrationException">Says which migration and why.</exception>
    public abstract Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default);

    public abstract ValueTask DisposeAsync();
}

/// <summary>
/// Writes that build upon each other, such as the records of one run: they are handed over without waiting, and when one of them
/// fails none of those behind it may count.
/// </summary>
public sealed class WriteChain
{
    private volatile bool _broken;

    public bool IsBroken => _broken;

    public void Break() => _broken = true;
}

/// <summary>An earlier write of the same <see cref="WriteChain"/> failed, so this one does not count.</summary>
public sealed class BrokenChainException() : Exception("An earlier write that this one builds upon failed.");

/// <param name="Code"><c>storage.full</c>, <c>storage.fsync_failed</c> or <c>storage.io</c>.</param>
/// <param name="Recoverable">True when writes are tried again by themselves (space may come back); false when only a restart re-reads what the disk really holds.</param>
public sealed record StorageFault(string Code, string Detail, bool Recoverable)
{
    public const string Full = "storage.full";
    public const string FsyncFailed = "storage.fsync_failed";
    public const string Io = "storage.io";
}

public sealed class StorageUnavailableException(StorageFault fault) : Exception($"{fault.Code}: {fault.Detail}")
{
    public StorageFault Fault { get; } = fault;
}

/// <param name="Applied">The last migration the database has.</param>
/// <param name="Known">The last one this build knows; less than <paramref name="Applied"/> while a newer build shares the database, or did.</param>
public sealed record DatabaseVersion(int Applied, int Known);

public sealed class MigrationException(string message) : Exception(message);

/// <summary>The data file is open in another process, or in another place of this one.</summary>
public sealed class DatabaseInUseException(string message) : Exception(message);

public enum StatementFailure
{
    /// <summary>A unique index or a primary key already holds the value.</summary>
    Duplicate,

    /// <summary>A row that is referred to is absent, or one that is referred to would vanish.</summary>
    ForeignKey,

    /// <summary>Another constraint: not null, check, a trigger's refusal.</summary>
    Constraint,

    /// <summary>Everything else, such as a mistake in the text of the statement.</summary>
    Other,
}

/// <summary>The database refused a statement; nothing of that statement took effect.</summary>
public sealed class StatementException(StatementFailure failure, string message, string sql)
    : Exception($"{message} in: {sql}")
{
    public StatementFailure Failure { get; } = failure;
    public string Sql { get; } = sql;
}
