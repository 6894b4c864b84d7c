using Millrace.Storage;

namespace Millrace.Engine.Tests.Support;

/// <summary>A unit that tells each of its statements before it is carried out.</summary>
internal sealed class WatchedUnit(DbUnit unit, Action<string> tell) : DbUnit
{
    public override long Transaction => unit.Transaction;

    public override long Horizon => unit.Horizon;

    public override int Execute(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        return unit.Execute(sql, parameters);
    }

    public override List<T> Query<T>(string sql, Func<DbRow, T> map, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        return unit.Query(sql, map, parameters);
    }

    public override T? First<T>(string sql, Func<DbRow, T> map, T? absent, params ReadOnlySpan<DbValue> parameters)
        where T : default
    {
        tell(sql);
        return unit.First(sql, map, absent, parameters);
    }

    public override void InsertLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        unit.InsertLater(row, sql, parameters);
    }

    public override void ChangeLater(Guid row, Func<Guid, Exception>? otherwise, string sql, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        unit.ChangeLater(row, otherwise, sql, parameters);
    }

    public override void TouchLater(Guid row, string sql, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        unit.TouchLater(row, sql, parameters);
    }

    public override long AppendLater(string sql, params ReadOnlySpan<DbValue> parameters)
    {
        tell(sql);
        return unit.AppendLater(sql, parameters);
    }

    internal override void Script(string sql) => unit.Script(sql);
}
