using Millrace.Storage.Writes;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>What PostgreSQL's error codes (manual, appendix A) mean to the callers of <see cref="Database"/>.</summary>
internal static class PostgresError
{
    /// <summary>An exception of the driver as the storage's own.</summary>
    /// <param name="reads">On a connection that only reads: that it cannot write is then its nature, not a server that has become a standby.</param>
    public static Exception Of(Exception e, string sql, bool reads = false) => e switch
    {
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } refused when reads => new StatementException(StatementFailure.Other, refused.MessageText, sql),
        PostgresException { SqlState: var state } refused when FaultOf(state, refused.MessageText) is { } fault => new StorageUnavailableException(fault),
        PostgresException { SqlState: var state } lost when IsLost(state) => new TransactionLostException($"{lost.MessageText} ({state})", lost),
        PostgresException refused => new StatementException(FailureOf(refused.SqlState), $"{refused.MessageText} ({refused.SqlState})", sql),
        NpgsqlException or IOException or ObjectDisposedException or TimeoutException => new TransactionLostException(e.Message, e),
        _ => e,
    };

    public static StorageFault Away(Exception e) => new(StorageFault.Io, $"The database does not answer: {e.Message}", Recoverable: true);

    private static StorageFault? FaultOf(string state, string message) => state switch
    {
        PostgresErrorCodes.DiskFull => new StorageFault(StorageFault.Full, message, Recoverable: true),
        PostgresErrorCodes.IoError or PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => new StorageFault(StorageFault.Io, message, Recoverable: true),
        PostgresErrorCodes.InsufficientPrivilege => new StorageFault(StorageFault.Io, message, Recoverable: true),
        _ => null,
    };

    /// <summary>Deadlocks and conflicts, a server that stops, starts or has become a standby, and connections that broke: none is the statement's fault.</summary>
    private static bool IsLost(string state) =>
        state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("40", StringComparison.Ordinal)
        || state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("25", StringComparison.Ordinal)
        || state is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable;

    private static StatementFailure FailureOf(string state) => state switch
    {
        PostgresErrorCodes.UniqueViolation => StatementFailure.Duplicate,
        PostgresErrorCodes.ForeignKeyViolation => StatementFailure.ForeignKey,
        _ => state.StartsWith("23", StringComparison.Ordinal) ? StatementFailure.Constraint : StatementFailure.Other,
    };
}
