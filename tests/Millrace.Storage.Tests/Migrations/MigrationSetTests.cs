using Millrace.Storage.Migrations;
using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Migrations;

public sealed class MigrationSetTests : IAsyncLifetime
{
    private static readonly Migration First = Migration.Of(1, "first", "create table a (x integer);\n-- a comment; with a semicolon\ncreate index a_x on a (x);\n");
    private static readonly Migration Second = Migration.Of(2, "second", "create table b (y text); insert into b values ('one; two');");

    private readonly TemporaryFolder _folder = new();
    private SqliteDatabase _database = null!;

    public ValueTask InitializeAsync()
    {
        _database = SqliteDatabase.Open(_folder["data.db"]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Missing_migrations_are_applied_in_order_and_recorded()
    {
        await Migrate(Second, First);
        Assert.Equal(["1 first", "2 second"], await _database.ReadAsync(unit => unit.Query(
            "select number || ' ' || name from migration where applied_at > 1600000000000000 order by number", r => r.Text(0))));
        Assert.Equal("one; two", await _database.ReadAsync(unit => unit.First("select y from b", r => r.Text(0), null)));
    }

    [Fact]
    public async Task Migrating_again_applies_only_what_is_new()
    {
        await Migrate(First);
        await Migrate(First);
        await Migrate(First, Second);
        Assert.Equal(2, await Recorded());
    }

    [Fact]
    public async Task A_database_newer_than_the_build_is_refused()
    {
        await Migrate(First, Second);
        await Refuses("newer than this build: it has migration 0002_second, this build knows up to 0001", First);
    }

    [Fact]
    public async Task An_applied_migration_that_differs_is_refused_and_nothing_new_is_applied()
    {
        await Migrate(First);
        await Refuses("0001_first of this build differs", Migration.Of(1, "first", "create table a (x text)"), Second);
        Assert.Equal(1, await Recorded());
    }

    [Fact]
    public async Task Line_ends_make_no_difference()
    {
        await Migrate(First);
        await Migrate(Migration.Of(1, "first", First.Sql.ReplaceLineEndings("\r\n")));
    }

    [Fact]
    public async Task A_record_with_a_gap_is_refused()
    {
        await Migrate(First, Second);
        await _database.WriteAsync(unit => unit.Execute("delete from migration where number = 1"));
        await Refuses("lacks migration 0001 but has 0002_second", First, Second);
    }

    [Fact]
    public async Task A_migration_that_fails_is_undone_whole_and_those_before_it_stay()
    {
        await Refuses(
            "Migration 0002_bad failed and was undone: no such table: missing",
            First, Migration.Of(2, "bad", "create table c (z); insert into a values (1); insert into missing values (1)"));
        Assert.Equal(1, await Recorded());
        Assert.Equal(0, await _database.ReadAsync(unit => unit.First("select count(*) from sqlite_master where name = 'c'", r => r.Int(0), -1)));
        Assert.Equal(0, await _database.ReadAsync(unit => unit.First("select count(*) from a", r => r.Int(0), -1)));
        await Migrate(First, Second);
    }

    [Fact]
    public async Task A_migration_that_ends_its_own_transaction_is_not_recorded()
    {
        await Assert.ThrowsAsync<StorageUnavailableException>(() => Migrate(Migration.Of(1, "sly", "create table a (x); commit; create table b (y)")));
        Assert.Equal(0, await Recorded());
    }

    [Theory]
    [InlineData("Migration 0001 is missing from this build: the next one is 0002_b", 2, 3)]
    [InlineData("Migration 0002 is missing from this build: the next one is 0003_c", 1, 3)]
    [InlineData("Two migrations have the same number: 0001_a and 0001_a", 1, 1)]
    public void A_build_with_gaps_or_doubles_is_refused(string expected, params int[] numbers)
    {
        var error = Assert.Throws<MigrationException>(() => new MigrationSet(numbers.Select(n => Migration.Of(n, $"{(char)('a' + n - 1)}", ""))));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1_a.sql")]
    [InlineData("0001-a.sql")]
    [InlineData("0001_A.sql")]
    [InlineData("notes.txt")]
    public void A_file_with_another_kind_of_name_is_refused(string name) =>
        Assert.Throws<MigrationException>(() => MigrationSet.Parse(name, ""));

    [Fact]
    public void A_file_name_gives_number_and_name() =>
        Assert.Equal((12, "run_labels", "x\n"), MigrationSet.Parse("0012_run_labels.sql", "x\r\n") is var m ? (m.Number, m.Name, m.Sql) : default);

    [Fact]
    public async Task The_migrations_of_this_build_apply_to_an_empty_database_and_then_again()
    {
        await _database.MigrateAsync();
        await _database.MigrateAsync();
        Assert.Equal(
            typeof(Migration).Assembly.GetManifestResourceNames().Count(n => n.StartsWith("migrations/sqlite/", StringComparison.Ordinal)),
            await Recorded());
    }

    private Task<DatabaseVersion> Migrate(params Migration[] migrations) => _database.MigrateAsync(new MigrationSet(migrations), CancellationToken.None);

    private Task<int> Recorded() => _database.ReadAsync(unit => unit.First("select count(*) from migration", r => r.Int(0), -1));

    private async Task Refuses(string expected, params Migration[] migrations)
    {
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(migrations));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
