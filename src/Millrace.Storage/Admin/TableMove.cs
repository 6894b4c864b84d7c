using Millrace.Storage.Migrations;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Admin;

/// <summary>
/// Copies every table into an empty PostgreSQL database. From its first row to <see cref="Finish"/> the target bears a mark that keeps every
/// build from serving it; a move that was interrupted finds the mark, empties the tables and begins again.
/// </summary>
public sealed class TableMove
{
    private static readonly Guid AnyRow = Guid.Empty;

    private readonly Database _source;
    private readonly PostgresDatabase _target;
    private readonly List<Table> _from, _into;

    private TableMove(Database source, PostgresDatabase target, List<Table> from, List<Table> into) => (_source, _target, _from, _into) = (source, target, from, into);

    /// <summary>Migrates both and marks the target.</summary>
    /// <exception cref="MigrationException">The source was written by a newer build.</exception>
    /// <exception cref="AdminException">The target is not empty.</exception>
    public static async Task<TableMove> BeginAsync(Database source, PostgresDatabase target, CancellationToken cancel = default)
    {
        var version = await source.MigrateAsync(cancel);
        if (version.Applied > version.Known) throw new AdminException("The source was migrated by a newer build. Move it with that one.");
        await ClearInterruptedAsync(target, cancel);
        await target.MigrateAsync(cancel);
        var (from, into) = (await Table.OfAsync(source, cancel), await Table.OfAsync(target, cancel));
        Compare(from, into);
        await target.WriteAsync(db =>
        {
            if (into.Find(t => t.Page(db, null, 1).Count > 0) is { } full)
                throw new AdminException($"The target is not empty: its table {full.Name} has rows. Nothing was changed; move into an empty database.");
            return db.Execute("insert into migration (number, name, sha256, applied_at) values ($1, $2, '', 0)", MigrationSet.UnfinishedNumber, MigrationSet.Unfinished);
        });
        return new TableMove(source, target, from, into);
    }

    /// <summary>Copies all rows, then reads them back.</summary>
    /// <returns>For each table what was read at the source and what is at the target.</returns>
    public async Task<List<(TableSum Source, TableSum Target)>> CopyAsync(CancellationToken cancel = default)
    {
        var sources = new List<TableSum>();
        for (var i = 0; i < _from.Count; i++) sources.Add(await CopyAsync(_from[i], _into[i], cancel));
        var given = _source is SqliteDatabase
            ? (await _source.ReadAsync(db => db.Query("select name, seq from sqlite_sequence", r => (r.Text(0), r.Long(1))), cancel)).ToDictionary(r => r.Item1, r => r.Item2)
            : [];
        await _target.WriteAsync(db => ResetIdentities(db, given));
        var targets = await _target.ReadAsync(db => TableSum.Of(db, _into), cancel);
        return [.. sources.Zip(targets)];
    }

    /// <summary>Takes the mark away, in the caller's transaction: from now on the database may be served.</summary>
    public static void Finish(DbUnit target) => target.Execute("delete from migration where name = $1", MigrationSet.Unfinished);

    private static async Task ClearInterruptedAsync(PostgresDatabase target, CancellationToken cancel)
    {
        bool marked;
        try
        {
            marked = await target.ReadAsync(db => db.First("select 1 from migration where name = $1", _ => true, false, MigrationSet.Unfinished), cancel);
        }
        catch (StatementException)
        {
            // It was never migrated.
            return;
        }

        if (!marked) return;
        var tables = await Table.OfAsync(target, cancel);
        await target.WriteAsync(db =>
        {
            db.Execute($"truncate table {string.Join(", ", tables.Select(t => t.Name))}");
            Finish(db);
            return 0;
        });
    }

    private async Task<TableSum> CopyAsync(Table from, Table into, CancellationToken cancel)
    {
        using var sum = new TableSum.Running(from);
        var pages = new TableSum.Pages();
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = await _source.ReadAsync(db => pages.Next(db, from), cancel);
            if (rows.Count == 0) return sum.End();
            sum.Add(rows);
            await _target.WriteAsync(db =>
            {
                foreach (var row in rows) db.InsertLater(AnyRow, into.Insert, into.Fit(row));
                return 0;
            });
        }
    }

    /// <summary>What the database numbers next is above what is there, and above what SQLite has ever given.</summary>
    private bool ResetIdentities(DbUnit db, Dictionary<string, long> given)
    {
        foreach (var (table, column) in _into.SelectMany(t => t.Columns.Where(c => c.IsIdentity).Select(c => (t.Name, c.Name))))
        {
            db.First(
                $"select setval(pg_get_serial_sequence('{table}', '{column}'), greatest((select coalesce(max({column}), 0) from {table}), $1, 1))",
                _ => true, false, given.GetValueOrDefault(table));
        }

        return true;
    }

    private static void Compare(List<Table> from, List<Table> into)
    {
        var (here, there) = (from.Select(Shape).ToList(), into.Select(Shape).ToList());
        if (!here.SequenceEqual(there)) throw new AdminException($"The tables differ: {string.Join("; ", here.Except(there).Concat(there.Except(here)))}.");
    }

    private static string Shape(Table table) => $"{table.Name} ({string.Join(", ", table.Columns.Select(c => c.Name))})";
}

/// <summary>An administrative command cannot be carried out; the message says why and what to do.</summary>
public sealed class AdminException(string message) : Exception(message);
