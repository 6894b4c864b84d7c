using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Storage.Migrations;

/// <param name="Sha256">Lower-case hex of the text with line ends as LF, so that a checkout on another system has the same.</param>
/// <param name="Needs">The last migration that a build must know to work on a database that has this one: its own number, unless its first line says
/// <c>-- compatible with builds that know 0007</c>, since it only adds what those builds neither read nor must write.</param>
internal sealed partial record Migration(int Number, string Name, string Sql, string Sha256, int Needs)
{
    /// <exception cref="MigrationException">Its first line is about compatibility and not of that form.</exception>
    public static Migration Of(int number, string name, string sql)
    {
        var text = sql.ReplaceLineEndings("\n");
        return new Migration(number, name, text, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), NeedsOf(number, name, text));
    }

    private static int NeedsOf(int number, string name, string text)
    {
        var line = text.Split('\n', 2)[0];
        if (!line.Contains("compatible", StringComparison.OrdinalIgnoreCase)) return number;
        if (Compatible().Match(line) is { Success: true } match && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is var needs && needs >= 1 && needs < number) return needs;
        throw new MigrationException($"Migration {number:D4}_{name} begins with '{line}'; it must be '-- compatible with builds that know NNNN', with the number of an earlier migration.");
    }

    [GeneratedRegex(@"^-- compatible with builds that know (\d{4})$", RegexOptions.CultureInvariant)]
    private static partial Regex Compatible();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number:D4}_{Name}");
}

/// <summary>Every migration this build knows, numbered from 1 without gaps.</summary>
internal sealed partial class MigrationSet
{
    private const string Table = """
        create table if not exists migration (
            number integer primary key, name text not null, sha256 text not null, applied_at bigint not null)
        """;

    /// <summary>How the record of a database is called that is being filled by a move and not whole yet. Its number is one that no build knows.</summary>
    internal const string Unfinished = "unfinished_move";

    /// <summary>The same of a database that a backup is being restored into.</summary>
    internal const string UnfinishedRestore = "unfinished_restore";

    internal const int UnfinishedNumber = 9_999;

    private readonly List<Migration> _known;

    /// <exception cref="MigrationException">Two have the same number, or one is missing.</exception>
    public MigrationSet(IEnumerable<Migration> migrations)
    {
        _known = [.. migrations.OrderBy(m => m.Number)];
        for (var i = 0; i < _known.Count; i++)
        {
            if (_known[i].Number == i + 1) continue;
            throw new MigrationException(i > 0 && _known[i].Number == _known[i - 1].Number
                ? $"Two migrations have the same number: {_known[i - 1]} and {_known[i]}."
                : $"Migration {i + 1:D4} is missing from this build: the next one is {_known[i]}.");
        }
    }

    /// <param name="prefix">Where they stand among the assembly's resources, such as <c>migrations/sqlite/</c>.</param>
    public static MigrationSet OfAssembly(string prefix)
    {
        var assembly = typeof(MigrationSet).Assembly;
        return new MigrationSet(assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                return Parse(name[prefix.Length..], reader.ReadToEnd());
            }));
    }

    internal static Migration Parse(string fileName, string sql) =>
        FileName().Match(fileName) is { Success: true } match
            ? Migration.Of(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[2].Value, sql)
            : throw new MigrationException($"'{fileName}' is no name for a migration; it must be like 0001_foundation.sql.");

    /// <summary>Applies what is missing, each in a transaction of its own together with its record.</summary>
    /// <param name="restoring">Also to a database whose restore is not finished: by the restore itself.</param>
    public async Task<DatabaseVersion> ApplyAsync(Database database, TimeProvider time, CancellationToken cancel, bool restoring = false)
    {
        await database.WriteAsync(unit => unit.Execute(Table));
        await AddNeedsAsync(database, cancel);
        var applied = await database.ReadAsync(Applied, cancel);
        if (restoring) applied.RemoveAll(a => a.Name == UnfinishedRestore);
        Compare(applied);
        foreach (var migration in _known.Skip(applied.Count))
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                await database.WriteAsync(unit => Apply(unit, migration, time.GetUtcNow()));
            }
            catch (StatementException e)
            {
                throw new MigrationException($"Migration {migration} failed and was undone: {e.Message}");
            }
        }

        return new DatabaseVersion(Math.Max(applied.Count, _known.Count), _known.Count);
    }

    /// <summary>Databases of the first builds have no such column. SQLite has no "add column if not exists".</summary>
    private static async Task AddNeedsAsync(Database database, CancellationToken cancel)
    {
        try
        {
            await database.ReadAsync(unit => unit.First("select max(needs) from migration", r => r.LongOrNull(0), null), cancel);
        }
        catch (StatementException)
        {
            await database.WriteAsync(unit => unit.Execute("alter table migration add column needs bigint"));
        }
    }

    private void Compare(List<Recorded> applied)
    {
        for (var i = 0; i < applied.Count; i++)
        {
            var there = applied[i];
            if (there.Name == Unfinished)
                throw new MigrationException("The database is being filled by 'millrace admin move', or such a move was interrupted. Run the move to its end.");
            if (there.Name == UnfinishedRestore)
                throw new MigrationException("The database is being filled by 'millrace admin restore', or that failed or was interrupted. When it is not under way, restore into another, empty database.");
            if (there.Number != i + 1)
                throw new MigrationException($"The database lacks migration {i + 1:D4} but has {there}: its record was altered.");
            if (i < _known.Count && there.Sha256 != _known[i].Sha256)
                throw new MigrationException(
                    $"Migration {_known[i]} of this build differs from the {there} the database was given (sha256 {_known[i].Sha256} here, {there.Sha256} there).");
            if (i >= _known.Count && there.Needs > _known.Count)
                throw new MigrationException(
                    $"The database is newer than this build: it has migration {applied[^1]}, this build knows up to {_known.Count:D4}, and {there} needs one that knows {there.Needs:D4}. Start a newer build.");
        }
    }

    private static List<Recorded> Applied(DbUnit unit) => unit.Query(
        "select number, name, sha256, needs from migration order by number",
        row => new Recorded(row.Int(0), row.Text(1), row.Text(2), (int)(row.LongOrNull(3) ?? row.Long(0))));

    private static bool Apply(DbUnit unit, Migration migration, DateTimeOffset now)
    {
        unit.Script(migration.Sql);
        unit.Execute(
            "insert into migration (number, name, sha256, needs, applied_at) values ($1, $2, $3, $4, $5)",
            migration.Number, migration.Name, migration.Sha256, migration.Needs, (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        return true;
    }

    [GeneratedRegex(@"^(\d{4})_([a-z0-9_]+)\.sql$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    private sealed record Recorded(int Number, string Name, string Sha256, int Needs)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number:D4}_{Name}");
    }
}
