using System.Diagnostics;
using Millrace.Storage.Writes;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>
/// The connection that writes. A transaction whose connection breaks is done again as long as it is known not to count; one that broke
/// while it was being committed is asked for by its number (<c>pg_xact_status</c>) and by what it wrote into <c>commit_proof</c>, since a server that has crashed
/// gives a number that never reached its disk once more; so "committed but reported as failed" is found out here.
/// </summary>
internal sealed class PostgresWriteSession(NpgsqlConnectionStringBuilder settings, PostgresOptions options, FaultGate gate) : WriteSession
{
    private const int RetryMs = 100;

    private readonly PostgresUnit _unit = new();
    private readonly string _settings = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
    {
        Pooling = false,
        // Rows are found by their keys: a plan that reads a whole table because it was small once would be wrong later.
        Options = $"{settings.Options} -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan",
    }.ConnectionString;

    private readonly Guid _session = Guid.CreateVersion7();
    private PostgresConnection? _connection;
    private bool _proves;
    private long _transaction;
    private long _origin;
    private bool _careful;
    private bool _inTransaction;
    private bool _touched;
    private long _lostSince;

    public override DbUnit Unit => _unit;
    public override StorageFault? Broken => null;
    public override bool HasChanges => _touched;
    public override long BytesBound => _unit.Bytes + _unit.Pending.Bytes;
    public override int GuardedGroups => 1;

    public override void Begin()
    {
        _touched = false;
        while (true)
        {
            var connection = Connected();
            try
            {
                _inTransaction = true;
                _unit.Begin(connection);
                connection.OpenWithNext(Opened);
                if (_careful) connection.Open();
                return;
            }
            catch (Exception e) when (e is TransactionLostException or StorageUnavailableException)
            {
                WaitOrRefuse(e);
            }
        }
    }

    public override void Commit()
    {
        var connection = _connection!;
        if (connection.IsOpening && _unit.Pending.IsEmpty)
        {
            connection.OpenWithNext(null);
            _inTransaction = false;
            return;
        }

        try
        {
            if (_unit.Pending.MustFind) _unit.Pending.Send(connection);
        }
        catch (TransactionLostException e)
        {
            WaitOrRefuse(e);
            throw;
        }

        try
        {
            _unit.Pending.Send(connection, "commit");
        }
        catch (Exception e) when (e is TransactionLostException or StorageUnavailableException)
        {
            _inTransaction = false;
            Drop();
            if (!IsCommitted()) throw new TransactionLostException(e.Message, e);
        }

        _inTransaction = false;
        _careful = false;
        _lostSince = 0;
    }

    public override void Rollback()
    {
        _unit.Pending.Clear();
        _unit.IsAlone = false;
        if (!_inTransaction) return;
        _inTransaction = false;
        // The next transaction begins before anything else, so that a database that does not answer is waited for.
        _careful = true;
        try
        {
            if (_connection is { IsOpening: true }) Drop();
            else if (_connection is { IsOpen: true } connection) connection.Run("rollback");
            else Drop();
        }
        catch (Exception e) when (e is TransactionLostException or StatementException or StorageUnavailableException)
        {
            // With the connection the transaction is gone as well.
            Drop();
        }
    }

    private void Opened(long number)
    {
        _transaction = number;
        _unit.PositionsFrom(_origin + (number << PostgresUnit.PositionBits));
    }

    public override void Enter() => _unit.Enter();

    public override bool Leave()
    {
        _unit.Leave();
        _touched |= _unit.HasTouched;
        return _unit.HasTouched;
    }

    public override void CheckUnit()
    {
        _unit.CheckNotRefused();
        if (_unit.IsAlone) SendAlone();
    }

    public override void SetSavepoint()
    {
        _unit.IsAlone = true;
        _connection!.Run("savepoint unit");
    }

    public override void ReleaseSavepoint()
    {
        _connection!.Run("release unit");
        _unit.IsAlone = false;
    }

    public override void RollbackToSavepoint()
    {
        _unit.Undone();
        _connection!.Run("rollback to unit");
    }

    public override void Maintain() { }

    public override void Dispose() => Drop();

    private void SendAlone()
    {
        try
        {
            _unit.Pending.Send(_connection!);
        }
        catch (GroupRefusedException e)
        {
            throw new StatementException(StatementFailure.Other, e.Message, "a statement carried out later");
        }
    }

    private PostgresConnection Connected()
    {
        if (_connection is { IsOpen: true } open) return open;
        Drop();
        while (true)
        {
            var connection = new NpgsqlConnection(_settings);
            try
            {
                connection.Open();
                _origin = OriginOf(connection);
                _proves = Introduce(connection);
                return _connection = new PostgresConnection(connection, opens: _proves
                    ? $"update commit_proof set number = pg_current_xact_id()::text::bigint, at = now() where session = '{_session}' returning number"
                    : PostgresConnection.NumberOfThis);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
            {
                connection.Dispose();
                WaitOrRefuse(e);
            }
        }
    }

    private static long OriginOf(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("select value from log_origin", connection);
        try
        {
            // A restore has made the table and not filled it yet.
            return command.ExecuteScalar() is long value ? value : 0;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // Nothing was migrated yet.
            return 0;
        }
    }

    /// <summary>Makes the row in which this session's transactions prove themselves; rows of sessions that have not been heard of for a week go.</summary>
    /// <returns>False when nothing was migrated yet.</returns>
    private bool Introduce(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(
            $"delete from commit_proof where at < now() - interval '7 days'; insert into commit_proof (session, number, at) values ('{_session}', 0, now()) on conflict do nothing", connection);
        try
        {
            command.ExecuteNonQuery();
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }

    /// <summary>Whether the transaction whose commit was not answered is committed. Waits for the database, and for a commit that is still under way.</summary>
    private bool IsCommitted()
    {
        while (true)
        {
            var connection = Connected();
            var (status, proven) = ("", false);
            try
            {
                connection.Read("select coalesce(pg_xact_status($1::text::xid8), 'aborted')", [_transaction.ToString(System.Globalization.CultureInfo.InvariantCulture)], row =>
                {
                    status = row.Text(0);
                    return false;
                });
                proven = !_proves || (status == "committed" && IsProven(connection));
            }
            catch (StatementException)
            {
                // The server crashed and has never heard of such a number ("is in the future"): nothing of the transaction reached its disk.
                return false;
            }
            catch (TransactionLostException e)
            {
                Drop();
                WaitOrRefuse(e);
                continue;
            }

            if (status != "in progress") return status == "committed" && proven;
            Pause();
        }
    }

    private bool IsProven(PostgresConnection connection)
    {
        var number = 0L;
        connection.Read("select number from commit_proof where session = $1", [_session], row =>
        {
            number = row.Long(0);
            return false;
        });
        return number == _transaction;
    }

    /// <summary>Waits a little before the next try; once patience is over, or while a fault lasts already, the group is refused.</summary>
    private void WaitOrRefuse(Exception e)
    {
        if (_lostSince == 0) _lostSince = Stopwatch.GetTimestamp();
        var fault = PostgresError.Of(e, "connect") is StorageUnavailableException known ? known.Fault : PostgresError.Away(e);
        if (gate.Fault is not null || Stopwatch.GetElapsedTime(_lostSince).TotalMilliseconds >= options.PatienceMs)
        {
            _lostSince = 0;
            throw new StorageUnavailableException(fault);
        }

        Pause();
    }

    private static void Pause()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(RetryMs);
    }

    private void Drop()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
