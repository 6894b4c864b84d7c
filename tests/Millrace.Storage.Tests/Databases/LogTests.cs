using Millrace.Tests.Databases;

namespace Millrace.Storage.Tests.Databases;

/// <summary>The journal as a log: positions, and how far it is settled.</summary>
public abstract class LogTests(TestDatabases databases) : DatabaseSuite(databases)
{
    private const string Append = "insert into journal (position, organisation, workspace, run, seq, at, entries) values ($1, $2, $2, $3, $4, 0, $5)";
    private const string Settled = "select position, seq from journal where position > $1 and position <= $2 order by position";

    private readonly Guid _run = Guid.CreateVersion7();

    private protected override IReadOnlyList<string> Tables { get; } = [];

    [Fact]
    public async Task Rows_get_ascending_positions_in_the_order_of_their_units()
    {
        await Database.MigrateAsync();
        var positions = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => AppendAsync(Database, i)));
        Assert.Equal(positions.Order(), positions);
        Assert.Equal(positions, await Database.ReadAsync(unit => unit.Query("select position from journal order by seq", r => r.Long(0))));
    }

    [Fact]
    public async Task A_migrated_database_is_migrated_again_without_effect_and_a_newer_one_is_refused()
    {
        await Database.MigrateAsync();
        await AppendAsync(Database, 0);
        await Database.MigrateAsync();
        Assert.Equal([0L], await SeqsAsync(Database, 1));
        await Database.WriteAsync(unit => unit.Execute("insert into migration (number, name, sha256, applied_at) select max(number) + 1, 'later', 'x', 0 from migration"));
        var error = await Assert.ThrowsAsync<MigrationException>(() => Database.MigrateAsync());
        Assert.Contains("newer than this build", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_unit_leaves_no_row_in_the_log_and_no_row_twice()
    {
        await Database.MigrateAsync();
        var (writes, release) = HoldGroup();
        writes.AddRange(Enumerable.Range(0, 10).Select(i => Database.WriteAsync(unit =>
        {
            Position(unit, i);
            return i == 4 ? throw new InvalidDataException() : i;
        })));
        release.Release();
        await SettledAsync(writes);
        Assert.Equal([0, 1, 2, 3, 5, 6, 7, 8, 9], await SeqsAsync(Database, 9));
    }

    private protected Task<long> AppendAsync(Database database, long seq) => database.WriteAsync(unit => Position(unit, seq));

    private protected long Position(DbUnit unit, long seq) => unit.AppendLater(Append, Guid.Empty, _run, seq, "[]"u8.ToArray());

    /// <summary>Reads until so many rows are settled: a transaction that is under way anywhere on the server, for other tests too, holds that up.</summary>
    private protected static async Task<List<long>> SeqsAsync(Database database, int count)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var rows = await ReadAsync(database, 0);
            if (rows.Count >= count) return [.. rows.Select(r => r.Seq)];
            await pulse.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>As every reader of a log does: what is settled, after where it stands.</summary>
    private protected static Task<List<(long Position, long Seq)>> ReadAsync(Database database, long after) =>
        database.ReadAsync(unit => unit.Query(Settled, r => (r.Long(0), r.Long(1)), after, unit.Horizon));
}

public sealed class LogOnSqliteTests() : LogTests(TestDatabases.Sqlite)
{
    [Fact]
    public async Task A_process_alone_goes_by_its_own_clock() => Assert.Null(await Database.ClockAsync());
}

public sealed class LogOnPostgresTests() : LogTests(TestDatabases.Postgres)
{
    /// <summary>The second process begins first and commits last: its row has the lower position and appears when the other's is long visible.</summary>
    [Fact]
    public async Task A_reader_waits_for_a_row_that_settles_late_and_misses_none()
    {
        await Database.MigrateAsync();
        await using var other = Open();
        using var go = new SemaphoreSlim(0);
        var appended = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = other.WriteAsync(unit =>
        {
            appended.TrySetResult(Position(unit, 1));
            go.Wait();
            return 0;
        });
        var low = await appended.Task;
        var high = await AppendAsync(Database, 2);
        Assert.True(low < high, "The transaction that began first has the lower positions.");

        // The later row is committed and visible, and yet no reader may pass beyond the one under way.
        Assert.Empty(await ReadAsync(Database, 0));
        go.Release();
        await late;
        Assert.Equal([1, 2], await SeqsAsync(Database, 2));
    }

    [Fact]
    public async Task All_processes_are_told_the_same_time()
    {
        await using var other = Open();
        var told = new List<long?> { await Database.ClockAsync(), await other.ClockAsync(), await Database.ClockAsync(), await other.ClockAsync() };
        Assert.Equal(told.Order(), told);
        Assert.True(told[0] > 1_600_000_000_000_000, "Unix microseconds");
    }

    [Fact]
    public async Task Many_writers_in_two_processes_are_read_completely_and_in_order()
    {
        const int Each = 400;
        await Database.MigrateAsync();
        await using var other = Open();
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < Each / 4; i++) await AppendAsync(writer % 2 == 0 ? Database : other, (writer * 1_000) + i);
        })));
        var seen = new List<(long Position, long Seq)>();
        while (true)
        {
            var over = writing.IsCompleted;
            seen.AddRange(await ReadAsync(seen.Count % 2 == 0 ? Database : other, seen.Count == 0 ? 0 : seen[^1].Position));
            if (over && seen.Count == 8 * Each / 4) break;
        }

        await writing;
        Assert.Equal(8 * Each / 4, seen.Count);
        Assert.Equal(await Database.ReadAsync(unit => unit.Query("select position, seq from journal order by position", r => (r.Long(0), r.Long(1)))), seen);
    }

    [Fact]
    public async Task Processes_that_start_together_migrate_once()
    {
        var starts = Enumerable.Range(0, 4).Select(_ => Open()).ToList();
        await Task.WhenAll(starts.Select(s => Task.Run(() => s.MigrateAsync())));
        var recorded = await Database.ReadAsync(unit => unit.Query("select number from migration order by number", r => r.Int(0)));
        Assert.Equal(Enumerable.Range(1, recorded.Count), recorded);
        foreach (var (start, i) in starts.Select((s, i) => (s, i)))
        {
            await AppendAsync(start, i);
            await start.DisposeAsync();
        }

        Assert.Equal([0, 1, 2, 3], await SeqsAsync(Database, 4));
    }

    /// <summary>Rows that came from a server whose transactions were numbered higher: new ones must come after them.</summary>
    [Fact]
    public async Task Positions_go_on_above_those_of_rows_from_another_server()
    {
        await Database.MigrateAsync();
        var here = await AppendAsync(Database, 0);
        var foreign = here + (1L << 40);
        await Database.WriteAsync(unit => unit.Execute("update journal set position = $1", foreign));
        await using var next = Open();
        await next.MigrateAsync();
        Assert.True(await AppendAsync(next, 1) > foreign);
        Assert.Equal([0, 1], await SeqsAsync(next, 2));
    }
}
