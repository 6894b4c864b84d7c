using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Storage.Admin;

/// <summary>How many rows a table has and the SHA-256 over them in the order of the primary key. It is the same in every database.</summary>
public sealed record TableSum(string Table, long Rows, string Sha256)
{
    /// <summary>Sums of every table, on one snapshot.</summary>
    public static List<TableSum> Of(DbUnit db, IEnumerable<Table> tables) => [.. tables.Select(t => Of(db, t))];

    private static TableSum Of(DbUnit db, Table table)
    {
        using var sum = new Running(table);
        for (var pages = new Pages(); pages.Next(db, table) is { Count: > 0 } rows;) sum.Add(rows);
        return sum.End();
    }

    /// <summary>Begins at each table with pages of some rows, and takes fewer where rows are large.</summary>
    internal sealed class Pages
    {
        private const int RowsMax = 1_000;
        private const long BytesAim = 8 << 20;

        private int _limit = 100;
        private DbValue[]? _last;

        /// <returns>No rows at the end.</returns>
        public List<DbValue[]> Next(DbUnit db, Table table)
        {
            var rows = table.Page(db, _last, _limit);
            if (rows.Count == 0) return rows;
            _last = rows[^1];
            var bytes = rows.Sum(row => row.Sum(v => 16L + v.Bytes.Length + (v.Text?.Length ?? 0)));
            _limit = (int)Math.Clamp(BytesAim * rows.Count / bytes, 1, RowsMax);
            return rows;
        }
    }

    internal sealed class Running(Table table) : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly byte[] _head = new byte[9];
        private long _rows;

        public void Add(IEnumerable<DbValue[]> rows)
        {
            foreach (var row in rows)
            {
                _rows++;
                foreach (var value in row) Add(in value);
            }
        }

        public TableSum End() => new(table.Name, _rows, Convert.ToHexStringLower(_hash.GetHashAndReset()));

        public void Dispose() => _hash.Dispose();

        /// <summary>Its kind and its length or number, then its bytes. An id counts as the bytes it is elsewhere.</summary>
        private void Add(in DbValue value)
        {
            switch (value.Kind)
            {
                case DbValue.Type.Null: Head(0, 0); break;
                case DbValue.Type.Long: Head(1, value.Long); break;
                case DbValue.Type.Double: Head(2, BitConverter.DoubleToInt64Bits(value.Double)); break;
                case DbValue.Type.Text: Body(3, Encoding.UTF8.GetBytes(value.Text!)); break;
                case DbValue.Type.Bytes: Body(4, value.Bytes.Span); break;
                default: Body(4, value.Id.ToByteArray(bigEndian: true)); break;
            }
        }

        private void Body(byte kind, ReadOnlySpan<byte> bytes)
        {
            Head(kind, bytes.Length);
            _hash.AppendData(bytes);
        }

        private void Head(byte kind, long number)
        {
            _head[0] = kind;
            BinaryPrimitives.WriteInt64BigEndian(_head.AsSpan(1), number);
            _hash.AppendData(_head);
        }
    }
}
