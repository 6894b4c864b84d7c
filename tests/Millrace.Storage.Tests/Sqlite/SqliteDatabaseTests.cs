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
    public async Task Values_of_every_kind_come_back_as_they_went_in()
    {
        var id = Guid.CreateVersion7();
        byte[] body = [0, 1, 255];
        await _database.WriteAsync(unit => unit.Execute(
            "insert into item (id, name, body, weight, parent) values ($1, $2, $3, $4, $5)", long.MinValue, "żółw 🐢\0x", body, 0.1, id));

        var row = await _database.ReadAsync(unit => unit.First(
            "select id, name, body, weight, parent from item", r => (r.Long(0), r.Text(1), r.Bytes(2), r.Double(3), r.Id(4)), default));

        Assert.Equal((long.MinValue, "żółw 🐢\0x", 0.1, id), (row.Item1, row.Item2, row.Item4, row.Item5));
        Assert.Equal(body, row.Item3);
    }

    [Fact]
    public async Task An_id_is_stored_as_sixteen_bytes_in_the_order_it_is_written()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        await _database.WriteAsync(unit => unit.Execute("insert into item (parent) values ($1)", id));
        Assert.Equal("00112233445566778899AABBCCDDEEFF", await _database.ReadAsync(unit => unit.First("select hex(parent) from item", r => r.Text(0), null)));
    }

    [Fact]
    public async Task Empty_text_and_empty_bytes_are_not_null()
    {
        await _database.WriteAsync(unit => unit.Execute("insert into item (name, body) values ($1, $2)", "", Array.Empty<byte>()));
        var row = await _database.ReadAsync(unit => unit.First("select name, body from item", r => (r.Text(0), r.Bytes(1)), default));
        Assert.Equal("", row.Item1);
        Assert.Empty(row.Item2);
    }

    [Fact]
    public async Task Nulls_come_back_as_null_and_throw_where_a_value_is_asked_for()
    {
        await _database.WriteAsync(unit => unit.Execute(
            "insert into item (name, body, weight, parent) values ($1, $2, $3, $4)", (string?)null, (byte[]?)null, default(DbValue), (Guid?)null));
        var nulls = await _database.ReadAsync(unit => unit.First(
            "select name, body, weight, parent from item", r => (r.TextOrNull(0), r.BytesOrNull(1), r.IsNull(2), r.IdOrNull(3)), default));
        Assert.Equal((null, null, true, null), nulls);
        await Assert.ThrowsAsync<InvalidCastException>(() => _database.ReadAsync(unit => unit.First("select name from item", r => r.Text(0), null)));
    }

    [Fact]
    public async Task A_parameter_may_stand_in_several_places_and_out_of_order()
    {
        var sum = await _database.ReadAsync(unit => unit.First("select $2 * 100 + $1 * 10 + $2", r => r.Long(0), 0L, 3L, 7L));
        Assert.Equal(737, sum);
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
    public async Task The_number_of_parameters_must_be_right() =>
        await Assert.ThrowsAsync<ArgumentException>(() => _database.ReadAsync(unit => unit.First("select $1 + $2", r => r.Long(0), 0, 1L)));

    [Fact]
    public async Task Text_with_a_lone_surrogate_is_refused_instead_of_altered()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => _database.WriteAsync(unit => unit.Execute("insert into item (name) values ($1)", "ab\ud800")));
        Assert.Contains("index 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(341)]
    [InlineData(342)]
    [InlineData(100_000)]
    public async Task Long_text_comes_back_whole(int length)
    {
        var text = new string('€', length);
        Assert.Equal(text, await _database.ReadAsync(unit => unit.First("select $1", r => r.Text(0), null, text)));
    }

    [Fact]
    public async Task Execute_counts_the_rows_it_changed_and_nothing_else()
    {
        var counts = await _database.WriteAsync(unit => (
            unit.Execute("insert into item (name) values ($1), ($2)", "a", "b"),
            unit.Execute("update item set weight = 1 where name = $1", "nobody"),
            unit.Execute("create table other (a)"),
            unit.Execute("delete from item")));
        Assert.Equal((2, 0, 0, 2), counts);
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
    public async Task More_statements_than_the_cache_holds_still_work()
    {
        var sum = await _database.ReadAsync(unit => Enumerable.Range(0, 1_500).Sum(i => unit.First($"select {i} + $1", r => r.Long(0), 0L, 0L)));
        Assert.Equal(1_500L * 1_499 / 2, sum);
    }

    [Fact]
    public async Task A_read_cannot_write()
    {
        await Assert.ThrowsAsync<StatementException>(() => _database.ReadAsync(unit => unit.Execute("insert into item (name) values ('x')")));
        Assert.Null(_database.Fault);
    }

    [Fact]
    public async Task A_unit_is_of_no_use_after_its_function_has_ended()
    {
        var escaped = await _database.ReadAsync(unit => unit);
        Assert.Throws<InvalidOperationException>(() => escaped.First("select 1", r => r.Long(0), 0));
        escaped = await _database.WriteAsync(unit => unit);
        Assert.Throws<InvalidOperationException>(() => escaped.Execute("delete from item"));
    }

    [Fact]
    public async Task A_read_sees_one_snapshot_however_many_statements_it_has()
    {
        using var firstDone = new SemaphoreSlim(0);
        using var written = new SemaphoreSlim(0);
        var read = Task.Run(() => _database.ReadAsync(unit =>
        {
            var before = Count(unit);
            firstDone.Release();
            written.Wait();
            return (before, Count(unit));
        }));
        await firstDone.WaitAsync();
        await _database.WriteAsync(unit => unit.Execute("insert into item (name) values ('x')"));
        written.Release();
        Assert.Equal((0, 0), await read);
        Assert.Equal(1, await _database.ReadAsync(Count));
    }

    [Fact]
    public async Task Cancelling_interrupts_a_statement_and_leaves_its_connection_fit()
    {
        using var cancel = new CancellationTokenSource();
        var endless = Task.Run(() => _database.ReadAsync(
            unit => unit.First(
                "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n, (select $1)",
                r => r.Long(0), 0, Cancelling(cancel)),
            cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        Assert.Equal(0, await _database.ReadAsync(Count));
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
    public async Task A_closed_database_takes_neither_reads_nor_writes()
    {
        await _database.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _database.ReadAsync(Count));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _database.WriteAsync(Count));
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

    private static int Count(DbUnit unit) => unit.First("select count(*) from item", r => r.Int(0), 0);

    private static long Cancelling(CancellationTokenSource cancel)
    {
        // The statement that takes this value never ends by itself. It may start before or after the cancellation.
        ThreadPool.UnsafeQueueUserWorkItem(_ => cancel.Cancel(), null);
        return 1;
    }
}
