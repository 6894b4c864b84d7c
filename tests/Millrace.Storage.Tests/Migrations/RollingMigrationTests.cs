using Millrace.Storage.Migrations;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;
using Millrace.Tests.Servers;

namespace Millrace.Storage.Tests.Migrations;

/// <summary>Two builds on one database: the newer one goes ahead, the older one follows where it may.</summary>
public abstract class RollingMigrationTests : IAsyncLifetime
{
    private static readonly Migration First = Migration.Of(1, "first", "create table a (x bigint not null)");
    private static readonly Migration Adds = Migration.Of(2, "adds", "-- compatible with builds that know 0001\nalter table a add column y bigint");
    private static readonly Migration AddsMore = Migration.Of(3, "adds_more", "-- compatible with builds that know 0002\nalter table a add column z bigint");

    private readonly TemporaryFolder _folder = new();
    private Database _database = null!;

    internal abstract Task<Database> OpenAsync(string path);

    internal abstract Task<DatabaseVersion> MigrateAsync(Database database, MigrationSet build);

    public async ValueTask InitializeAsync() => _database = await OpenAsync(_folder["data.db"]);

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Fault_27_an_older_build_works_on_a_database_whose_newer_migrations_say_that_it_may()
    {
        await Migrate(First);
        Assert.Equal(new DatabaseVersion(2, 2), await Migrate(First, Adds));
        Assert.Equal(new DatabaseVersion(2, 1), await Migrate(First));
        await _database.WriteAsync(db => db.Execute("insert into a (x) values (1)"));
        Assert.Equal(new DatabaseVersion(2, 2), await Migrate(First, Adds));
    }

    [Fact]
    public async Task A_build_that_knows_too_little_is_refused_though_others_are_not()
    {
        await Migrate(First, Adds, AddsMore);
        Assert.Equal(new DatabaseVersion(3, 2), await Migrate(First, Adds));
        var refused = await Assert.ThrowsAsync<MigrationException>(() => Migrate(First));
        Assert.Contains("newer than this build: it has migration 0003_adds_more, this build knows up to 0001, and 0003_adds_more needs one that knows 0002", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_the_first_builds_made_gains_the_column()
    {
        await _database.WriteAsync(db => db.Execute("create table migration (number integer primary key, name text not null, sha256 text not null, applied_at bigint not null)"));
        await _database.WriteAsync(db => db.Execute("create table a (x bigint not null)"));
        await _database.WriteAsync(db => db.Execute("insert into migration (number, name, sha256, applied_at) values (1, 'first', $1, 5)", First.Sha256));
        Assert.Equal(new DatabaseVersion(2, 2), await Migrate(First, Adds));
        Assert.Equal(["1 ?", "2 1"], await _database.ReadAsync(db => db.Query("select number, needs from migration order by number", r => $"{r.Long(0)} {r.LongOrNull(1)?.ToString() ?? "?"}")));
        await Assert.ThrowsAsync<MigrationException>(() => Migrate());
    }

    [Theory]
    [InlineData("-- compatible with builds that know 2")]
    [InlineData("-- Compatible with all builds")]
    [InlineData("-- compatible with builds that know 0003")]
    [InlineData("-- compatible with builds that know 0000")]
    public void A_first_line_that_promises_something_else_is_refused(string line) =>
        Assert.Throws<MigrationException>(() => Migration.Of(3, "odd", $"{line}\nselect 1"));

    private Task<DatabaseVersion> Migrate(params Migration[] build) => MigrateAsync(_database, new MigrationSet(build));
}

public sealed class SqliteRollingMigrationTests : RollingMigrationTests
{
    internal override Task<Database> OpenAsync(string path) => Task.FromResult<Database>(SqliteDatabase.Open(path));

    internal override Task<DatabaseVersion> MigrateAsync(Database database, MigrationSet build) => ((SqliteDatabase)database).MigrateAsync(build, CancellationToken.None);
}

public sealed class PostgresRollingMigrationTests : RollingMigrationTests
{
    internal override async Task<Database> OpenAsync(string path) => PostgresDatabase.Open(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync());

    internal override Task<DatabaseVersion> MigrateAsync(Database database, MigrationSet build) => ((PostgresDatabase)database).MigrateAsync(build, CancellationToken.None);
}
