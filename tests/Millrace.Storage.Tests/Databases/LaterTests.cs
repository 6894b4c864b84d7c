using Millrace.Tests.Databases;

namespace Millrace.Storage.Tests.Databases;

/// <summary>Statements that nobody needs an answer of yet: when they are carried out is the driver's affair, what comes of it is not.</summary>
public abstract class LaterTests(TestDatabases databases) : DatabaseSuite(databases)
{
    private const string Insert = "insert into item (id, name, n) values ($1, $2, $3)";
    private const string Rename = "update item set name = $1 where id = $2";
    private const string Double = "update item set n = n * 2 where id = $1";
    private const string Increase = "update item set n = n + $1 where id = $2";
    private const string Mark = "update item set name = 'marked' where id = $1";
    private const string Delete = "delete from item where id = $1";

    private static readonly Guid[] Ids = [.. Enumerable.Range(0, 50).Select(i => Guid.Parse($"00000000-0000-0000-0000-{i:d12}"))];

    private protected override IReadOnlyList<string> Tables { get; } =
    [
        "create table item (id uuid primary key, name text, n bigint)",
        "create table line (item uuid not null, n bigint not null)",
    ];

    [Fact]
    public async Task Changes_of_one_row_keep_their_order()
    {
        await Database.WriteAsync(unit =>
        {
            unit.InsertLater(Ids[0], Insert, Ids[0], "", 1L);
            unit.ChangeLater(Ids[0], Missing, Increase, 3L, Ids[0]);
            unit.ChangeLater(Ids[0], Missing, Double, Ids[0]);
            unit.ChangeLater(Ids[0], Missing, Increase, 5L, Ids[0]);
            unit.ChangeLater(Ids[0], Missing, Double, Ids[0]);
            return 0;
        });
        Assert.Equal(26, await NumberAsync(0));
    }

    /// <summary>Two rows, whose changes come in opposite orders: no order of whole statements is right for both.</summary>
    [Fact]
    public async Task Changes_of_several_rows_each_keep_their_own_order()
    {
        await InsertAsync(2);
        await Database.WriteAsync(unit =>
        {
            unit.ChangeLater(Ids[0], null, Increase, 3L, Ids[0]);
            unit.ChangeLater(Ids[1], null, Double, Ids[1]);
            unit.ChangeLater(Ids[1], null, Increase, 3L, Ids[1]);
            unit.ChangeLater(Ids[0], null, Double, Ids[0]);
            return 0;
        });
        Assert.Equal((8, 5), (await NumberAsync(0), await NumberAsync(1)));
    }

    [Fact]
    public async Task What_is_inserted_and_deleted_again_is_gone_and_the_other_way_round_is_there()
    {
        await InsertAsync(1);
        await Database.WriteAsync(unit =>
        {
            unit.ChangeLater(Ids[0], Missing, Delete, Ids[0]);
            unit.InsertLater(Ids[0], Insert, Ids[0], "again", 7L);
            unit.InsertLater(Ids[1], Insert, Ids[1], "brief", 7L);
            unit.ChangeLater(Ids[1], Missing, Delete, Ids[1]);
            return 0;
        });
        Assert.Equal(["again"], await Database.ReadAsync(unit => unit.Query("select name from item", r => r.Text(0))));
    }

    [Fact]
    public async Task Touching_a_row_twice_is_touching_it_once_wherever_other_changes_stand()
    {
        await InsertAsync(2);
        await Database.WriteAsync(unit =>
        {
            unit.TouchLater(Ids[0], Mark, Ids[0]);
            unit.TouchLater(Ids[1], Mark, Ids[1]);
            unit.TouchLater(Ids[0], Mark, Ids[0]);
            unit.ChangeLater(Ids[1], Missing, Rename, "renamed", Ids[1]);
            return 0;
        });
        Assert.Equal(["marked", "renamed"], await NamesAsync());
    }

    [Fact]
    public async Task Rows_that_are_inserted_for_one_run_stay_in_order()
    {
        await Database.WriteAsync(unit =>
        {
            for (var i = 0; i < 50; i++) unit.InsertLater(Ids[i % 3], "insert into line (item, n) values ($1, $2)", Ids[i % 3], (long)i);
            return 0;
        });
        var lines = await Database.ReadAsync(unit => unit.Query("select n from line", r => r.Long(0)));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), lines);
    }

    [Fact]
    public async Task An_insert_that_selects_inserts_only_where_its_condition_holds()
    {
        await InsertAsync(1);
        const string OnlyWith = "insert into line (item, n) select $1, $2 where exists (select 1 from item where id = $1)";
        await Database.WriteAsync(unit =>
        {
            unit.InsertLater(Ids[0], OnlyWith, Ids[0], 1L);
            unit.InsertLater(Ids[1], OnlyWith, Ids[1], 2L);
            return 0;
        });
        Assert.Equal([1L], await Database.ReadAsync(unit => unit.Query("select n from line", r => r.Long(0))));
    }

    [Fact]
    public async Task A_statement_that_answers_sees_what_was_asked_for_before_it()
    {
        var (counted, changed, name) = await Database.WriteAsync(unit =>
        {
            unit.InsertLater(Ids[0], Insert, Ids[0], "first", 1L);
            var count = unit.First("select count(*) from item", r => r.Long(0), 0L);
            unit.ChangeLater(Ids[0], Missing, Rename, "second", Ids[0]);
            var rows = unit.Execute("update item set n = 9 where name = 'second'");
            unit.TouchLater(Ids[0], Mark, Ids[0]);
            return (count, rows, unit.Query("select name from item", r => r.Text(0)).Single());
        });
        Assert.Equal((1, 1, "marked"), (counted, changed, name));
    }

    [Fact]
    public async Task A_change_that_must_find_its_row_and_does_not_refuses_its_unit_and_no_other()
    {
        await InsertAsync(20);
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 20).Select(i => Database.WriteAsync(unit =>
        {
            unit.InsertLater(Ids[i], "insert into line (item, n) values ($1, $2)", Ids[i], (long)i);
            var there = i % 4 != 1;
            unit.ChangeLater(Ids[i], Missing, Rename, "changed", there ? Ids[i] : Ids[i + 20]);
            return i;
        })));
        release.Release();
        await SettledAsync(writes);

        for (var i = 0; i < 20; i++)
        {
            if (i % 4 == 1) Assert.Equal($"no {Ids[i]}", (await Assert.ThrowsAsync<InvalidDataException>(() => writes[i + 1])).Message);
            else Assert.Equal(i, await writes[i + 1]);
        }

        Assert.Equal(Enumerable.Range(0, 20).Where(i => i % 4 != 1).Select(i => (long)i), await Database.ReadAsync(unit => unit.Query("select n from line order by n", r => r.Long(0))));
        Assert.Equal(15, (await NamesAsync()).Count(n => n == "changed"));
        Assert.Null(Database.Fault);
    }

    [Fact]
    public async Task A_change_that_may_miss_its_row_misses_it()
    {
        await Database.WriteAsync(unit =>
        {
            unit.ChangeLater(Ids[0], null, Rename, "nobody", Ids[0]);
            return 0;
        });
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task A_refused_insert_undoes_its_unit_and_no_other()
    {
        await InsertAsync(1);
        var (writes, release) = HoldGroup();
        for (var i = 0; i < 3; i++)
        {
            var id = Ids[i];
            writes.Add(Database.WriteAsync(unit =>
            {
                unit.InsertLater(id, "insert into line (item, n) values ($1, $2)", id, 1L);
                unit.InsertLater(id, Insert, id, "new", 1L);
                return 1;
            }));
        }

        release.Release();
        await SettledAsync(writes);
        Assert.Equal(StatementFailure.Duplicate, (await Assert.ThrowsAsync<StatementException>(() => writes[1])).Failure);
        Assert.Equal((2, 3), (await Database.ReadAsync(unit => unit.First("select count(*) from line", r => r.Int(0), 0)), (await NamesAsync()).Count(n => n == "new")));
    }

    [Fact]
    public async Task A_unit_that_throws_takes_what_it_asked_for_with_it()
    {
        var (writes, release) = HoldGroup();
        writes.Add(Database.WriteAsync(unit =>
        {
            unit.InsertLater(Ids[0], Insert, Ids[0], "stays", 1L);
            return 1;
        }));
        writes.Add(Database.WriteAsync<int>(unit =>
        {
            unit.InsertLater(Ids[1], Insert, Ids[1], "goes", 1L);
            throw new InvalidDataException();
        }));
        release.Release();
        await SettledAsync(writes);
        await Assert.ThrowsAsync<InvalidDataException>(() => writes[2]);
        Assert.Equal(["stays"], await NamesAsync());
    }

    [Fact]
    public async Task Nulls_and_values_of_every_kind_go_later_as_well()
    {
        await Database.WriteAsync(unit => unit.Execute("create table wide (id uuid, t text, n bigint, w double precision, b bytea)"));
        byte[] bytes = [9, 1, 2, 3, 9];
        await Database.WriteAsync(unit =>
        {
            const string Wide = "insert into wide (id, t, n, w, b) values ($1, $2, $3, $4, $5)";
            unit.InsertLater(Ids[0], Wide, Ids[0], "text", -1L, 0.5, new ReadOnlyMemory<byte>(bytes, 1, 3));
            unit.InsertLater(Ids[1], Wide, (Guid?)null, (string?)null, (long?)null, default(DbValue), (byte[]?)null);
            unit.InsertLater(Ids[2], Wide, Ids[2], "", 0L, -0.0, Array.Empty<byte>());
            return 0;
        });
        var rows = await Database.ReadAsync(unit => unit.Query(
            "select id, t, n, w, b from wide", r => (r.IdOrNull(0), r.TextOrNull(1), r.LongOrNull(2), r.IsNull(3) ? double.NaN : r.Double(3), Convert.ToHexString(r.BytesOrNull(4) ?? [0xff]))));
        Assert.Equal([(Ids[0], "text", -1L, 0.5, "010203"), (null, null, null, double.NaN, "FF"), (Ids[2], "", 0L, -0.0, "")], rows);
    }

    [Fact]
    public async Task Nothing_of_a_chain_counts_after_its_first_refusal()
    {
        var chain = new WriteChain();
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 5).Select(i => Database.WriteAsync(
            unit =>
            {
                unit.InsertLater(Ids[i], Insert, Ids[i], $"{i}", 1L);
                if (i == 2) unit.ChangeLater(Ids[i], Missing, Rename, "", Ids[40]);
                return i;
            },
            chain)));
        writes.Add(Database.WriteAsync(unit => unit.Execute("insert into line (item, n) values ($1, 1)", Ids[0])));
        release.Release();
        await SettledAsync(writes);
        Assert.Equal((0, 1), (await writes[1], await writes[2]));
        await Assert.ThrowsAsync<InvalidDataException>(() => writes[3]);
        await Assert.ThrowsAsync<BrokenChainException>(() => writes[4]);
        await Assert.ThrowsAsync<BrokenChainException>(() => writes[5]);
        Assert.Equal(1, await writes[6]);
        Assert.True(chain.IsBroken);
        Assert.Equal(["0", "1"], await NamesAsync());
        await Assert.ThrowsAsync<BrokenChainException>(() => Database.WriteAsync(_ => 0, chain));
    }

    private static InvalidDataException Missing(Guid row) => new($"no {row}");

    private Task<int> InsertAsync(int count) => Database.WriteAsync(unit =>
    {
        for (var i = 0; i < count; i++) unit.InsertLater(Ids[i], Insert, Ids[i], "new", 1L);
        return 0;
    });

    private Task<long> NumberAsync(int i) => Database.ReadAsync(unit => unit.First("select n from item where id = $1", r => r.Long(0), 0L, Ids[i]));

    private Task<List<string>> NamesAsync() => Database.ReadAsync(unit => unit.Query("select name from item order by id", r => r.Text(0)));
}

public sealed class LaterOnSqliteTests() : LaterTests(TestDatabases.Sqlite);

public sealed class LaterOnPostgresTests() : LaterTests(TestDatabases.Postgres);
