using SQLitePCL;
using Millrace.Storage.Writes;

namespace Millrace.Storage.Sqlite;

/// <summary>
/// Folds the write-ahead log into the data file on its own thread, so that no commit pays for it. Under steady load the log
/// never empties that way, since pages arrive while it is folded; the writer therefore folds the short rest between two
/// groups and restarts the log, which keeps the file at about <see cref="SqliteOptions.CheckpointPages"/>. Where the thread cannot
/// keep up at all, the writer waits for it at four times that size. Only a read that does not end lets the log grow further.
/// Where there are no threads, the pool folds.
/// </summary>
internal sealed class SqliteCheckpointer : IThreadPoolWorkItem, IDisposable
{
    private const int PassesMax = 4;
    private const int RestPages = 256;
    private const int FirstWaitMs = 4;
    private const int WaitMsMost = 100;
    private const int ForcedTimes = 4;

    private readonly SqliteConnection _connection;
    private readonly FaultGate _gate;
    private readonly SqliteOptions _options;
    private readonly Lock _folding = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Thread? _thread;
    private volatile bool _restartDue;
    private volatile bool _closing;

    // Of whoever writes only.
    private int _pages;
    private int _askAt;
    private int _forceAt;
    private bool _asked;
    private int _waitMs = FirstWaitMs;

    public SqliteCheckpointer(SqliteConnection connection, FaultGate gate, SqliteOptions options)
    {
        _connection = connection;
        _gate = gate;
        _options = options;
        _askAt = options.CheckpointPages;
        _forceAt = options.CheckpointPages * ForcedTimes;
        if (!options.Pool.HasThreads) return;
        _thread = new Thread(Loop) { IsBackground = true, Name = "sqlite checkpoint" };
        _thread.Start();
    }

    /// <summary>The writer has committed so many pages.</summary>
    public void Written(int pages)
    {
        _pages += pages;
        if (_asked || _pages < _askAt) return;
        _asked = true;
        if (_thread is null) _options.Pool.Queue(this);
        else _wake.Release();
    }

    /// <summary>Called by the writer between groups; does nothing unless the log has just been folded or has become far too long.</summary>
    public void RestartLog(SqliteConnection writer)
    {
        if (!_restartDue && _pages < _forceAt) return;
        _restartDue = false;
        _asked = false;
        if (_gate.Fault is { Recoverable: false }) return;
        writer.SetBusyTimeout(_waitMs);
        var done = Fold(writer, raw.SQLITE_CHECKPOINT_RESTART) is { Complete: true };
        writer.SetBusyTimeout(_options.BusyTimeoutMs);
        if (done)
        {
            _pages = 0;
            _askAt = _options.CheckpointPages;
            _forceAt = _options.CheckpointPages * ForcedTimes;
            _waitMs = FirstWaitMs;
            return;
        }

        // A long read holds the log. The longer the log, the longer the writer waits for that read to end, but the more seldom:
        // most of the time is spent writing, however long the read.
        _askAt = _pages + (Math.Max(_pages, _options.CheckpointPages) / 4);
        _forceAt = Math.Max(_forceAt, _askAt);
        _waitMs = Math.Min(_waitMs * 2, WaitMsMost);
    }

    /// <summary>Folds all of the log and empties its file, unless a fault forbids touching it.</summary>
    public void Dispose()
    {
        _closing = true;
        _wake.Release();
        _thread?.Join();
        if (_gate.Fault is { Recoverable: false }) _connection.KeepLogOnClose();
        else Fold(_connection, raw.SQLITE_CHECKPOINT_TRUNCATE);
        _connection.Dispose();
        _wake.Dispose();
    }

    /// <summary>Folds until only a short rest is left, which the writer folds.</summary>
    public void Execute()
    {
        if (_closing) return;
        for (var pass = 0; pass < PassesMax; pass++)
        {
            if (_gate.Fault is { Recoverable: false }) break;
            if (Fold(_connection, raw.SQLITE_CHECKPOINT_PASSIVE) is not { } log || log.Pages - log.Folded <= RestPages) break;
        }

        _restartDue = true;
    }

    private void Loop()
    {
        while (true)
        {
            _wake.Wait();
            if (_closing) return;
            Execute();
        }
    }

    private Checkpoint? Fold(SqliteConnection connection, int mode)
    {
        try
        {
            // SQLite refuses a second checkpoint at once instead of waiting for the first.
            lock (_folding)
            {
                connection.ForgetFault();
                return connection.Checkpoint(mode);
            }
        }
        catch (StorageUnavailableException e)
        {
            // A full disk is met by the next write, if it needs space at all; the log stays and is folded later.
            if (!e.Fault.Recoverable) _gate.Raise(e.Fault);
            return null;
        }
    }
}
