namespace Millrace.Storage;

/// <summary>
/// One transaction, as stores see it. Statements are written once for every database: parameters are <c>$1</c>, <c>$2</c>, …, and
/// what only PostgreSQL needs (locks that SQLite's single writer does without) stands in a comment <c>/*pg: for share */</c>.
/// Statements are prepared once per connection and text, so pass constant text. A unit is usable only inside the function it
/// was given to, on that function's thread.
/// </summary>
/// <remarks>
/// The <c>Later</c> forms say that nobody needs an answer yet: a driver for which each statement is a round trip may send them at the end,
/// together with the same statements of other units. They are carried out before any statement that answers, and before the commit;
/// those on one row keep their order. When one is refused, its unit and no other is undone.
/// <para>
/// With its first refused statement a unit is over, on every database: what it asks for later is refused with the same exception, and so is the
/// unit itself, even when its function caught that. Who must find out whether something is possible asks first, or in a unit of its own.
/// </para>
/// </remarks>
/// <exception cref="StatementException">Thrown by every member for a statement that the database refuses.</exception>
public abstract class DbUnit
{
    /// <returns>Rows changed.</returns>
    public abstract int Execute(string sql, params ReadOnlySpan<DbValue> parameters);

    /// <returns>Rows in the order the database gives them.</returns>
    public abstract List<T> Query<T>(string sql, Func<DbRow, T> map, params ReadOnlySpan<DbValue> parameters);

    /// <returns>The first row mapped, or <paramref name="absent"/>.</returns>
    public abstract T? First<T>(string sql, Func<DbRow, T> map, T? absent, params ReadOnlySpan<DbValue> parameters);

    /// <summary>Tells transactions that write apart: what was read in one holds until it ends, so it need not be read for each unit again. Another one too when a unit was undone and its locks are gone.</summary>
    public abstract long Transaction { get; }

    /// <summary>Carries out an <c>insert into … values (…)</c> or <c>insert into … select … where …</c>, perhaps later.</summary>
    /// <param name="row">The run that the inserted row is or belongs to.</param>
    public abstract void InsertLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters);

    /// <summary>Carries out an <c>update</c> or <c>delete</c> of what belongs to one run, perhaps later.</summary>
    /// <param name="otherwise">When given, the change must find a row; what refuses the unit when it does not.</param>
    public abstract void ChangeLater(Guid row, Func<Guid, Exception>? otherwise, string sql, params ReadOnlySpan<DbValue> parameters);

    /// <summary>As <see cref="ChangeLater"/>, for an update that is the same whether it is done once or twice in a transaction.</summary>
    public abstract void TouchLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters);

    /// <summary>
    /// Inserts a row into a log, perhaps later. <c>$1</c> of the statement is the row's position and is supplied by the database: the others
    /// begin at <c>$2</c>. Whoever has read a log up to <see cref="Horizon"/> will never find a new row at or below it.
    /// </summary>
    /// <returns>The position.</returns>
    public abstract long AppendLater(string sql, params ReadOnlySpan<DbValue> parameters);

    /// <summary>Positions of a log up to here are settled: transactions under way can only add higher ones.</summary>
    public abstract long Horizon { get; }

    /// <summary>Why a statement of this unit was refused; null while none was.</summary>
    internal Exception? Refusal { get; private protected set; }

    /// <summary>Throws what refused a statement of the unit.</summary>
    internal void CheckNotRefused()
    {
        if (Refusal is { } refusal) throw refusal;
    }

    /// <summary>Runs every statement of a migration.</summary>
    internal abstract void Script(string sql);
}

/// <summary>The current row; columns count from 0. Reading a null as a number or text throws; the <c>OrNull</c> forms do not.</summary>
public abstract class DbRow
{
    public abstract bool IsNull(int column);
    public abstract long Long(int column);
    public abstract double Double(int column);
    public abstract string Text(int column);
    public abstract byte[] Bytes(int column);
    public abstract Guid Id(int column);

    public int Int(int column) => checked((int)Long(column));
    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);
    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);
    public byte[]? BytesOrNull(int column) => IsNull(column) ? null : Bytes(column);
    public Guid? IdOrNull(int column) => IsNull(column) ? null : Id(column);
}

/// <summary>A statement's parameter without boxing: null, integer, real, text, bytes or id (16 bytes, big endian).</summary>
public readonly struct DbValue
{
    public enum Type : byte { Null, Long, Double, Text, Bytes, Id }

    private DbValue(Type kind, long number, ReadOnlyMemory<byte> bytes, string? text, Guid id, double real)
    {
        Kind = kind;
        Long = number;
        Bytes = bytes;
        Text = text;
        Id = id;
        Double = real;
    }

    public Type Kind { get; }
    public long Long { get; }
    public double Double { get; }
    public string? Text { get; }
    public ReadOnlyMemory<byte> Bytes { get; }
    public Guid Id { get; }

    /// <summary>What a null would be if it were there; <see cref="Type.Null"/> when nobody said.</summary>
    internal Type NullOf => (Type)Long;

    public static implicit operator DbValue(long value) => new(Type.Long, value, default, null, default, 0);
    public static implicit operator DbValue(long? value) => value is { } v ? v : Absent(Type.Long);
    public static implicit operator DbValue(bool value) => value ? 1L : 0L;
    public static implicit operator DbValue(double value) => new(Type.Double, 0, default, null, default, value);
    public static implicit operator DbValue(string? value) => value is null ? Absent(Type.Text) : new(Type.Text, 0, default, value, default, 0);
    public static implicit operator DbValue(ReadOnlyMemory<byte> value) => new(Type.Bytes, 0, value, null, default, 0);
    public static implicit operator DbValue(byte[]? value) => value is null ? Absent(Type.Bytes) : new(Type.Bytes, 0, value, null, default, 0);
    public static implicit operator DbValue(Guid value) => new(Type.Id, 0, default, null, value, 0);
    public static implicit operator DbValue(Guid? value) => value is { } v ? v : Absent(Type.Id);

    private static DbValue Absent(Type of) => new(Type.Null, (long)of, default, null, default, 0);
}
