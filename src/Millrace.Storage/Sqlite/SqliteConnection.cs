using System.Text;
using SQLitePCL;

namespace Millrace.Storage.Sqlite;

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class SqliteConnection : IDisposable
{
    private const int NoCheckpointOnClose = 1006;
    private const int CacheWrites = 9;
    private const int DeferredForeignKeys = 10;
    private const int OperationsPerCheck = 2_000;

    private readonly sqlite3 _handle;
    private readonly bool _readsOnly;
    private readonly SqliteStatements _statements;

    private SqliteConnection(sqlite3 handle, bool readsOnly)
    {
        _handle = handle;
        _readsOnly = readsOnly;
        _statements = new SqliteStatements(this);
    }

    public static SqliteConnection Open(string path, SqliteOptions options, bool readsOnly)
    {
        var code = raw.sqlite3_open_v2(
            path, out var handle, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, options.FileLayer);
        var connection = new SqliteConnection(handle, readsOnly);
        try
        {
            if (code != raw.SQLITE_OK) throw connection.Refusal($"open {path}");
            connection.SetBusyTimeout(options.BusyTimeoutMs);
            connection.Settle(options);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What a call since the last <see cref="ForgetFault"/> met.</summary>
    public StorageFault? Fault { get; private set; }

    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;
    public long LastInsertedRow => raw.sqlite3_last_insert_rowid(_handle);

    /// <summary>Rows changed since the connection was opened; only a difference has a meaning, since it wraps.</summary>
    public int TotalChanges => raw.sqlite3_total_changes(_handle);
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>The transaction holds references that nothing satisfies yet; its commit would be refused.</summary>
    public bool HasDanglingReferences
    {
        get
        {
            raw.sqlite3_db_status(_handle, DeferredForeignKeys, out var dangling, out _, 0);
            return dangling != 0;
        }
    }

    public SqliteStatement Take(string sql) => _statements.Take(sql);

    public SqliteStatement Prepare(ReadOnlySpan<byte> utf8, string sql, out ReadOnlySpan<byte> rest)
    {
        const uint Persistent = 1;
        if (raw.sqlite3_prepare_v3(_handle, utf8, Persistent, out var statement, out rest) != raw.SQLITE_OK) throw Refusal(sql);
        return new SqliteStatement(this, statement, sql);
    }

    /// <summary>Runs every statement of <paramref name="script"/>; none may have parameters.</summary>
    public void Run(string script)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(script + '\0');
        while (rest.Length > 1)
        {
            using var statement = Prepare(rest, script, out rest);
            if (statement.IsEmpty) continue;
            while (statement.Step()) { }
        }
    }

    /// <summary>Runs a statement without parameters or rows, from the cache.</summary>
    public void Execute(string sql)
    {
        var statement = Take(sql);
        try
        {
            statement.Step();
        }
        finally
        {
            statement.Release();
        }
    }

    public string Text(string sql)
    {
        using var statement = Prepare(Encoding.UTF8.GetBytes(sql + '\0'), sql, out _);
        return statement.Step() ? statement.Row.Text(0) : throw new InvalidOperationException($"No row from: {sql}");
    }

    /// <summary>Pages written by commits since this was last asked.</summary>
    public int TakePagesWritten()
    {
        raw.sqlite3_db_status(_handle, CacheWrites, out var pages, out _, 1);
        return pages;
    }

    /// <param name="mode">One of SQLITE_CHECKPOINT_*.</param>
    public Checkpoint Checkpoint(int mode)
    {
        var code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", mode, out var pages, out var folded);
        if (code is not (raw.SQLITE_OK or raw.SQLITE_BUSY or raw.SQLITE_LOCKED)) throw Refusal("checkpoint");
        return new Checkpoint(code == raw.SQLITE_OK, pages, folded);
    }

    public void SetBusyTimeout(int timeoutMs) => raw.sqlite3_busy_timeout(_handle, timeoutMs);

    /// <summary>
    /// Statements end with <see cref="OperationCanceledException"/> when this is cancelled. It is asked for every few
    /// microseconds of work, because sqlite3_interrupt has no effect on a statement that is just about to start.
    /// </summary>
    public CancellationToken Cancel { get; set; }

    /// <summary>After a refused fsync the log must stay as it is: closing must not fold it into the data file.</summary>
    public void KeepLogOnClose() => raw.sqlite3_db_config(_handle, NoCheckpointOnClose, 1, out _);

    /// <summary>The exception for the call that just failed.</summary>
    public Exception Refusal(string sql)
    {
        var code = raw.sqlite3_extended_errcode(_handle);
        var message = raw.sqlite3_errmsg(_handle).utf8_to_string();
        if ((code & 0xff) == raw.SQLITE_INTERRUPT) return new OperationCanceledException(message);
        if (_readsOnly && (code & 0xff) == raw.SQLITE_READONLY) return new StatementException(StatementFailure.Other, "A read may not write", sql);
        if (SqliteError.FaultOf(code, message) is not { } fault) return new StatementException(SqliteError.FailureOf(code), message, sql);
        Fault = fault;
        return new StorageUnavailableException(fault);
    }

    public void ForgetFault() => Fault = null;

    public void Dispose()
    {
        _statements.Dispose();
        _handle.manual_close_v2();
    }

    private void Settle(SqliteOptions options)
    {
        // The log is folded by the checkpointer, off the path of commits.
        Run($"""
            pragma wal_autocheckpoint=0;
            pragma synchronous=full;
            pragma fullfsync=on;
            pragma checkpoint_fullfsync=on;
            pragma foreign_keys=on;
            pragma mmap_size=0;
            pragma temp_store=memory;
            pragma secure_delete=fast;
            pragma trusted_schema=off;
            pragma journal_size_limit={4096L * 2 * options.CheckpointPages};
            pragma cache_size=-{(_readsOnly ? options.CacheKiB / 4 : options.CacheKiB)};
            """);
        if (options.PagesMax is { } pages) Run($"pragma max_page_count={pages}");
        if (!_readsOnly) return;
        Run("pragma query_only=on");
        raw.sqlite3_progress_handler(_handle, OperationsPerCheck, _ => Cancel.IsCancellationRequested ? 1 : 0, null);
    }
}

/// <param name="Complete">False when another connection stood in the way.</param>
/// <param name="Pages">Pages in the log.</param>
/// <param name="Folded">Of them, pages already in the data file.</param>
internal readonly record struct Checkpoint(bool Complete, int Pages, int Folded);
