namespace Millrace.Storage.Sqlite;

/// <summary>The transaction that is open on a connection; one object per connection, open only while a function runs in it.</summary>
internal sealed class SqliteUnit(SqliteConnection connection) : DbUnit
{
    private bool _open;
    private long _transaction;
    private DbValue[]? _positioned;

    /// <summary>A statement changed the schema, which no count of rows shows.</summary>
    public bool HasChangedSchema { get; set; }

    public long BytesBound { get; set; }

    /// <summary>One transaction writes at a time, so whatever can be seen is settled.</summary>
    public override long Horizon => long.MaxValue;

    /// <summary>Why the transaction under this unit is gone or not to be trusted, even when the function swallowed the exception.</summary>
    public StorageFault? Fault =>
        connection.Fault ?? (connection.InTransaction ? null : new StorageFault(StorageFault.Io, "A statement undid the shared transaction.", Recoverable: true));

    public override long Transaction => _transaction;

    /// <summary>Called when a transaction begins.</summary>
    public void Begin() => _transaction++;

    public void Enter() => (_open, Refusal) = (true, null);

    public void Leave() => _open = false;

    public override int Execute(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        var statement = Take(sql);
        var before = connection.TotalChanges;
        try
        {
            BytesBound += statement.Bind(parameters);
            while (statement.Step()) { }
            return connection.TotalChanges == before ? 0 : connection.Changes;
        }
        catch (StatementException e)
        {
            Refusal = e;
            throw;
        }
        finally
        {
            statement.Release();
        }
    }

    public override List<T> Query<T>(string sql, Func<DbRow, T> map, params ReadOnlySpan<DbValue> parameters)
    {
        var statement = Take(sql);
        try
        {
            BytesBound += statement.Bind(parameters);
            var rows = new List<T>();
            while (statement.Step()) rows.Add(map(statement.Row));
            return rows;
        }
        catch (StatementException e)
        {
            Refusal = e;
            throw;
        }
        finally
        {
            statement.Release();
        }
    }

    public override T? First<T>(string sql, Func<DbRow, T> map, T? absent, params ReadOnlySpan<DbValue> parameters)
        where T : default
    {
        var statement = Take(sql);
        try
        {
            BytesBound += statement.Bind(parameters);
            return statement.Step() ? map(statement.Row) : absent;
        }
        catch (StatementException e)
        {
            Refusal = e;
            throw;
        }
        finally
        {
            statement.Release();
        }
    }

    public override void InsertLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters) => Execute(sql, parameters);

    public override void ChangeLater(Guid row, Func<Guid, Exception>? otherwise, string sql, params ReadOnlySpan<DbValue> parameters)
    {
        if (Execute(sql, parameters) == 0 && otherwise is not null) throw otherwise(row);
    }

    public override void TouchLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters) => Execute(sql, parameters);

    /// <summary>The position is the row id, which SQLite gives when it is bound as null.</summary>
    public override long AppendLater(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        var all = Positioned(parameters.Length + 1);
        parameters.CopyTo(all.AsSpan(1));
        Execute(sql, all);
        return connection.LastInsertedRow;
    }

    internal override void Script(string sql)
    {
        HasChangedSchema = true;
        try
        {
            Standing().Run(sql);
        }
        catch (StatementException e)
        {
            Refusal = e;
            throw;
        }
    }

    private DbValue[] Positioned(int length) => _positioned?.Length == length ? _positioned : _positioned = new DbValue[length];

    private SqliteStatement Take(string sql)
    {
        try
        {
            var statement = Standing().Take(sql);
            HasChangedSchema |= statement.ChangesSchema;
            return statement;
        }
        catch (StatementException e)
        {
            Refusal = e;
            throw;
        }
    }

    /// <summary>SQLite undoes a transaction by itself on some errors; a further statement would be a transaction of its own.</summary>
    private SqliteConnection Standing() =>
        Opened() is var opened && Fault is { } fault ? throw new StorageUnavailableException(fault) : opened;

    private SqliteConnection Opened()
    {
        if (!_open) throw new InvalidOperationException("This unit has ended; it is usable only inside the function it was given to.");
        CheckNotRefused();
        return connection;
    }
}
