namespace Millrace.Storage.Sqlite;

/// <summary>Connections for reading, opened when first needed and kept.</summary>
internal sealed class SqliteReaders(string path, SqliteOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _free = new(options.ReadersMax);
    private readonly Stack<Reader> _idle = new(options.ReadersMax);
    private bool _closed;

    public async Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed), typeof(Database));
        await _free.WaitAsync(cancel);
        try
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed), typeof(Database));
            var reader = Take();
            try
            {
                return Read(reader, read, cancel);
            }
            finally
            {
                lock (_idle) _idle.Push(reader);
            }
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Waits for the reads that are under way.</summary>
    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _closed, true);
        for (var i = 0; i < options.ReadersMax; i++) await _free.WaitAsync();
        foreach (var reader in _idle) reader.Connection.Dispose();
        _free.Release(options.ReadersMax);
    }

    private static T Read<T>(Reader reader, Func<DbUnit, T> read, CancellationToken cancel)
    {
        var connection = reader.Connection;
        connection.ForgetFault();
        connection.Execute("begin");
        connection.Cancel = cancel;
        reader.Unit.Enter();
        try
        {
            var result = read(reader.Unit);
            reader.Unit.CheckNotRefused();
            return result;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        finally
        {
            connection.Cancel = default;
            reader.Unit.Leave();
            if (connection.InTransaction) connection.Execute("rollback");
        }
    }

    private Reader Take()
    {
        lock (_idle)
        {
            if (_idle.TryPop(out var reader)) return reader;
        }

        return new Reader(SqliteConnection.Open(path, options, readsOnly: true));
    }

    private sealed class Reader(SqliteConnection connection)
    {
        public SqliteConnection Connection { get; } = connection;
        public SqliteUnit Unit { get; } = new(connection);
    }
}
