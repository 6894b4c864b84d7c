namespace Millrace.Storage;

/// <summary>One database: many readers, writes in groups.</summary>
public abstract class Database : IAsyncDisposable
{
    /// <summary>Runs <paramref name="read"/> on a snapshot. It opens no transaction that writes.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default);

    /// <summary>
    /// Runs <paramref name="write"/> in a transaction that it may share with other writes (group commit). The task ends
    /// when the transaction is on disk (fsync). When <paramref name="write"/> throws, its own changes and nobody else's are
    /// undone; it may therefore run twice, so it must touch nothing but its unit and what it returns. Its continuation does
    /// not run on the writer's thread.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The disk is full or refused a write or an fsync; nothing of it counts.</exception>
    public abstract Task<T> WriteAsync<T>(Func<DbUnit, T> write);

    /// <summary>Null while writes are accepted; otherwise why not.</summary>
    public abstract StorageFault? Fault { get; }

    /// <summary>Applies missing migrations in order; refuses a database that is newer or whose applied migrations differ from ours.</summary>
    /// <exception cref="MigrationException">Says which migration and why.</exception>
    public abstract Task MigrateAsync(CancellationToken cancel = default);

    public abstract ValueTask DisposeAsync();
}

/// <param name="Code"><c>storage.full</c>, <c>storage.fsync_failed</c> or <c>storage.io</c>.</param>
/// <param name="Recoverable">True when writes are tried again by themselves (space may come back); false when only a restart re-reads what the disk really holds.</param>
public sealed record StorageFault(string Code, string Detail, bool Recoverable);

public sealed class StorageUnavailableException(StorageFault fault) : Exception($"{fault.Code}: {fault.Detail}")
{
    public StorageFault Fault { get; } = fault;
}

public sealed class MigrationException(string message) : Exception(message);
