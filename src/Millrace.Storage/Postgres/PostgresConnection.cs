using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Storage.Postgres;

/// <summary>One connection and the statements it knows. Used by one thread at a time.</summary>
/// <param name="reads">Whether it only reads.</param>
internal sealed class PostgresConnection(NpgsqlConnection connection, bool reads = false) : IDisposable
{
    private readonly Dictionary<string, (NpgsqlCommand Command, int Parameters)> _commands = new(ReferenceEqualityComparer.Instance);

    public NpgsqlConnection Inner => connection;
    public bool IsOpen => connection.FullState.HasFlag(ConnectionState.Open) && !connection.FullState.HasFlag(ConnectionState.Broken);

    public int Execute(string sql, ReadOnlySpan<DbValue> parameters)
    {
        var command = Bind(sql, parameters);
        try
        {
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
            using var reader = command.ExecuteReader();
            var row = new PostgresRow(reader);
            while (reader.Read() && more(row)) { }
        }
        catch (Exception e) when (e is NpgsqlException or IOException or ObjectDisposedException)
        {
            throw PostgresError.Of(e, sql, reads);
        }
    }

    /// <summary>Runs text that may be several statements, without parameters.</summary>
    public void Run(string sql)
    {
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
