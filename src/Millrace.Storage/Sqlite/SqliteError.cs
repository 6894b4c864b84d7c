using SQLitePCL;

namespace Millrace.Storage.Sqlite;

/// <summary>What SQLite's result codes (https://sqlite.org/rescode.html) mean to the callers of <see cref="Database"/>.</summary>
internal static class SqliteError
{
    private const int ConstraintForeignKey = raw.SQLITE_CONSTRAINT | (3 << 8);
    private const int ConstraintPrimaryKey = raw.SQLITE_CONSTRAINT | (6 << 8);
    private const int ConstraintUnique = raw.SQLITE_CONSTRAINT | (8 << 8);
    private const int ConstraintRowId = raw.SQLITE_CONSTRAINT | (10 << 8);
    private const int IoFsync = raw.SQLITE_IOERR | (4 << 8);
    private const int IoDirectoryFsync = raw.SQLITE_IOERR | (5 << 8);
    private const int IoSharedMemorySize = raw.SQLITE_IOERR | (19 << 8);

    /// <summary>A fault of the disk or the file, or null when the statement or its values are at fault.</summary>
    public static StorageFault? FaultOf(int code, string message)
    {
        var detail = $"{message} (SQLite code {code})";
        switch (code)
        {
            // The shared index of the log is grown by writing to it: it has no space, and nothing of the data was touched.
            case raw.SQLITE_FULL or IoSharedMemorySize:
                return new StorageFault(StorageFault.Full, detail, Recoverable: true);
            case IoFsync or IoDirectoryFsync:
                return new StorageFault(StorageFault.FsyncFailed, detail, Recoverable: false);
        }

        return (code & 0xff) switch
        {
            raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_READONLY
                => new StorageFault(StorageFault.Io, detail, Recoverable: false),
            raw.SQLITE_BUSY or raw.SQLITE_CANTOPEN or raw.SQLITE_NOMEM or raw.SQLITE_PROTOCOL
                => new StorageFault(StorageFault.Io, detail, Recoverable: true),
            _ => null,
        };
    }

    public static StatementFailure FailureOf(int code) => code switch
    {
        ConstraintPrimaryKey or ConstraintUnique or ConstraintRowId => StatementFailure.Duplicate,
        ConstraintForeignKey => StatementFailure.ForeignKey,
        _ => (code & 0xff) == raw.SQLITE_CONSTRAINT ? StatementFailure.Constraint : StatementFailure.Other,
    };
}
