using System.Buffers;
using System.Globalization;
using System.Text;
using SQLitePCL;

namespace Millrace.Storage.Sqlite;

/// <summary>A prepared statement: bind, step through rows, release.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private const int StackBytes = 1_024;
    private const int LargeBytes = 65_536;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SqliteConnection _connection;
    private readonly sqlite3_stmt? _handle;
    private int[] _ordinals = [];
    private int _parameters;
    private bool _holdsLarge;

    public SqliteStatement(SqliteConnection connection, sqlite3_stmt? handle, string sql)
    {
        _connection = connection;
        _handle = handle is { IsInvalid: false } ? handle : null;
        Sql = sql;
        if (_handle is null) return;
        Row = new SqliteRow(_handle, sql);
        ChangesSchema = raw.sqlite3_stmt_readonly(_handle) == 0 && !IsRowStatement(sql);
    }

    public string Sql { get; }
    public bool InUse { get; set; }
    public long LastUsed { get; set; }

    /// <summary>False for one that serves a single use and is not in the cache.</summary>
    public bool IsKept { get; set; }

    /// <summary>The text held nothing but blanks and comments.</summary>
    public bool IsEmpty => _handle is null;

    /// <summary>It changes something that <see cref="SqliteConnection.TotalChanges"/> does not count.</summary>
    public bool ChangesSchema { get; }

    public SqliteRow Row { get; } = null!;

    /// <summary>SQLite numbers parameters by first appearance; which <c>$n</c> each is stands in its name.</summary>
    public void ReadParameters()
    {
        var count = raw.sqlite3_bind_parameter_count(_handle);
        if (count == 0) return;
        _ordinals = new int[count];
        for (var i = 0; i < count; i++)
        {
            var name = raw.sqlite3_bind_parameter_name(_handle, i + 1).utf8_to_string();
            if (name is not ['$', .. var digits]
                || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                throw new ArgumentException($"Parameter '{name ?? "?"}' is not of the form $1 in: {Sql}");
            _ordinals[i] = number - 1;
            _parameters = Math.Max(_parameters, number);
        }
    }

    /// <returns>Bytes bound.</returns>
    public long Bind(ReadOnlySpan<DbValue> parameters)
    {
        if (parameters.Length != _parameters)
            throw new ArgumentException($"{_parameters} parameters are needed, {parameters.Length} were given: {Sql}", nameof(parameters));
        var bytes = 0L;
        for (var i = 0; i < _ordinals.Length; i++) bytes += BindOne(i + 1, in parameters[_ordinals[i]]);
        _holdsLarge = bytes > LargeBytes;
        return bytes;
    }

    /// <returns>True when there is a row.</returns>
    public bool Step() => raw.sqlite3_step(_handle) switch
    {
        raw.SQLITE_ROW => true,
        raw.SQLITE_DONE => false,
        _ => throw _connection.Refusal(Sql),
    };

    public void Release()
    {
        if (!IsKept)
        {
            Dispose();
            return;
        }

        raw.sqlite3_reset(_handle);
        if (_holdsLarge) raw.sqlite3_clear_bindings(_handle);
        InUse = false;
    }

    public void Dispose() => _handle?.manual_close();

    private long BindOne(int index, in DbValue value)
    {
        switch (value.Kind)
        {
            case DbValue.Type.Null:
                Check(raw.sqlite3_bind_null(_handle, index));
                return 1;
            case DbValue.Type.Long:
                Check(raw.sqlite3_bind_int64(_handle, index, value.Long));
                return 8;
            case DbValue.Type.Double:
                Check(raw.sqlite3_bind_double(_handle, index, value.Double));
                return 8;
            case DbValue.Type.Text:
                return BindText(index, value.Text!);
            case DbValue.Type.Bytes:
                return BindBytes(index, value.Bytes.Span);
            case DbValue.Type.Id:
                Span<byte> id = stackalloc byte[16];
                value.Id.TryWriteBytes(id, bigEndian: true, out _);
                return BindBytes(index, id);
            default:
                throw new InvalidOperationException($"Unknown kind of value {value.Kind}.");
        }
    }

    private long BindBytes(int index, ReadOnlySpan<byte> bytes)
    {
        // The binding passes the address of the first byte, and a null address would be a null value.
        Check(bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(_handle, index, 0) : raw.sqlite3_bind_blob(_handle, index, bytes));
        return bytes.Length;
    }

    private long BindText(int index, string text)
    {
        if (text.Length == 0)
        {
            Check(raw.sqlite3_bind_text(_handle, index, ""));
            return 0;
        }

        var rented = text.Length * 3 > StackBytes ? ArrayPool<byte>.Shared.Rent(text.Length * 3) : null;
        Span<byte> buffer = rented ?? stackalloc byte[StackBytes];
        try
        {
            var utf8 = buffer[..Encode(text, buffer)];
            Check(raw.sqlite3_bind_text(_handle, index, utf8));
            return utf8.Length;
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private int Encode(string text, Span<byte> utf8)
    {
        try
        {
            return Strict.GetBytes(text, utf8);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"Text is not valid Unicode: a lone surrogate at index {e.Index}, for: {Sql}", e);
        }
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) throw _connection.Refusal(Sql);
    }

    private static bool IsRowStatement(string sql)
    {
        var text = sql.AsSpan().TrimStart();
        foreach (var word in (ReadOnlySpan<string>)["insert", "update", "delete", "replace", "with"])
        {
            if (text.StartsWith(word, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
