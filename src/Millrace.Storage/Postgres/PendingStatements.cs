using System.Runtime.InteropServices;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>
/// What units asked to be carried out later: the rows of each statement side by side, so that one round trip carries the work of a whole
/// group. Statements on one row are never sent in another order than they were asked for: whoever would need that is told to send first.
/// </summary>
internal sealed class PendingStatements
{
    /// <summary>The statements that have rows, in the order in which they were first asked for.</summary>
    private readonly List<Statement> _waiting = [];

    private readonly Dictionary<string, Statement> _known = new(ReferenceEqualityComparer.Instance);

    /// <summary>The last statement that waits to change what belongs to a run.</summary>
    private readonly Dictionary<Guid, Statement> _last = [];

    public bool IsEmpty => _waiting.Count == 0;

    public long Bytes { get; private set; }

    /// <summary>Whether what waits must be sent before this can be added.</summary>
    public bool Conflicts(string sql, Guid row, Repeat repeat)
    {
        if (!_last.TryGetValue(row, out var last)) return false;
        if (!_known.TryGetValue(sql, out var statement) || !statement.Waits) return false;
        return last == statement ? repeat == Repeat.Never : last.Place > statement.Place && !(repeat == Repeat.Same && statement.Rows.Contains(row));
    }

    public void Add(PostgresConnection connection, string sql, Guid? row, Repeat repeat, Func<Guid, Exception>? otherwise, ReadOnlySpan<DbValue> parameters)
    {
        var statement = Find(connection, sql);
        if (!statement.Waits)
        {
            statement.Place = _waiting.Count;
            _waiting.Add(statement);
        }

        if (row is { } id)
        {
            if (repeat == Repeat.Same && statement.Rows.Contains(id)) return;
            if (!_last.TryGetValue(id, out var last) || last.Place < statement.Place) _last[id] = statement;
        }

        Bytes += statement.Add(row ?? default, repeat, otherwise is not null, parameters);
    }

    /// <summary>Finds out what a statement's parameters are, once for a connection.</summary>
    public void Prepare(PostgresConnection connection, string sql) => Find(connection, sql);

    /// <summary>Whether a row must be found by something that waits: whether it was is known only when the statements have been carried out.</summary>
    public bool MustFind => _waiting.Exists(s => s.MustFind > 0);

    /// <summary>Sends everything in one round trip.</summary>
    /// <param name="last">What follows them in the same round trip; only where no row must be found.</param>
    /// <exception cref="Writes.GroupRefusedException">A change that must find its row did not.</exception>
    public void Send(PostgresConnection connection, string? last = null)
    {
        if (_waiting.Count == 0 && last is null) return;
        connection.Open();
        using var batch = new NpgsqlBatch(connection.Inner);
        foreach (var statement in _waiting) batch.BatchCommands.Add(statement.Take());
        if (last is not null) batch.BatchCommands.Add(new NpgsqlBatchCommand(last));
        try
        {
            batch.ExecuteNonQuery();
        }
        catch (PostgresException e) when (PostgresError.Of(e, "") is StatementException)
        {
            throw new Writes.GroupRefusedException(e.MessageText);
        }
        catch (Exception e)
        {
            throw PostgresError.Of(e, "a group of statements");
        }

        for (var i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].MustFind > 0 && batch.BatchCommands[i].RecordsAffected != _waiting[i].Count)
                throw new Writes.GroupRefusedException($"{_waiting[i].Count} rows were to be changed, {batch.BatchCommands[i].RecordsAffected} were: {_waiting[i].Sql}");
        }

        Clear();
    }

    public void Clear()
    {
        foreach (var statement in _waiting) statement.Clear();
        _waiting.Clear();
        _last.Clear();
        Bytes = 0;
    }

    private Statement Find(PostgresConnection connection, string sql)
    {
        if (_known.TryGetValue(sql, out var statement)) return statement;
        return _known[sql] = new Statement(sql, TypesOf(connection, PostgresText.Of(sql).Single));
    }

    /// <summary>The server knows best what each parameter is.</summary>
    private static List<string> TypesOf(PostgresConnection connection, string single)
    {
        connection.Run($"prepare millrace_types as {single}");
        var types = new List<string>();
        connection.Read("select format_type(t, null) from pg_prepared_statements, unnest(parameter_types) with ordinality as p(t, n) where name = 'millrace_types' order by n", [],
            row =>
            {
                types.Add(row.Text(0));
                return true;
            });
        connection.Run("deallocate millrace_types");
        return types;
    }

    internal sealed class Statement(string sql, List<string> types)
    {
        private readonly PostgresColumn[] _columns = [.. types.Select(type => PostgresColumn.Of(type, sql))];
        private readonly string _many = PostgresText.Of(sql).Many(types);
        private readonly List<Guid> _order = [];

        public string Sql => sql;
        public HashSet<Guid> Rows { get; } = [];
        public int Place { get; set; }
        public int Count => _order.Count;
        public bool Waits => Count > 0;

        /// <summary>How many of its rows must be there.</summary>
        public int MustFind { get; private set; }

        private bool Sorted { get; set; }

        public long Add(Guid row, Repeat repeat, bool mustFind, ReadOnlySpan<DbValue> parameters)
        {
            if (parameters.Length != _columns.Length)
                throw new ArgumentException($"{_columns.Length} parameters are needed, {parameters.Length} were given: {sql}", nameof(parameters));
            var bytes = 0L;
            for (var i = 0; i < parameters.Length; i++)
            {
                ref readonly var value = ref parameters[i];
                _columns[i].Add(in value);
                bytes += 16 + value.Bytes.Length + (value.Text?.Length ?? 0);
            }

            Rows.Add(row);
            _order.Add(row);
            Sorted = repeat != Repeat.InOrder;
            if (mustFind) MustFind++;
            return bytes;
        }

        /// <summary>The statement with its rows. Changes go by row, so that two processes that change the same rows take them in the same order.</summary>
        public NpgsqlBatchCommand Take()
        {
            var order = new int[_order.Count];
            for (var i = 0; i < order.Length; i++) order[i] = i;
            if (Sorted) Array.Sort(CollectionsMarshal.AsSpan(_order).ToArray(), order);
            var command = new NpgsqlBatchCommand(_many);
            foreach (var column in _columns) command.Parameters.Add(column.Take(order));
            return command;
        }

        public void Clear()
        {
            if (_order.Count == 0) return;
            foreach (var column in _columns) column.Take([]);
            Rows.Clear();
            _order.Clear();
            MustFind = 0;
        }
    }
}

/// <summary>What it means that a statement is asked for again on the same row.</summary>
internal enum Repeat
{
    /// <summary>Another change, which must follow the first.</summary>
    Never,

    /// <summary>The same change: once is enough.</summary>
    Same,

    /// <summary>Another row; they keep their order.</summary>
    InOrder,
}
