using Millrace.Tests.Databases;

namespace Millrace.Storage.Tests.Databases;

public abstract class GroupCommitTests(TestDatabases databases) : DatabaseSuite(databases)
{
    private protected override IReadOnlyList<string> Tables { get; } =
    [
        "create table item (id bigint primary key, name text)",
        "create table child (item bigint references item (id))",
        "create table counter (id bigint primary key, value bigint)",
    ];

    [Fact]
    public async Task A_unit_that_throws_loses_its_own_changes_and_nobody_elses()
    {
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 20).Select(i => Database.WriteAsync(unit =>
        {
            Insert(unit, i);
            if (i % 3 == 0) throw new InvalidDataException($"unit {i}");
            return i;
        })));
        release.Release();
        await SettledAsync(writes);

        for (var i = 0; i < 20; i++)
        {
            var write = writes[i + 1];
            if (i % 3 == 0) Assert.Equal($"unit {i}", (await Assert.ThrowsAsync<InvalidDataException>(() => write)).Message);
            else Assert.Equal(i, await write);
        }

        Assert.Equal(Enumerable.Range(0, 20).Where(i => i % 3 != 0).Select(i => (long)i), await IdsAsync());
        Assert.Null(Database.Fault);
    }

    [Fact]
    public async Task A_refusal_that_changed_nothing_does_not_make_the_group_run_twice()
    {
        var runs = 0;
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 10).Select(i => Database.WriteAsync(unit =>
        {
            runs++;
            if (i % 2 == 1 && unit.Execute("update item set name = 'x' where id = 999") == 0) throw new InvalidOperationException("refused");
            return Insert(unit, i);
        })));
        release.Release();
        await SettledAsync(writes);
        Assert.Equal(10, runs);
        Assert.Equal(5, writes.Skip(1).Count(w => w.IsFaulted));
        Assert.Equal([0, 2, 4, 6, 8], await IdsAsync());
    }

    [Fact]
    public async Task A_reference_to_nothing_fails_the_unit_that_made_it()
    {
        var (writes, release) = HoldGroup();
        writes.Add(Database.WriteAsync(unit => Insert(unit, 1)));
        writes.Add(Database.WriteAsync(unit => unit.Execute("insert into child (item) values (77)")));
        writes.Add(Database.WriteAsync(unit => Insert(unit, 5) + unit.Execute("insert into child (item) values (5)")));
        release.Release();
        await SettledAsync(writes);
        Assert.Equal(StatementFailure.ForeignKey, (await Assert.ThrowsAsync<StatementException>(() => writes[2])).Failure);
        Assert.Equal([1, 5], await IdsAsync());
    }

    /// <summary>PostgreSQL takes nothing more in such a transaction, and answers its commit with a rollback that looks like success.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_unit_is_over_with_its_first_refused_statement_even_when_its_function_caught_that(bool goesOn)
    {
        await Database.WriteAsync(unit => Insert(unit, 1));
        var caught = new List<Exception>();
        var (writes, release) = HoldGroup();
        writes.Add(Database.WriteAsync(unit => Insert(unit, 2)));
        writes.Add(Database.WriteAsync(unit =>
        {
            caught.Clear();
            Insert(unit, 3);
            caught.Add(Assert.ThrowsAny<Exception>(() => Insert(unit, 1)));
            if (goesOn) caught.Add(Assert.ThrowsAny<Exception>(() => Insert(unit, 4)));
            return 0;
        }));
        writes.Add(Database.WriteAsync(unit => Insert(unit, 5)));
        release.Release();
        await SettledAsync(writes);
        Assert.Equal(StatementFailure.Duplicate, (await Assert.ThrowsAsync<StatementException>(() => writes[2])).Failure);
        Assert.All(caught, e => Assert.Same(caught[0], e));
        Assert.Equal([1, 2, 5], await IdsAsync());
        Assert.Null(Database.Fault);
    }

    [Fact]
    public async Task A_read_is_over_with_its_first_refused_statement_as_well()
    {
        await Assert.ThrowsAsync<StatementException>(() => Database.ReadAsync(unit =>
        {
            Assert.Throws<StatementException>(() => unit.First("select nothing from item", r => r.Long(0), 0L));
            return 0;
        }));
        Assert.Empty(await IdsAsync());
    }

    [Fact]
    public async Task A_schema_change_is_undone_with_its_unit()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => Database.WriteAsync<int>(unit =>
        {
            unit.Execute("create table brief (a integer)");
            throw new InvalidDataException();
        }));
        await Database.WriteAsync(unit => unit.Execute("create table brief (a integer)"));
    }

    [Fact]
    public async Task Units_run_in_the_order_they_were_given()
    {
        var order = new List<int>();
        var writes = Enumerable.Range(0, 10_000).Select(i => Database.WriteAsync(_ =>
        {
            order.Add(i);
            return i;
        })).ToList();
        await Task.WhenAll(writes);
        Assert.Equal(Enumerable.Range(0, 10_000), order);
    }

    [Fact]
    public async Task Many_callers_with_some_that_throw_count_right()
    {
        const int Callers = 64, Each = 200;
        await Database.WriteAsync(unit => unit.Execute("insert into counter (id, value) values (1, 0)"));
        var acknowledged = 0;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                try
                {
                    await Database.WriteAsync(unit =>
                    {
                        unit.Execute("update counter set value = value + 1 where id = 1");
                        return (caller + i) % 17 == 0 ? throw new InvalidDataException() : 0;
                    });
                    Interlocked.Increment(ref acknowledged);
                }
                catch (InvalidDataException)
                {
                    // Every seventeenth.
                }
            }
        })));
        Assert.True(acknowledged is > Callers * Each * 9 / 10 and < Callers * Each, $"{acknowledged}");
        Assert.Equal(acknowledged, await Database.ReadAsync(unit => unit.First("select value from counter", r => r.Int(0), 0)));
    }

    [Fact]
    public async Task What_a_write_has_acknowledged_every_later_read_sees()
    {
        await Task.WhenAll(Enumerable.Range(0, 32).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                var id = (caller * 1_000) + i;
                await Database.WriteAsync(unit => Insert(unit, id));
                Assert.Equal(1, await Database.ReadAsync(unit => unit.First("select count(*) from item where id = $1", r => r.Int(0), 0, id)));
            }
        })));
    }

    [Fact]
    public async Task A_group_that_grows_too_large_is_cut_and_everything_is_written()
    {
        var writes = Enumerable.Range(0, 40).Select(i => Database.WriteAsync(unit =>
            unit.Execute("insert into item (id, name) values ($1, $2)", i, $"{i}{new string('x', 1 << 20)}"))).ToList();
        await Task.WhenAll(writes);
        Assert.Equal(40, (await IdsAsync()).Count);
    }

    [Fact]
    public async Task A_continuation_that_blocks_holds_up_no_write()
    {
        using var end = new SemaphoreSlim(0);
        using var blocked = new SemaphoreSlim(0);

        async Task BlockAsync(int id)
        {
            await Database.WriteAsync(unit => Insert(unit, id));
            blocked.Release();
            end.Wait();
        }

        var blocking = Enumerable.Range(0, 3).Select(i => Task.Run(() => BlockAsync(i))).ToList();
        for (var i = 0; i < 3; i++) await blocked.WaitAsync();
        for (var i = 10; i < 20; i++) await Database.WriteAsync(unit => Insert(unit, i));
        end.Release(3);
        await Task.WhenAll(blocking);
        Assert.Equal(13, (await IdsAsync()).Count);
    }

    [Fact]
    public async Task Threads_outside_the_pool_write_as_well()
    {
        var threads = Enumerable.Range(0, 4).Select(caller => new Thread(() =>
        {
            for (var i = 0; i < 50; i++) Database.WriteAsync(unit => Insert(unit, (caller * 100) + i)).Wait();
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal(200, (await IdsAsync()).Count);
    }

    [Fact]
    public async Task Closing_finishes_what_was_accepted()
    {
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 100).Select(i => Database.WriteAsync(unit => Insert(unit, i))));
        var closing = Database.DisposeAsync().AsTask();
        release.Release();
        await Task.WhenAll(writes);
        await closing;
        Database = Open();
        Assert.Equal(100, (await IdsAsync()).Count);
    }

    private static int Insert(DbUnit unit, long id) => unit.Execute("insert into item (id) values ($1)", id);

    private Task<List<long>> IdsAsync() => Database.ReadAsync(unit => unit.Query("select id from item order by id", r => r.Long(0)));
}

public sealed class GroupCommitOnSqliteTests() : GroupCommitTests(TestDatabases.Sqlite);

public sealed class GroupCommitOnPostgresTests() : GroupCommitTests(TestDatabases.Postgres);
