using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

public sealed class SqliteDatabaseTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private SqliteDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = SqliteDatabase.Open(_folder["data.db"]);
        await _database.WriteAsync(unit => unit.Execute("create table item (id integer primary key, name text unique, body blob, weight real, parent blob)"));
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_id_is_stored_as_sixteen_bytes_in_the_order_it_is_written()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        await _database.WriteAsync(unit => unit.Execute("insert into item (parent) values ($1)", id));
        Assert.Equal("00112233445566778899AABBCCDDEEFF", await _database.ReadAsync(unit => unit.First("select hex(parent) from item", r => r.Text(0), null)));
    }

    [Theory]
    [InlineData("select ?1")]
    [InlineData("select :name")]
    [InlineData("select 1; select 2")]
    [InlineData("")]
    [InlineData("-- nothing")]
    public async Task Text_that_is_not_one_statement_with_numbered_parameters_is_refused(string sql) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _database.ReadAsync(unit => unit.First(sql, r => r.Long(0), 0, 1L)));

    [Fact]
    public async Task Text_with_a_lone_surrogate_is_refused_instead_of_altered()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => _database.WriteAsync(unit => unit.Execute("insert into item (name) values ($1)", "ab\ud800")));
        Assert.Contains("index 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_returned_row_can_be_mapped_and_a_row_appended_to_a_log_gets_the_next_position()
    {
        var (returned, appended) = await _database.WriteAsync(unit => (
            unit.First("insert into item (name) values ($1) returning id", r => r.Long(0), 0L, "a"),
            unit.AppendLater("insert into item (id, name) values ($1, $2)", "b")));
        Assert.Equal(returned + 1, appended);
    }

    [Fact]
    public async Task A_statement_may_run_inside_the_rows_of_the_same_statement()
    {
        await _database.WriteAsync(unit => unit.Execute("insert into item (id) values (1), (2), (3)"));
        const string Sql = "select id from item where id >= $1 order by id";
        var nested = await _database.ReadAsync(unit => unit.Query(
            Sql, row => unit.Query(Sql, inner => inner.Long(0), row.Long(0)).Count, 1L));
        Assert.Equal([3, 2, 1], nested);
    }

    [Fact]
    public async Task A_mistake_in_a_statement_is_told_with_its_text()
    {
        var error = await Assert.ThrowsAsync<StatementException>(() => _database.ReadAsync(unit => unit.First("select absent", r => r.Long(0), 0)));
        Assert.Equal(StatementFailure.Other, error.Failure);
        Assert.Contains("no such column: absent in: select absent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_a_column_as_what_it_is_not_is_refused_with_its_name()
    {
        var error = await Assert.ThrowsAsync<InvalidCastException>(() => _database.ReadAsync(unit => unit.First("select 'x' as title", r => r.Long(0), 0)));
        Assert.Contains("Column 0 (title) holds text, not an integer", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _database.ReadAsync(unit => unit.First("select 1", r => r.Long(1), 0)));
        await Assert.ThrowsAsync<InvalidCastException>(() => _database.ReadAsync(unit => unit.First("select x'00'", r => r.Id(0), default)));
    }

    [Fact]
    public async Task What_was_written_is_there_after_the_file_is_opened_again()
    {
        await _database.WriteAsync(unit => unit.Execute("insert into item (name) values ('x')"));
        await _database.DisposeAsync();
        Assert.False(File.Exists(_folder["data.db-wal"]));
        _database = SqliteDatabase.Open(_folder["data.db"]);
        Assert.Equal(1, await _database.ReadAsync(Count));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        await File.WriteAllTextAsync(_folder["other.db"], new string('x', 10_000));
        var error = Assert.Throws<StorageUnavailableException>(() => SqliteDatabase.Open(_folder["other.db"]));
        Assert.Equal("storage.io", error.Fault.Code);
    }

    [Fact]
    public async Task Options_out_of_their_limits_are_refused()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => SqliteDatabase.Open(_folder["x.db"], new SqliteOptions { ReadersMax = 65 }));
        Assert.Contains("ReadersMax must be 1 to 64", error.Message, StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Text_may_hold_the_character_zero()
    {
        await _database.WriteAsync(unit => unit.Execute("insert into item (name) values ($1)", "a\0b"));
        Assert.Equal("a\0b", await _database.ReadAsync(unit => unit.First("select name from item", r => r.Text(0), null)));
    }

    [Fact]
    public async Task A_reference_left_dangling_fails_the_unit_that_left_it_and_no_other()
    {
        await _database.WriteAsync(unit => unit.Execute("create table child (item integer references item (id) deferrable initially deferred)"));
        var dangling = _database.WriteAsync(unit => unit.Execute("insert into child (item) values (77)"));
        var mended = _database.WriteAsync(unit => unit.Execute("insert into child (item) values (5)") + Insert(unit, 5));
        Assert.Equal(StatementFailure.ForeignKey, (await Assert.ThrowsAsync<StatementException>(() => dangling)).Failure);
        await mended;
        Assert.Equal(1, await _database.ReadAsync(Count));
    }

    [Fact]
    public async Task A_unit_that_undoes_the_shared_transaction_fails_and_its_later_statements_do_not_run()
    {
        await _database.WriteAsync(unit => Insert(unit, 1));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _database.WriteAsync(unit =>
        {
            Assert.Throws<StatementException>(() => unit.Execute("insert or rollback into item (id) values (1)"));
            return Insert(unit, 2);
        }));
        Assert.Equal([1], await _database.ReadAsync(unit => unit.Query("select id from item order by id", r => r.Long(0))));
    }

    private static int Count(DbUnit unit) => unit.First("select count(*) from item", r => r.Int(0), 0);

    private static int Insert(DbUnit unit, long id) => unit.Execute("insert into item (id) values ($1)", id);
}
