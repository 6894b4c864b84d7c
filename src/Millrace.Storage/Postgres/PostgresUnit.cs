using Millrace.Storage.Writes;

namespace Millrace.Storage.Postgres;

/// <summary>The transaction that is open on a connection; open only while a function runs in it.</summary>
internal sealed class PostgresUnit : DbUnit
{
    /// <summary>Rows that one transaction may add to logs.</summary>
    public const int PositionBits = 20;

    private PostgresConnection? _connection;
    private bool _open;
    private long _begun;
    private long _first;
    private long _appended;

    public PendingStatements Pending { get; } = new();

    /// <summary>Whether a statement of this unit has changed something, will, or failed: the transaction is then not what it was.</summary>
    public bool HasTouched { get; set; }

    public long Bytes { get; private set; }

    public override long Transaction => _begun;

    public override long Horizon
    {
        get
        {
            var (xmin, origin) = First("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, value from log_origin", r => (r.Long(0), r.Long(1)), default);
            return origin + (xmin << PositionBits) - 1;
        }
    }

    /// <summary>A transaction begins, at the latest with its first statement.</summary>
    public void Begin(PostgresConnection connection)
    {
        _connection = connection;
        _begun++;
        _appended = 0;
        Bytes = 0;
        Pending.Clear();
    }

    /// <summary>A part of the transaction was undone, and the locks that it took are gone.</summary>
    public void Undone()
    {
        _begun++;
        Pending.Clear();
    }

    /// <param name="first">The first position the transaction may give.</param>
    public void PositionsFrom(long first) => _first = first;

    public void Enter() => (_open, HasTouched, Refusal) = (true, false, null);

    public void Leave() => _open = false;

    public override int Execute(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        var connection = Settled();
        Bytes += SizeOf(parameters);
        try
        {
            var rows = connection.Execute(sql, parameters);
            HasTouched |= rows > 0 || !IsRowStatement(sql);
            return rows;
        }
        catch (Exception e)
        {
            Refuse(e);
            throw;
        }
    }

    public override List<T> Query<T>(string sql, Func<DbRow, T> map, params ReadOnlySpan<DbValue> parameters)
    {
        var rows = new List<T>();
        Read(sql, parameters, row =>
        {
            rows.Add(map(row));
            return true;
        });
        return rows;
    }

    public override T? First<T>(string sql, Func<DbRow, T> map, T? absent, params ReadOnlySpan<DbValue> parameters)
        where T : default
    {
        var first = absent;
        Read(sql, parameters, row =>
        {
            first = map(row);
            return false;
        });
        return first;
    }

    public override void InsertLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters) => Later(sql, row, Repeat.InOrder, null, parameters);

    public override void ChangeLater(Guid row, Func<Guid, Exception>? otherwise, string sql, params ReadOnlySpan<DbValue> parameters) =>
        Later(sql, row, Repeat.Never, otherwise, parameters);

    public override void TouchLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters) => Later(sql, row, Repeat.Same, null, parameters);

    public override long AppendLater(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        Opened().Open();
        if (_appended == 1L << PositionBits) throw new InvalidOperationException($"A transaction adds at most {1 << PositionBits} rows to logs.");
        var position = _first + _appended++;
        var all = new DbValue[parameters.Length + 1];
        all[0] = position;
        parameters.CopyTo(all.AsSpan(1));
        HasTouched = true;
        Pending.Add(Opened(), sql, null, Repeat.InOrder, null, all);
        return position;
    }

    internal override void Script(string sql)
    {
        HasTouched = true;
        try
        {
            Settled().Run(sql);
        }
        catch (Exception e)
        {
            Refuse(e);
            throw;
        }
    }

    private void Later(string sql, Guid row, Repeat repeat, Func<Guid, Exception>? otherwise, ReadOnlySpan<DbValue> parameters)
    {
        var connection = Opened();
        HasTouched = true;
        if (IsAlone)
        {
            Alone(connection, sql, row, otherwise, parameters);
            return;
        }

        if (Pending.Conflicts(sql, row, repeat)) Send(connection);
        Pending.Add(connection, sql, row, repeat, otherwise, parameters);
    }

    private void Alone(PostgresConnection connection, string sql, Guid row, Func<Guid, Exception>? otherwise, ReadOnlySpan<DbValue> parameters)
    {
        // One that could never be sent in a group is refused here too: else every group would be taken apart for it, and nobody would know.
        Pending.Prepare(connection, sql);
        Bytes += SizeOf(parameters);
        var rows = 0;
        try
        {
            rows = connection.Execute(sql, parameters);
        }
        catch (Exception e)
        {
            Refuse(e);
            throw;
        }

        if (rows == 0 && otherwise is not null) throw otherwise(row);
    }

    private void Send(PostgresConnection connection)
    {
        try
        {
            Pending.Send(connection);
        }
        catch (Exception e)
        {
            Refuse(e);
            throw;
        }
    }

    /// <summary>Set while each unit is asked by itself whose statement was refused.</summary>
    public bool IsAlone { get; set; }

    private void Read(string sql, ReadOnlySpan<DbValue> parameters, Func<DbRow, bool> more)
    {
        var connection = Settled();
        Bytes += SizeOf(parameters);
        var rows = 0;
        try
        {
            connection.Read(sql, parameters, row =>
            {
                rows++;
                return more(row);
            });
            HasTouched |= rows > 0 && IsRowStatement(sql);
        }
        catch (Exception e)
        {
            Refuse(e);
            throw;
        }
    }

    /// <summary>The server takes no more of a transaction after a statement it refused, and would answer its commit with a silent rollback.</summary>
    private void Refuse(Exception e)
    {
        HasTouched = true;
        if (e is StatementException or GroupRefusedException) Refusal = e;
    }

    /// <summary>What waits comes before what answers.</summary>
    private PostgresConnection Settled()
    {
        var connection = Opened();
        if (!Pending.IsEmpty) Send(connection);
        return connection;
    }

    private PostgresConnection Opened()
    {
        if (!_open) throw new InvalidOperationException("This unit has ended; it is usable only inside the function it was given to.");
        CheckNotRefused();
        return _connection!;
    }

    private static bool IsRowStatement(string sql)
    {
        var text = sql.AsSpan().TrimStart();
        return text.StartsWith("insert", StringComparison.OrdinalIgnoreCase) || text.StartsWith("update", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("delete", StringComparison.OrdinalIgnoreCase) || text.StartsWith("with", StringComparison.OrdinalIgnoreCase);
    }

    private static long SizeOf(ReadOnlySpan<DbValue> parameters)
    {
        var bytes = 0L;
        foreach (ref readonly var value in parameters) bytes += 16 + value.Bytes.Length + (value.Text?.Length ?? 0);
        return bytes;
    }
}
