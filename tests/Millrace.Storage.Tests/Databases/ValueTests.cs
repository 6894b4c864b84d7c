using Millrace.Tests.Databases;

namespace Millrace.Storage.Tests.Databases;

public abstract class ValueTests(TestDatabases databases) : DatabaseSuite(databases)
{
    private protected override IReadOnlyList<string> Tables { get; } =
        ["create table item (id bigint primary key, name text unique, body bytea, weight double precision, parent uuid)"];

    [Fact]
    public async Task Values_of_every_kind_come_back_as_they_went_in()
    {
        var id = Guid.CreateVersion7();
        byte[] body = [0, 1, 255];
        await Database.WriteAsync(unit => unit.Execute(
            "insert into item (id, name, body, weight, parent) values ($1, $2, $3, $4, $5)", long.MinValue, "żółw 🐢\u0001", body, 0.1, id));

        var row = await Database.ReadAsync(unit => unit.First(
            "select id, name, body, weight, parent from item", r => (r.Long(0), r.Text(1), r.Bytes(2), r.Double(3), r.Id(4)), default));

        Assert.Equal((long.MinValue, "żółw 🐢\u0001", 0.1, id), (row.Item1, row.Item2, row.Item4, row.Item5));
        Assert.Equal(body, row.Item3);
    }

    [Fact]
    public async Task Ids_sort_as_their_bytes_are_written()
    {
        var ids = new[] { "00112233-4455-6677-8899-aabbccddeeff", "01002233-4455-6677-8899-aabbccddeeff", "ff000000-0000-0000-0000-000000000000" }.Select(Guid.Parse).ToList();
        foreach (var (id, i) in ids.Select((id, i) => (id, i)).Reverse())
            await Database.WriteAsync(unit => unit.Execute("insert into item (id, parent) values ($1, $2)", (long)i, id));
        Assert.Equal(ids, await Database.ReadAsync(unit => unit.Query("select parent from item order by parent", r => r.Id(0))));
    }

    [Fact]
    public async Task Empty_text_and_empty_bytes_are_not_null()
    {
        await Database.WriteAsync(unit => unit.Execute("insert into item (id, name, body) values (1, $1, $2)", "", Array.Empty<byte>()));
        var row = await Database.ReadAsync(unit => unit.First("select name, body from item", r => (r.Text(0), r.Bytes(1)), default));
        Assert.Equal("", row.Item1);
        Assert.Empty(row.Item2);
    }

    [Fact]
    public async Task Nulls_come_back_as_null_and_throw_where_a_value_is_asked_for()
    {
        await Database.WriteAsync(unit => unit.Execute(
            "insert into item (id, name, body, weight, parent) values (1, $1, $2, $3, $4)", (string?)null, (byte[]?)null, default(DbValue), (Guid?)null));
        var nulls = await Database.ReadAsync(unit => unit.First(
            "select name, body, weight, parent from item", r => (r.TextOrNull(0), r.BytesOrNull(1), r.IsNull(2), r.IdOrNull(3)), default));
        Assert.Equal((null, null, true, null), nulls);
        await Assert.ThrowsAsync<InvalidCastException>(() => Database.ReadAsync(unit => unit.First("select name from item", r => r.Text(0), null)));
        await Assert.ThrowsAsync<InvalidCastException>(() => Database.ReadAsync(unit => unit.First("select name from item", r => r.Long(0), 0)));
    }

    [Fact]
    public async Task A_parameter_may_stand_in_several_places_and_out_of_order()
    {
        var sum = await Database.ReadAsync(unit => unit.First("select $2 * 100 + $1 * 10 + $2", r => r.Long(0), 0L, 3L, 7L));
        Assert.Equal(737, sum);
    }

    /// <summary>A mistake of ours is no reason to think that the database is away.</summary>
    [Fact]
    public async Task The_number_of_parameters_must_be_right()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Database.ReadAsync(unit => unit.First("select $1 + $2", r => r.Long(0), 0, 1L)));
        await Assert.ThrowsAsync<ArgumentException>(() => Database.WriteAsync(unit => unit.Execute("insert into item (id, weight) values ($1, $2)", 1L)));
        Assert.Null(Database.Fault);
    }

    [Fact]
    public async Task Text_with_a_lone_surrogate_is_refused_instead_of_altered_and_nothing_else_suffers()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Database.WriteAsync(unit => unit.Execute("insert into item (id, name) values (1, $1)", "ab\ud800")));
        await Database.WriteAsync(unit => unit.Execute("insert into item (id, name) values (2, $1)", "ab"));
        Assert.Null(Database.Fault);
        Assert.Equal(1, await Database.ReadAsync(Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(341)]
    [InlineData(100_000)]
    public async Task Long_text_comes_back_whole(int length)
    {
        var text = new string('€', length);
        Assert.Equal(text, await Database.ReadAsync(unit => unit.First("select $1", r => r.Text(0), null, text)));
    }

    [Fact]
    public async Task Execute_counts_the_rows_it_changed_and_nothing_else()
    {
        var counts = await Database.WriteAsync(unit => (
            unit.Execute("insert into item (id, name) values (1, $1), (2, $2)", "a", "b"),
            unit.Execute("update item set weight = 1 where name = $1", "nobody"),
            unit.Execute("create table other (a integer)"),
            unit.Execute("delete from item")));
        Assert.Equal((2, 0, 0, 2), counts);
    }

    [Fact]
    public async Task A_statement_answers_with_the_rows_it_returns()
    {
        var names = await Database.WriteAsync(unit => unit.Query("insert into item (id, name) values (1, 'a'), (2, 'b') returning name", r => r.Text(0)));
        Assert.Equal(["a", "b"], names);
    }

    [Fact]
    public async Task More_statements_than_any_cache_holds_still_work()
    {
        var sum = await Database.ReadAsync(unit => Enumerable.Range(0, 1_500).Sum(i => unit.First($"select {i} + $1", r => r.Long(0), 0L, 0L)));
        Assert.Equal(1_500L * 1_499 / 2, sum);
    }

    [Fact]
    public async Task A_read_cannot_write()
    {
        await Assert.ThrowsAsync<StatementException>(() => Database.ReadAsync(unit => unit.Execute("insert into item (id, name) values (1, 'x')")));
        Assert.Null(Database.Fault);
        Assert.Equal(0, await Database.ReadAsync(Count));
    }

    [Fact]
    public async Task A_unit_is_of_no_use_after_its_function_has_ended()
    {
        var escaped = await Database.ReadAsync(unit => unit);
        Assert.Throws<InvalidOperationException>(() => escaped.First("select 1", r => r.Long(0), 0));
        escaped = await Database.WriteAsync(unit => unit);
        Assert.Throws<InvalidOperationException>(() => escaped.Execute("delete from item"));
    }

    [Fact]
    public async Task A_read_sees_one_snapshot_however_many_statements_it_has()
    {
        using var firstDone = new SemaphoreSlim(0);
        using var written = new SemaphoreSlim(0);
        var read = Task.Run(() => Database.ReadAsync(unit =>
        {
            var before = Count(unit);
            firstDone.Release();
            written.Wait();
            return (before, Count(unit));
        }));
        await firstDone.WaitAsync();
        await Database.WriteAsync(unit => unit.Execute("insert into item (id, name) values (1, 'x')"));
        written.Release();
        Assert.Equal((0, 0), await read);
        Assert.Equal(1, await Database.ReadAsync(Count));
    }

    [Fact]
    public async Task Cancelling_interrupts_a_statement_and_leaves_its_connection_fit()
    {
        using var cancel = new CancellationTokenSource();
        var endless = Task.Run(() => Database.ReadAsync(
            unit => unit.First(
                "with recursive n(i) as (select 1 union all select 1 from n) select count(*) from n, (select $1) as one",
                r => r.Long(0), 0, Cancelling(cancel)),
            cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        Assert.Equal(0, await Database.ReadAsync(Count));
    }

    [Fact]
    public async Task A_mistake_in_a_statement_is_told_with_its_text()
    {
        var error = await Assert.ThrowsAsync<StatementException>(() => Database.ReadAsync(unit => unit.First("select absent", r => r.Long(0), 0)));
        Assert.Equal(StatementFailure.Other, error.Failure);
        Assert.Contains("in: select absent", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_a_column_as_what_it_is_not_is_refused() =>
        await Assert.ThrowsAsync<InvalidCastException>(() => Database.ReadAsync(unit => unit.First("select 'x' as title", r => r.Long(0), 0)));

    [Fact]
    public async Task What_was_written_is_there_after_it_is_opened_again()
    {
        await Database.WriteAsync(unit => unit.Execute("insert into item (id, name) values (1, 'x')"));
        await Database.DisposeAsync();
        Database = Open();
        Assert.Equal(1, await Database.ReadAsync(Count));
    }

    [Fact]
    public async Task A_closed_database_takes_neither_reads_nor_writes()
    {
        await Database.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Database.ReadAsync(Count));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Database.WriteAsync(Count));
    }

    private static int Count(DbUnit unit) => unit.First("select count(*) from item", r => r.Int(0), 0);

    private static long Cancelling(CancellationTokenSource cancel)
    {
        // The statement that takes this value never ends by itself. It may start before or after the cancellation.
        ThreadPool.UnsafeQueueUserWorkItem(_ => cancel.Cancel(), null);
        return 1;
    }
}

public sealed class ValuesOnSqliteTests() : ValueTests(TestDatabases.Sqlite);

public sealed class ValuesOnPostgresTests() : ValueTests(TestDatabases.Postgres);
