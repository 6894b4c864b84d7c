using Millrace.Storage.Writes;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>Connections for reading: each read is one snapshot (<c>repeatable read, read only</c>).</summary>
internal sealed class PostgresReaders(NpgsqlConnectionStringBuilder settings, PostgresOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _free = new(options.ReadersMax);
    private readonly Stack<Reader> _idle = new(options.ReadersMax);
    private readonly string _settings = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
    {
        Pooling = false,
        Options = $"{settings.Options} -c default_transaction_read_only=on",
    }.ConnectionString;

    private bool _closed;

    public async Task<T> ReadAsync<T>(Func<DbUnit, T> read, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed), typeof(Database));
        await _free.WaitAsync(cancel);
        var ending = Task.CompletedTask;
        try
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _closed), typeof(Database));
            return Read(read, ref ending, cancel);
        }
        finally
        {
            if (ending.IsCompleted) _free.Release();
            else _ = ending.ContinueWith(static (_, free) => ((SemaphoreSlim)free!).Release(), _free, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _closed, true);
        for (var i = 0; i < options.ReadersMax; i++) await _free.WaitAsync();
        foreach (var reader in _idle) reader.Connection.Dispose();
        _free.Release(options.ReadersMax);
    }

    /// <summary>A connection that broke while it lay idle is no reason to refuse: a fresh one is asked once.</summary>
    private T Read<T>(Func<DbUnit, T> read, ref Task ending, CancellationToken cancel)
    {
        for (var fresh = false; ; fresh = true)
        {
            var reader = Take(ref fresh);
            NpgsqlTransaction? transaction = null;
            try
            {
                // Sent together with the first statement.
                transaction = reader.Connection.Inner.BeginTransaction(System.Data.IsolationLevel.RepeatableRead);
                var result = Read(reader, read, cancel);
                ending = EndAsync(reader, transaction);
                return result;
            }
            catch (TransactionLostException) when (!fresh && !cancel.IsCancellationRequested)
            {
                reader.Connection.Dispose();
            }
            catch (TransactionLostException e)
            {
                reader.Connection.Dispose();
                cancel.ThrowIfCancellationRequested();
                throw new StorageUnavailableException(PostgresError.Away(e));
            }
            catch
            {
                if (reader.Connection.IsOpen && transaction is not null) ending = EndAsync(reader, transaction);
                else reader.Connection.Dispose();
                throw;
            }
        }
    }

    /// <summary>Ends the transaction behind the back of whoever has what was read already.</summary>
    private async Task EndAsync(Reader reader, NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.DisposeAsync();
            lock (_idle) _idle.Push(reader);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            reader.Connection.Dispose();
        }
    }

    private static T Read<T>(Reader reader, Func<DbUnit, T> read, CancellationToken cancel)
    {
        reader.Unit.Begin(reader.Connection);
        reader.Unit.Enter();
        using var interruption = cancel.UnsafeRegister(static connection => ((NpgsqlConnection)connection!).CancelRunning(), reader.Connection.Inner);
        try
        {
            var result = read(reader.Unit);
            reader.Unit.CheckNotRefused();
            return result;
        }
        finally
        {
            reader.Unit.Leave();
        }
    }

    private Reader Take(ref bool fresh)
    {
        if (!fresh)
        {
            lock (_idle)
            {
                while (_idle.TryPop(out var idle))
                {
                    if (idle.Connection.IsOpen) return idle;
                    idle.Connection.Dispose();
                }
            }
        }

        fresh = true;
        var connection = new NpgsqlConnection(_settings);
        try
        {
            connection.Open();
            return new Reader(new PostgresConnection(connection, reads: true));
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
        {
            connection.Dispose();
            throw new StorageUnavailableException(PostgresError.Away(e));
        }
    }

    private sealed class Reader(PostgresConnection connection)
    {
        public PostgresConnection Connection { get; } = connection;
        public PostgresUnit Unit { get; } = new();
    }
}

internal static class PostgresCancellation
{
    /// <summary>Asks the server to give up what the connection is doing.</summary>
    public static void CancelRunning(this NpgsqlConnection connection)
    {
        using var control = new NpgsqlConnection(connection.ConnectionString);
        try
        {
            control.Open();
            using var command = new NpgsqlCommand("select pg_cancel_backend($1)", control) { Parameters = { new() { Value = connection.ProcessID } } };
            command.ExecuteNonQuery();
        }
        catch (NpgsqlException)
        {
            // It will end by its own time limit.
        }
    }
}
