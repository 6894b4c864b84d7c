using System.Data;
using Millrace.Storage.Writes;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Storage.Postgres;

/// <summary>One connection and the statements it knows. Used by one thread at a time.</summary>
/// <param name="reads">Whether it only reads.</param>
/// <param name="opens">What gives the number of a transaction that has begun, in one row.</param>
internal sealed class PostgresConnection(NpgsqlConnection connection, bool reads = false, string opens = PostgresConnection.NumberOfThis) : IDisposable
{
    public const string NumberOfThis = "select pg_current_xact_id()::text::bigint";

    private readonly Dictionary<string, (NpgsqlCommand Command, int Parameters)> _commands = new(ReferenceEqualityComparer.Instance);

    /// <summary>Set while a transaction is wanted that has not begun: told its number as soon as it has.</summary>
    private Action<long>? _opened;

    public NpgsqlConnection Inner => connection;
    public bool IsOpen => connection.FullState.HasFlag(ConnectionState.Open) && !connection.FullState.HasFlag(ConnectionState.Broken);

    /// <summary>Whether the transaction that is wanted has not begun.</summary>
    public bool IsOpening => _opened is not null;

    /// <summary>The next statement begins a transaction, in the same round trip.</summary>
    /// <param name="opened">Told the transaction's number; null when none is wanted any more.</param>
    public void OpenWithNext(Action<long>? opened) => _opened = opened;

    /// <summary>Begins the transaction that is wanted now.</summary>
    public void Open()
    {
        if (!IsOpening) return;
        try
        {
            using var batch = Opening();
            using var reader = Opened(batch);
        }
        catch (Exception e)
        {
            throw PostgresError.Of(e, "begin");
        }
    }

    public int Execute(string sql, ReadOnlySpan<DbValue> parameters)
    {
        var command = Bind(sql, parameters);
        try
        {
            if (IsOpening)
            {
                using var batch = Opening(command);
                using (var reader = Opened(batch)) reader.NextResult();
                return Math.Max(0, batch.BatchCommands[^1].RecordsAffected);
            }

            return Math.Max(0, command.ExecuteNonQuery());
        }
        catch (Exception e)
        {
            throw PostgresError.Of(e, sql, reads);
        }
    }

    public void Read(string sql, ReadOnlySpan<DbValue> parameters, Func<DbRow, bool> more)
    {
        var command = Bind(sql, parameters);
        try
        {
            if (IsOpening)
            {
                using var batch = Opening(command);
                using var opening = Opened(batch);
                if (opening.NextResult()) Map(opening, more);
                return;
            }

            using var reader = command.ExecuteReader();
            Map(reader, more);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or ObjectDisposedException)
        {
            throw PostgresError.Of(e, sql, reads);
        }
    }

    private static void Map(NpgsqlDataReader reader, Func<DbRow, bool> more)
    {
        var row = new PostgresRow(reader);
        while (reader.Read() && more(row)) { }
    }

    private NpgsqlBatch Opening(NpgsqlCommand? first = null)
    {
        var batch = new NpgsqlBatch(connection) { BatchCommands = { new("begin"), new(opens) } };
        if (first is null) return batch;
        var command = new NpgsqlBatchCommand(first.CommandText);
        NpgsqlParameter[] parameters = [.. first.Parameters.Cast<NpgsqlParameter>()];
        first.Parameters.Clear();
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
        return batch;
    }

    private NpgsqlDataReader Opened(NpgsqlBatch batch)
    {
        var reader = batch.ExecuteReader();
        if (!reader.Read())
        {
            reader.Dispose();
            connection.Close();
            throw new TransactionLostException("The database does not know this connection any more.");
        }

        Opened(reader.GetInt64(0));
        return reader;
    }

    private void Opened(long number)
    {
        var opened = _opened;
        _opened = null;
        opened!(number);
    }

    /// <summary>Runs text that may be several statements, without parameters.</summary>
    public void Run(string sql)
    {
        Open();
        using var command = new NpgsqlCommand(sql, connection);
        try
        {
            command.ExecuteNonQuery();
        }
        catch (Exception e)
        {
            throw PostgresError.Of(e, sql.Length > 200 ? sql[..200] + " …" : sql);
        }
    }

    public void Dispose() => connection.Dispose();

    private NpgsqlCommand Bind(string sql, ReadOnlySpan<DbValue> parameters)
    {
        if (!_commands.TryGetValue(sql, out var known))
        {
            if (_commands.Count == 512) _commands.Clear();
            var text = PostgresText.Of(sql);
            _commands[sql] = known = (new NpgsqlCommand(text.Single, connection), text.Parameters);
        }

        // The server would call it a breach of the protocol, and the driver would give up the connection.
        if (parameters.Length != known.Parameters)
            throw new ArgumentException($"{known.Parameters} parameters are needed, {parameters.Length} were given: {sql}", nameof(parameters));
        var command = known.Command;
        command.Parameters.Clear();
        foreach (ref readonly var value in parameters) command.Parameters.Add(ParameterOf(in value));
        return command;
    }

    private static NpgsqlParameter ParameterOf(in DbValue value) => value.Kind switch
    {
        DbValue.Type.Long => new NpgsqlParameter<long> { TypedValue = value.Long, NpgsqlDbType = NpgsqlDbType.Bigint },
        DbValue.Type.Double => new NpgsqlParameter<double> { TypedValue = value.Double, NpgsqlDbType = NpgsqlDbType.Double },
        DbValue.Type.Text => new NpgsqlParameter<string> { TypedValue = value.Text!, NpgsqlDbType = NpgsqlDbType.Text },
        DbValue.Type.Bytes => new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = value.Bytes, NpgsqlDbType = NpgsqlDbType.Bytea },
        DbValue.Type.Id => new NpgsqlParameter<Guid> { TypedValue = value.Id, NpgsqlDbType = NpgsqlDbType.Uuid },
        _ => new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = TypeOf(value.NullOf) },
    };

    private static NpgsqlDbType TypeOf(DbValue.Type type) => type switch
    {
        DbValue.Type.Long => NpgsqlDbType.Bigint,
        DbValue.Type.Double => NpgsqlDbType.Double,
        DbValue.Type.Text => NpgsqlDbType.Text,
        DbValue.Type.Bytes => NpgsqlDbType.Bytea,
        DbValue.Type.Id => NpgsqlDbType.Uuid,
        _ => NpgsqlDbType.Unknown,
    };
}
