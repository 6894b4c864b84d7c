using Millrace.Storage.Sqlite;

namespace Millrace.Storage.Tests.Sqlite;

public sealed class CheckpointTests : IDisposable
{
    private const int Pages = 256;
    private const int RowsPerRound = 100;

    // A round writes about 600 pages, so all rounds together write 12,000 through a log that is folded every 256.
    private const int LargestPages = 4_000;
    private const long PageBytes = 4_096;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Under_steady_writing_the_log_stays_bounded()
    {
        await using var database = await OpenAsync();
        Assert.InRange(await WriteAsync(database, rounds: 20), 1, LargestPages * PageBytes);
    }

    [Fact]
    public async Task Under_steady_writing_and_reading_the_log_stays_bounded()
    {
        await using var database = await OpenAsync();
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await database.ReadAsync(unit => unit.First("select count(*) from item", r => r.Long(0), 0));
        })).ToList();
        var largest = await WriteAsync(database, rounds: 20);
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.InRange(largest, 1, LargestPages * PageBytes);
    }

    [Fact]
    public async Task A_long_read_holds_the_log_and_afterwards_it_is_restarted()
    {
        await using var database = await OpenAsync();
        using var started = new SemaphoreSlim(0);
        using var end = new SemaphoreSlim(0);
        var read = Task.Run(() => database.ReadAsync(unit =>
        {
            var before = unit.First("select count(*) from item", r => r.Long(0), 0);
            started.Release();
            end.Wait();
            return (before, unit.First("select count(*) from item", r => r.Long(0), 0));
        }));
        await started.WaitAsync();
        var held = await WriteAsync(database, rounds: 6);
        end.Release();
        Assert.Equal((0, 0), await read);

        // The file is cut to twice the threshold when the log is restarted.
        for (var i = 0; i < 20 && LogBytes() >= held; i++) await WriteAsync(database, rounds: 1);
        Assert.True(LogBytes() < held, $"{LogBytes()} of {held} bytes");
    }

    private async Task<SqliteDatabase> OpenAsync()
    {
        var database = SqliteDatabase.Open(_folder["data.db"], new SqliteOptions { CheckpointPages = Pages });
        await database.WriteAsync(unit => unit.Execute("create table item (id integer primary key, body blob)"));
        return database;
    }

    /// <returns>The log's largest size in between.</returns>
    private async Task<long> WriteAsync(SqliteDatabase database, int rounds)
    {
        var largest = 0L;
        for (var round = 0; round < rounds; round++)
        {
            await Parallel.ForAsync(0, RowsPerRound, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
                await database.WriteAsync(unit => unit.Execute("insert into item (body) values (zeroblob(20000))")));
            largest = Math.Max(largest, LogBytes());
        }

        return largest;
    }

    private long LogBytes() => new FileInfo(_folder["data.db-wal"]).Length;
}
