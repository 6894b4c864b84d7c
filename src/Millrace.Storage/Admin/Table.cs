using System.Globalization;
using Millrace.Storage.Postgres;

namespace Millrace.Storage.Admin;

/// <param name="Kind">As whom its values are read and written. A SQLite file does not tell ids from bytes.</param>
/// <param name="IsIdentity">The database numbers the rows itself.</param>
public sealed record Column(string Name, DbValue.Type Kind, bool IsIdentity);

/// <summary>A table as the database's own catalog describes it. Its rows are read in the order of its primary key, which is the same in every database.</summary>
public sealed class Table
{
    /// <summary>What migrations and connections keep for themselves.</summary>
    private static readonly string[] NotData = ["migration", "log_origin", "commit_proof"];

    private readonly int[] _key;
    private readonly string _first, _next;

    private Table(string name, IReadOnlyList<Column> columns, IReadOnlyList<string> key)
    {
        Name = name;
        Columns = columns;
        _key = [.. key.Select(k => columns.Select(c => c.Name).ToList().IndexOf(k))];
        if (_key.Length == 0) throw new InvalidOperationException($"The table {name} has no primary key, so its rows have no order.");
        var all = string.Join(", ", columns.Select(c => c.Name));
        var order = string.Join(", ", key);
        _first = $"select {all} from {name} order by {order} limit $1";
        _next = $"select {all} from {name} where ({order}) > ({Parameters(2, key.Count)}) order by {order} limit $1";
        Insert = $"insert into {name} ({all}) values ({Parameters(1, columns.Count)})";
    }

    public string Name { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<Column> Columns { get; }

    internal string Insert { get; }

    /// <summary>Every table that holds data, by name.</summary>
    public static async Task<List<Table>> OfAsync(Database database, CancellationToken cancel = default)
    {
        var rows = await database.ReadAsync(db => db.Query(
            database is PostgresDatabase ? PostgresCatalog : SqliteCatalog,
            r => (Table: r.Text(0), Column: r.Text(1), Type: r.Text(2), Key: r.Long(3), Identity: r.Long(4))), cancel);
        // A boolean, which SQLite has not, is what PostgreSQL keeps to place a row; it says nothing that the others do not.
        return [.. rows.Where(r => !NotData.Contains(r.Table) && r.Type != "boolean").GroupBy(r => r.Table).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new Table(
            g.Key,
            [.. g.OrderBy(r => r.Column, StringComparer.Ordinal).Select(r => new Column(r.Column, KindOf(r.Table, r.Type), r.Identity == 1))],
            [.. g.Where(r => r.Key > 0).OrderBy(r => r.Key).Select(r => r.Column)]))];
    }

    /// <summary>Up to <paramref name="limit"/> rows after one, each with a value for every column.</summary>
    public List<DbValue[]> Page(DbUnit db, DbValue[]? after, int limit) => after is null
        ? db.Query(_first, Read, limit)
        : db.Query(_next, Read, [limit, .. _key.Select(k => after[k])]);

    /// <summary>A row of another database's table as this one takes it.</summary>
    internal DbValue[] Fit(DbValue[] row)
    {
        var fit = new DbValue[row.Length];
        for (var i = 0; i < row.Length; i++)
        {
            fit[i] = (row[i].Kind, Columns[i].Kind) switch
            {
                (DbValue.Type.Bytes, DbValue.Type.Id) => new Guid(row[i].Bytes.Span, bigEndian: true),
                (DbValue.Type.Null, DbValue.Type.Id) => (Guid?)null,
                _ => row[i],
            };
        }

        return fit;
    }

    private DbValue[] Read(DbRow row)
    {
        var values = new DbValue[Columns.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Columns[i].Kind switch
            {
                DbValue.Type.Long => row.LongOrNull(i),
                DbValue.Type.Text => row.TextOrNull(i),
                DbValue.Type.Id => row.IdOrNull(i),
                DbValue.Type.Double => row.IsNull(i) ? default(DbValue) : row.Double(i),
                _ => row.BytesOrNull(i),
            };
        }

        return values;
    }

    private static string Parameters(int first, int count) =>
        string.Join(", ", Enumerable.Range(first, count).Select(n => string.Create(CultureInfo.InvariantCulture, $"${n}")));

    private static DbValue.Type KindOf(string table, string type) => type switch
    {
        "bigint" or "integer" => DbValue.Type.Long,
        "text" => DbValue.Type.Text,
        "uuid" => DbValue.Type.Id,
        "bytea" or "blob" => DbValue.Type.Bytes,
        "double precision" or "real" => DbValue.Type.Double,
        _ => throw new InvalidOperationException($"The table {table} has a column of type {type}, which is not copied yet."),
    };

    private const string SqliteCatalog = """
        select t.name, c.name, lower(c.type), c.pk, 0 from pragma_table_list t, pragma_table_info(t.name) c where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite%'
        """;

    private const string PostgresCatalog = """
        select t.relname::text, a.attname::text, format_type(a.atttypid, null),
            coalesce((select k.n from unnest(i.indkey::int2[]) with ordinality as k(att, n) where k.att = a.attnum), 0),
            case when a.attidentity <> '' then 1::bigint else 0::bigint end
        from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
            left join pg_index i on i.indrelid = t.oid and i.indisprimary
        where t.relkind in ('r', 'p') and not t.relispartition and t.relnamespace = current_schema()::regnamespace
        """;
}
