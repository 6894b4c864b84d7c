using System.Text;
using SQLitePCL;

namespace Millrace.Storage.Sqlite;

internal sealed class SqliteRow(sqlite3_stmt statement, string sql) : DbRow
{
    public override bool IsNull(int column) => TypeOf(column) == raw.SQLITE_NULL;

    public override long Long(int column)
    {
        Expect(column, raw.SQLITE_INTEGER);
        return raw.sqlite3_column_int64(statement, column);
    }

    public override double Double(int column)
    {
        // A whole number may be stored as an integer.
        if (TypeOf(column) != raw.SQLITE_INTEGER) Expect(column, raw.SQLITE_FLOAT);
        return raw.sqlite3_column_double(statement, column);
    }

    public override string Text(int column)
    {
        Expect(column, raw.SQLITE_TEXT);
        return Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, column));
    }

    public override byte[] Bytes(int column)
    {
        Expect(column, raw.SQLITE_BLOB);
        return raw.sqlite3_column_blob(statement, column).ToArray();
    }

    public override Guid Id(int column)
    {
        Expect(column, raw.SQLITE_BLOB);
        var bytes = raw.sqlite3_column_blob(statement, column);
        return bytes.Length == 16
            ? new Guid(bytes, bigEndian: true)
            : throw new InvalidCastException($"Column {NameOf(column)} holds {bytes.Length} bytes, an id has 16: {sql}");
    }

    private int TypeOf(int column)
    {
        // SQLite answers null for a column that does not exist.
        var type = raw.sqlite3_column_type(statement, column);
        if (type == raw.SQLITE_NULL && (uint)column >= (uint)raw.sqlite3_column_count(statement))
            throw new ArgumentOutOfRangeException(nameof(column), column, $"There is no such column in: {sql}");
        return type;
    }

    private void Expect(int column, int type)
    {
        var actual = TypeOf(column);
        if (actual == type) return;
        throw new InvalidCastException($"Column {NameOf(column)} holds {Word(actual)}, not {Word(type)}: {sql}");
    }

    private string NameOf(int column) => $"{column} ({raw.sqlite3_column_name(statement, column).utf8_to_string()})";

    private static string Word(int type) => type switch
    {
        raw.SQLITE_INTEGER => "an integer",
        raw.SQLITE_FLOAT => "a real",
        raw.SQLITE_TEXT => "text",
        raw.SQLITE_BLOB => "bytes",
        _ => "null",
    };
}
