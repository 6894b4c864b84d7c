using System.Text;

namespace Millrace.Storage.Sqlite;

/// <summary>The prepared statements of a connection, by text. Constant text is found by reference, which spares hashing it.</summary>
internal sealed class SqliteStatements(SqliteConnection connection) : IDisposable
{
    private const int Most = 512;

    private readonly Dictionary<string, SqliteStatement> _byReference = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, SqliteStatement> _byText = new(StringComparer.Ordinal);
    private long _clock;

    /// <summary>A statement that nobody else uses until it is given back by <see cref="SqliteStatement.Release"/>.</summary>
    public SqliteStatement Take(string sql)
    {
        if (!_byReference.TryGetValue(sql, out var statement)) statement = FindByText(sql);

        // A statement nested inside the same one's rows: the outer keeps the prepared one.
        if (statement.InUse) return Prepare(sql, kept: false);
        statement.InUse = true;
        statement.LastUsed = ++_clock;
        return statement;
    }

    public void Dispose()
    {
        foreach (var statement in _byText.Values) statement.Dispose();
        _byText.Clear();
        _byReference.Clear();
    }

    private SqliteStatement FindByText(string sql)
    {
        if (!_byText.TryGetValue(sql, out var statement))
        {
            if (_byText.Count == Most) DropOldest();
            statement = Prepare(sql, kept: true);
            _byText.Add(sql, statement);
        }

        if (_byReference.Count == Most) _byReference.Clear();
        _byReference.Add(sql, statement);
        return statement;
    }

    private SqliteStatement Prepare(string sql, bool kept)
    {
        var statement = connection.Prepare(Encoding.UTF8.GetBytes(sql + '\0'), sql, out var rest);
        if (statement.IsEmpty || !IsBlank(rest))
        {
            statement.Dispose();
            throw new ArgumentException($"One statement is needed, no more and no less: {sql}", nameof(sql));
        }

        try
        {
            statement.ReadParameters();
        }
        catch
        {
            statement.Dispose();
            throw;
        }

        statement.IsKept = kept;
        return statement;
    }

    private void DropOldest()
    {
        foreach (var old in _byText.Values.Where(s => !s.InUse).OrderBy(s => s.LastUsed).Take(Most / 4).ToList())
        {
            _byText.Remove(old.Sql);
            old.Dispose();
        }

        _byReference.Clear();
    }

    private static bool IsBlank(ReadOnlySpan<byte> utf8) => utf8.Trim(" \t\r\n;\0"u8).IsEmpty;
}
