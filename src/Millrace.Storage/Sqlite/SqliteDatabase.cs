using SQLitePCL;
using Millrace.Storage.Files;
using Millrace.Storage.Migrations;
using Millrace.Storage.Writes;

namespace Millrace.Storage.Sqlite;

/// <summary>
/// A database in one file: write-ahead log, every commit fsynced, one writer with group commit, several readers. One
/// process at a time: <c>&lt;path&gt;.lock</c> is locked as long as it is open.
/// </summary>
public sealed class SqliteDatabase : Database
{
    private readonly FileLock? _lock;
    private readonly FaultGate _gate;
    private readonly SqliteCheckpointer _checkpointer;
    private readonly SqliteReaders _readers;
    private readonly GroupWriter _writer;
    private readonly SqliteOptions _options;
    private int _disposed;

    private SqliteDatabase(string path, SqliteOptions options, FileLock? fileLock, SqliteConnection writer, SqliteConnection checkpoints)
    {
        Path = path;
        _options = options;
        _lock = fileLock;
        _gate = new FaultGate(options.Time, TimeSpan.FromMilliseconds(options.ProbeIntervalMs), options.Pool);
        _checkpointer = new SqliteCheckpointer(checkpoints, _gate, options);
        _readers = new SqliteReaders(path, options);
        _writer = new GroupWriter(new SqliteWriteSession(writer, _checkpointer), _gate, "sqlite write", options.Pool);
    }

    /// <summary>The data file's full path, symbolic links followed.</summary>
    public string Path { get; }

    public override StorageFault? Fault => _gate.Fault;

    public override event Action<StorageFault?>? FaultChanged
    {
        add => _gate.Changed += value;
        remove => _gate.Changed -= value;
    }

    /// <summary>Opens the data file, or creates it together with its folder.</summary>
    /// <exception cref="DatabaseInUseException">Another process has it open.</exception>
    /// <exception cref="StorageUnavailableException">The file cannot be read or written, or is no database.</exception>
    /// <exception cref="DllNotFoundException">The system has no SQLite, or too old a one.</exception>
    public static SqliteDatabase Open(string path, SqliteOptions? options = null)
    {
        options ??= new SqliteOptions();
        options.Check();
        SqliteLibrary.Bind();
        FileLock? fileLock = null;
        if (options.FileLayer is null)
        {
            path = DurableFolder.Resolve(path);
            DurableFolder.Create(System.IO.Path.GetDirectoryName(path)!);
            fileLock = FileLock.Take($"{path}.lock", $"The database {path}");
        }

        SqliteConnection? writer = null;
        try
        {
            writer = SqliteConnection.Open(path, options, readsOnly: false);
            Prepare(writer, path);
            return new SqliteDatabase(path, options, fileLock, writer, SqliteConnection.Open(path, options, readsOnly: false));
        }
        catch
        {
            writer?.KeepLogOnClose();
            writer?.Dispose();
            fileLock?.Dispose();
            throw;
        }
    }

    public override Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel = default) => _readers.ReadAsync(read, cancel);

    public override Task<T> WriteAsync<T>(Func<DbUnit, T> write, WriteChain? chain = null) => _writer.Add(write, chain);

    public override Task<DatabaseVersion> MigrateAsync(CancellationToken cancel = default) =>
        MigrateAsync(MigrationSet.OfAssembly("migrations/sqlite/"), cancel);

    /// <summary>Finishes the writes that were accepted, folds the log into the data file and gives up the lock.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _readers.DisposeAsync();
        if (_options.Pool.HasThreads) await Task.Factory.StartNew(Close, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        else Close();
    }

    internal Task<DatabaseVersion> MigrateAsync(MigrationSet migrations, CancellationToken cancel) =>
        migrations.ApplyAsync(this, _options.Time, cancel);

    private void Close()
    {
        _writer.Dispose();
        _checkpointer.Dispose();
        _lock?.Dispose();
    }

    private static void Prepare(SqliteConnection writer, string path)
    {
        writer.Run("pragma journal_mode=wal");
        if (writer.Text("pragma journal_mode") != "wal")
            throw new StorageUnavailableException(new StorageFault(
                StorageFault.Io, $"{path} is on a file system that cannot hold a write-ahead log (shared memory is missing).", Recoverable: false));

        // Where an earlier process was refused an fsync, the log in memory may say more than the log on disk. Folding it writes
        // its pages to the data file anew, so that what is read from here on is on disk.
        try
        {
            writer.Checkpoint(raw.SQLITE_CHECKPOINT_RESTART);
        }
        catch (StorageUnavailableException e) when (e.Fault.Code == StorageFault.Full)
        {
            // No space to fold it now: it can still be read, and is folded when there is space.
        }

        writer.ForgetFault();
    }
}
