using Millrace.Storage.Postgres;
using Millrace.Tests.Chaos;
using Millrace.Tests.Servers;
using Npgsql;

namespace Millrace.Storage.Tests.Postgres;

/// <summary>The server crashes and comes back while a process writes.</summary>
public sealed class PostgresRestartTests : IAsyncLifetime
{
    private PostgresServer _server = null!;
    private string _uri = null!;

    public async ValueTask InitializeAsync()
    {
        // A commit that was answered must outlive the crash, which costs an fsync.
        _server = await PostgresServer.StartAsync("fsync=on");
        _uri = await _server.CreateDatabaseAsync();
        await using var database = PostgresDatabase.Open(_uri);
        await database.MigrateAsync();
        await database.WriteAsync(unit => unit.Execute("create table item (id bigint primary key)"));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Fault_3_writes_wait_for_a_server_that_comes_back_and_count_exactly_once()
    {
        await using var database = PostgresDatabase.Open(_uri, new PostgresOptions { PatienceMs = 60_000 });
        var done = 0;
        var halfway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 250; i++)
            {
                var id = (writer * 1_000) + i;
                Assert.Equal(1, await database.WriteAsync(unit => unit.Execute("insert into item (id) values ($1)", (long)id)));
                if (Interlocked.Increment(ref done) == 500) halfway.TrySetResult();
            }
        })));
        for (var crash = 0; crash < 3 && !writing.IsCompleted; crash++)
        {
            if (crash == 0) await Task.WhenAny(halfway.Task, writing);
            await _server.StopAsync("immediate");
            await _server.StartAgainAsync();
        }

        // A commit whose answer was lost and that is done again would be refused as a duplicate; one that is taken for done would be missing.
        await writing;
        Assert.Equal(4_000, await CountAsync(database));
        Assert.Null(database.Fault);
    }

    [Fact]
    public async Task Without_patience_a_write_is_refused_with_its_reason_and_accepted_once_the_server_is_back()
    {
        await using var database = PostgresDatabase.Open(_uri, new PostgresOptions { PatienceMs = 0, ProbeIntervalMs = 1 });
        var faults = System.Threading.Channels.Channel.CreateUnbounded<StorageFault?>();
        database.FaultChanged += fault => faults.Writer.TryWrite(fault);
        await InsertAsync(database, 1);
        await _server.StopAsync("immediate");
        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => InsertAsync(database, 2));
        Assert.Equal((StorageFault.Io, true), (error.Fault.Code, error.Fault.Recoverable));
        Assert.Equal(StorageFault.Io, database.Fault?.Code);
        Assert.Equal(StorageFault.Io, (await Assert.ThrowsAsync<StorageUnavailableException>(() => CountAsync(database))).Fault.Code);

        await _server.StartAgainAsync();
        Assert.Equal(1, await CountAsync(database));
        await AcceptedAsync(database, 3);
        Assert.Null(database.Fault);
        Assert.Equal(2, await CountAsync(database));
        Assert.NotNull(await faults.Reader.ReadAsync());
        Assert.Null(await faults.Reader.ReadAsync());
    }

    /// <summary>The server dies with a transaction open: nothing of it counts, and it is done again from its beginning.</summary>
    [Fact]
    public async Task A_unit_whose_server_died_under_it_runs_again()
    {
        await using var database = PostgresDatabase.Open(_uri, new PostgresOptions { PatienceMs = 60_000 });
        var runs = 0;
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var go = new SemaphoreSlim(0);
        var write = database.WriteAsync(unit =>
        {
            unit.Execute("insert into item (id) values (1)");
            if (++runs == 1)
            {
                inside.TrySetResult();
                go.Wait();
            }

            return unit.Execute("insert into item (id) values (2)");
        });
        await inside.Task;
        await _server.StopAsync("immediate");
        await _server.StartAgainAsync();
        go.Release();
        Assert.Equal(1, await write);
        Assert.Equal((2, 2), (runs, await CountAsync(database)));
    }

    /// <summary>A transaction's number that never reached the disk is given once more after a crash, and then its commit is another's.</summary>
    [Fact]
    public async Task Fault_3_a_commit_is_not_taken_for_done_because_another_transaction_has_its_number()
    {
        await using var server = await PostgresServer.StartAsync("fsync=on", "wal_writer_delay=10000ms");
        var direct = await server.CreateDatabaseAsync();
        await using (var first = PostgresDatabase.Open(direct))
        {
            await first.MigrateAsync();
            await first.WriteAsync(unit => unit.Execute("create table item (id bigint primary key)"));
        }

        await using var link = new CuttableLink(server.Port);
        await using var database = PostgresDatabase.Open(direct.Replace($":{server.Port}/", $":{link.Port}/", StringComparison.Ordinal), new PostgresOptions { PatienceMs = 60_000 });
        await InsertAsync(database, 1);
        var (runs, number) = (0, 0L);
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var go = new SemaphoreSlim(0);
        var write = database.WriteAsync(unit =>
        {
            unit.Execute("insert into item (id) values (2)");
            if (++runs > 1) return 0;
            number = unit.First("select pg_current_xact_id()::text::bigint", r => r.Long(0), 0L);
            inside.TrySetResult();
            go.Wait();
            return 0;
        });
        await inside.Task;
        // Its commit meets a connection that is gone.
        link.Tear();
        go.Release();
        await server.StopAsync("immediate");
        await server.StartAgainAsync();
        await using (var other = new NpgsqlConnection($"Host=127.0.0.1;Port={server.Port};Username=millrace;Database={direct[(direct.LastIndexOf('/') + 1)..]};Pooling=false"))
        {
            await other.OpenAsync();
            await using var insert = new NpgsqlCommand("insert into item (id) values (1000 + pg_current_xact_id()::text::bigint) returning id - 1000", other);
            var given = 0L;
            while (given < number) given = (long)(await insert.ExecuteScalarAsync())!;
            Assert.Equal(number, given);
        }

        link.Heal();
        await write;
        Assert.Equal(1, await database.ReadAsync(unit => unit.First("select count(*) from item where id = 2", r => r.Int(0), 0)));
    }

    [Fact]
    public async Task A_read_on_a_connection_that_broke_while_it_lay_idle_is_done_on_a_fresh_one()
    {
        await using var database = PostgresDatabase.Open(_uri);
        Assert.Equal(0, await CountAsync(database));
        await _server.StopAsync("immediate");
        await _server.StartAgainAsync();
        Assert.Equal(0, await CountAsync(database));
    }

    private static async Task AcceptedAsync(Database database, long id)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                await InsertAsync(database, id);
                return;
            }
            catch (StorageUnavailableException)
            {
                // One write in each interval finds out whether the fault is over.
                await pulse.WaitForNextTickAsync(patience.Token);
            }
        }
    }

    private static Task<int> InsertAsync(Database database, long id) => database.WriteAsync(unit => unit.Execute("insert into item (id) values ($1)", id));

    private static Task<int> CountAsync(Database database) => database.ReadAsync(unit => unit.First("select count(*) from item", r => r.Int(0), 0));
}
