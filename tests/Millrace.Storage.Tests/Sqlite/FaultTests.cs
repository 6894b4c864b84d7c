using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

public sealed class FaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SteppedTime _time = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fault_6_a_full_disk_refuses_every_write_keeps_what_was_acknowledged_and_recovers_when_there_is_space()
    {
        using var disk = SmallDisk.Mount(_folder["disk"], sizeMb: 6);
        var ballast = Path.Combine(disk.Path, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[3 << 20]);
        await using var database = SqliteDatabase.Open(Path.Combine(disk.Path, "data.db"), new SqliteOptions { CheckpointPages = 100_000, Time = _time });
        await FillAndRecoverAsync(database, () =>
        {
            File.Delete(ballast);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Fault_6_a_full_data_file_refuses_every_write_keeps_what_was_acknowledged_and_recovers_when_there_is_space()
    {
        await using var database = SqliteDatabase.Open(_folder["data.db"], new SqliteOptions { PagesMax = 200, Time = _time });
        await database.WriteAsync(unit => unit.Execute("create table ballast (body blob)"));
        await database.WriteAsync(unit => unit.Execute("insert into ballast (body) values (zeroblob(200000))"));
        await FillAndRecoverAsync(database, () => database.WriteAsync(unit => unit.Execute("drop table ballast")));
    }

    [Fact]
    public async Task Only_one_write_per_interval_is_tried_while_the_disk_is_full()
    {
        await using var database = SqliteDatabase.Open(_folder["data.db"], new SqliteOptions { PagesMax = 50, Time = _time });
        await database.WriteAsync(unit => unit.Execute("create table item (body blob)"));
        await FillAsync(database);
        var tried = 0;

        async Task<bool> TryAsync()
        {
            try
            {
                return await database.WriteAsync(unit =>
                {
                    tried++;
                    return Insert(unit) == 1;
                });
            }
            catch (StorageUnavailableException)
            {
                return false;
            }
        }

        // The group that failed was larger than one write: space for a few may be left.
        do _time.Step(TimeSpan.FromSeconds(1));
        while (await TryAsync());
        tried = 0;
        for (var i = 0; i < 10; i++) Assert.False(await TryAsync());
        Assert.Equal(0, tried);
        _time.Step(TimeSpan.FromMilliseconds(250));
        for (var i = 0; i < 10; i++) Assert.False(await TryAsync());
        Assert.Equal(1, tried);
    }

    [Fact]
    public async Task A_probe_that_writes_nothing_does_not_end_the_fault()
    {
        await using var database = SqliteDatabase.Open(_folder["data.db"], new SqliteOptions { PagesMax = 50, Time = _time });
        await database.WriteAsync(unit => unit.Execute("create table item (body blob)"));
        await FillAsync(database);
        _time.Step(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await database.WriteAsync(_ => 1));
        Assert.Equal("storage.full", database.Fault?.Code);
    }

    [Fact]
    public async Task A_unit_that_hides_the_fault_is_refused_all_the_same()
    {
        await using var database = SqliteDatabase.Open(_folder["data.db"], new SqliteOptions { PagesMax = 50, Time = _time });
        await database.WriteAsync(unit => unit.Execute("create table item (body blob)"));
        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => database.WriteAsync(unit =>
        {
            for (var i = 0; i < 200; i++)
            {
                try
                {
                    Insert(unit);
                }
                catch (StorageUnavailableException)
                {
                    // Hidden on purpose.
                }
            }

            return 0;
        }));
        Assert.Equal("storage.full", error.Fault.Code);
        Assert.Equal(0, await database.ReadAsync(unit => unit.First("select count(*) from item", r => r.Int(0), -1)));
    }

    private async Task FillAndRecoverAsync(SqliteDatabase database, Func<Task> makeSpace)
    {
        var news = new List<string?>();
        using var told = new SemaphoreSlim(0);
        database.FaultChanged += fault =>
        {
            lock (news) news.Add(fault?.Code);
            told.Release();
        };
        await database.WriteAsync(unit => unit.Execute("create table item (body blob)"));
        var acknowledged = await FillAsync(database);
        await told.WaitAsync();
        Assert.Equal(("storage.full", true), (database.Fault?.Code, database.Fault?.Recoverable));
        Assert.Equal(acknowledged, await CountAsync(database));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => database.WriteAsync(Insert));

        _time.Step(TimeSpan.FromSeconds(1));
        await makeSpace();
        _time.Step(TimeSpan.FromSeconds(1));
        await database.WriteAsync(Insert);
        await told.WaitAsync();
        Assert.Null(database.Fault);
        Assert.Equal(acknowledged + 1, await CountAsync(database));
        Assert.Equal(["storage.full", null], news);
    }

    /// <returns>Writes that were acknowledged before the first that was not.</returns>
    private static async Task<int> FillAsync(SqliteDatabase database)
    {
        var acknowledged = 0;
        while (true)
        {
            // Groups of several, so that one without space takes others with it.
            var writes = Enumerable.Range(0, 8).Select(_ => database.WriteAsync(Insert)).ToList();
            try
            {
                await Task.WhenAll(writes);
            }
            catch (StorageUnavailableException e)
            {
                Assert.Equal("storage.full", e.Fault.Code);
            }

            acknowledged += writes.Count(w => w.IsCompletedSuccessfully);
            if (writes.Exists(w => w.IsFaulted)) return acknowledged;
        }
    }

    private static int Insert(DbUnit unit) => unit.Execute("insert into item (body) values (zeroblob(10000))");

    private static Task<int> CountAsync(SqliteDatabase database) =>
        database.ReadAsync(unit => unit.First("select count(*) from item", r => r.Int(0), -1));
}
