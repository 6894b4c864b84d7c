using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Storage.Postgres;

/// <summary>One parameter of a statement for many rows: a growing array of one type.</summary>
internal abstract class PostgresColumn
{
    /// <param name="type">As the server names it.</param>
    public static PostgresColumn Of(string type, string sql) => type switch
    {
        "bigint" or "integer" => new Values<long>(NpgsqlDbType.Bigint, (in DbValue v) => v.Long),
        "uuid" => new Values<Guid>(NpgsqlDbType.Uuid, (in DbValue v) => v.Id),
        "double precision" => new Values<double>(NpgsqlDbType.Double, (in DbValue v) => v.Double),
        "text" => new References<string>(NpgsqlDbType.Text, (in DbValue v) => v.Text!),
        "bytea" => new References<byte[]>(NpgsqlDbType.Bytea, (in DbValue v) => Whole(v.Bytes)),
        _ => throw new ArgumentException($"A parameter of type {type} cannot be given for many rows: {sql}"),
    };

    private delegate T Reader<T>(in DbValue value);

    public abstract void Add(in DbValue value);

    /// <summary>An array of what was added, in the given order.</summary>
    public abstract NpgsqlParameter Take(ReadOnlySpan<int> order);

    private static byte[] Whole(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var part) && part.Offset == 0 && part.Count == part.Array!.Length ? part.Array : bytes.ToArray();

    private static T[] Ordered<T>(List<T> rows, ReadOnlySpan<int> order)
    {
        var ordered = new T[order.Length];
        for (var i = 0; i < order.Length; i++) ordered[i] = rows[order[i]];
        return ordered;
    }

    private sealed class Values<T>(NpgsqlDbType type, Reader<T> read) : PostgresColumn where T : struct
    {
        private readonly List<T> _rows = [];
        private readonly HashSet<int> _nulls = [];

        public override void Add(in DbValue value)
        {
            var isNull = value.Kind == DbValue.Type.Null;
            if (isNull) _nulls.Add(_rows.Count);
            _rows.Add(isNull ? default : read(in value));
        }

        public override NpgsqlParameter Take(ReadOnlySpan<int> order)
        {
            var parameter = _nulls.Count == 0
                ? new NpgsqlParameter<T[]> { TypedValue = Ordered(_rows, order), NpgsqlDbType = NpgsqlDbType.Array | type }
                : (NpgsqlParameter)new NpgsqlParameter<T?[]> { TypedValue = Nullable(order), NpgsqlDbType = NpgsqlDbType.Array | type };
            _rows.Clear();
            _nulls.Clear();
            return parameter;
        }

        private T?[] Nullable(ReadOnlySpan<int> order)
        {
            var ordered = new T?[order.Length];
            for (var i = 0; i < order.Length; i++) ordered[i] = _nulls.Contains(order[i]) ? null : _rows[order[i]];
            return ordered;
        }
    }

    private sealed class References<T>(NpgsqlDbType type, Reader<T> read) : PostgresColumn where T : class
    {
        private readonly List<T?> _rows = [];

        public override void Add(in DbValue value) => _rows.Add(value.Kind == DbValue.Type.Null ? null : read(in value));

        public override NpgsqlParameter Take(ReadOnlySpan<int> order)
        {
            var parameter = new NpgsqlParameter<T?[]> { TypedValue = Ordered(_rows, order), NpgsqlDbType = NpgsqlDbType.Array | type };
            _rows.Clear();
            return parameter;
        }
    }
}
