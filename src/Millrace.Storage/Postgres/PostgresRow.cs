using Npgsql;

namespace Millrace.Storage.Postgres;

internal sealed class PostgresRow(NpgsqlDataReader reader) : DbRow
{
    public override bool IsNull(int column) => reader.IsDBNull(column);
    public override long Long(int column) => reader.GetInt64(column);
    public override double Double(int column) => reader.GetDouble(column);
    public override string Text(int column) => reader.GetString(column);
    public override byte[] Bytes(int column) => reader.GetFieldValue<byte[]>(column);
    public override Guid Id(int column) => reader.GetGuid(column);
}
