using Millrace.Tests.Databases;
using Millrace.Engine.Admin;
using Millrace.Engine.Execution;
using Millrace.Engine.Functions;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;
using Millrace.Tests.Servers;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>One machine has become too small: what a SQLite file holds goes on in PostgreSQL.</summary>
public sealed class MoveTests
{
    private const string Large = "- big: { set: { text: '${ [range(30000)] | map(tostring) | join(\",\") }' } }\n";

    [Fact]
    public async Task Live_runs_go_on_in_the_new_place()
    {
        await using var test = await TestEngine.OpenAsync(TestDatabases.Sqlite);
        var rests = await test.StartAsync(test.Define(Large + "- rest: { wait: PT1H }\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }", "rests"), key: "order-7");
        test.Functions.FailuresLeft = 1;
        var retries = await test.StartAsync(test.Define("""
            - risky:
                try: [{ call: { call: 'flaky:1.0.0@default', with: {} } }]
                catch: { retry: { delay: PT1H, limit: { attempt: { count: 3 } } } }
            """, "retries"));
        var suspended = await test.StartAsync(test.Define("- rest: { wait: PT10S }", "sleeps"));
        test.Define("- rest: { wait: PT2H }", "child");
        var parent = await test.StartAsync(test.Define("- sub: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }", "parent"));
        var held = await test.StartAsync(test.Define("- first: { call: 'hold:1.0.0@default', with: {} }\n- second: { call: 'count:1.0.0@default', with: { n: 2 } }", "held"));
        await test.Engine.SuspendAsync(Tenant.Default, suspended, "night");
        await test.UntilAsync(suspended, r => r is { State: RunPhase.Suspended, Lease: null });
        foreach (var run in new[] { rests, retries, parent }) await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Functions.Entered;
        var ended = await test.StartAsync(test.Define("- one: { set: { a: 1 } }", "ended"));
        await test.EndAsync(ended);
        var last = await LastPositionAsync(test.Database);
        await test.CrashAsync();

        var uri = await MoveAsync(test);
        test.Use(() => PostgresDatabase.Open(uri));
        await test.ReopenAsync();
        Assert.Equal(1, await test.Database.ReadAsync(db => db.First("select count(*) from run_done where id = $1", r => r.Long(0), 0L, ended)));
        test.Functions.Open();
        test.Time.Advance(TimeSpan.FromHours(3));
        await test.Engine.ResumeAsync(Tenant.Default, suspended, null);
        foreach (var run in new[] { rests, retries, suspended, parent, held })
            Assert.Equal(RunPhase.Completed, (await test.UntilAsync(run, r => r.IsFinished)).State);
        Assert.Equal(rests, ((StartOutcome.Existing)await test.Engine.StartAsync(new StartRequest(Tenant.Default, test.Define(Large + "- rest: { wait: PT1H }\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }", "rests"), Json.EmptyObject, "order-7", "request"))).Run);
        Assert.True(await LastPositionAsync(test.Database) > last);
        Assert.Equal(0, (await WholeDatabase.CheckAsync(test.Database, test.Blobs)).Broken);
    }

    [Fact]
    public async Task What_the_database_numbers_goes_on_above_what_was_moved()
    {
        await using var test = await TestEngine.OpenAsync(TestDatabases.Sqlite);
        var run = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        for (var i = 0; i < 3; i++)
        {
            await test.Engine.SuspendAsync(Tenant.Default, run, null);
            await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
            await test.Engine.ResumeAsync(Tenant.Default, run, null);
            await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        }
        var lease = await test.Database.ReadAsync(db => db.First("select max(id) from lease", r => r.Long(0), 0L));
        await test.CrashAsync();
        await using var target = PostgresDatabase.Open(await MoveAsync(test));
        Assert.True(await target.WriteAsync(db => LeaseStore.Begin(db, "new", 1, 2)) > lease);
        await target.WriteAsync(db =>
        {
            SignalStore.Send(db, Tenant.Default, run, "suspend", Json.EmptyObject, 1);
            return 0;
        });
        Assert.True(Assert.Single(await target.ReadAsync(db => SignalStore.Of(db, Tenant.Default, run, 0))).Position > 6);
    }

    [Fact]
    public async Task A_move_that_was_interrupted_keeps_servers_out_and_can_be_begun_again()
    {
        await using var test = await TestEngine.OpenAsync(TestDatabases.Sqlite);
        for (var i = 0; i < 20; i++) await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.CrashAsync();
        var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using (var source = SqliteDatabase.Open(Path.Combine(test.Folder, "millrace.db")))
        await using (var target = PostgresDatabase.Open(uri))
        {
            var move = await TableMove.BeginAsync(source, target);
            await move.CopyAsync();
            var refused = await Assert.ThrowsAsync<MigrationException>(() => target.MigrateAsync());
            Assert.Contains("admin move", refused.Message, StringComparison.Ordinal);
        }

        await MoveAsync(test, uri);
        await using var moved = PostgresDatabase.Open(uri);
        await moved.MigrateAsync();
        Assert.Equal(20, (await WholeDatabase.CheckAsync(moved, null)).Live);
    }

    [Fact]
    public async Task A_target_with_rows_is_refused_and_left_as_it_is()
    {
        await using var test = await TestEngine.OpenAsync(TestDatabases.Sqlite);
        await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.CrashAsync();
        var uri = await MoveAsync(test);
        await using var source = SqliteDatabase.Open(Path.Combine(test.Folder, "millrace.db"));
        await using var target = PostgresDatabase.Open(uri);
        var refused = await Assert.ThrowsAsync<AdminException>(() => TableMove.BeginAsync(source, target));
        Assert.Contains("not empty", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await WholeDatabase.CheckAsync(target, null)).Runs);
    }

    [Fact]
    public async Task A_process_that_starts_on_data_of_a_server_that_counted_further_writes_above_it()
    {
        const long Far = 1L << 50;
        var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var run = Guid.CreateVersion7();
        await using (var before = PostgresDatabase.Open(uri))
        {
            await before.MigrateAsync();
            await before.WriteAsync(db => db.Execute(
                "insert into journal (position, organisation, workspace, run, seq, at, state, entries) values ($1, $2, $3, $4, 0, 1, 0, $5)",
                Far, Tenant.Default.Organisation, Tenant.Default.Workspace, run, "[]"u8.ToArray()));
        }

        await using var after = PostgresDatabase.Open(uri);
        await after.MigrateAsync();
        Assert.True(await after.WriteAsync(db => JournalStore.Append(db, Tenant.Default, run, 1, 2, RunPhase.Running, "[]"u8.ToArray())) > Far);
        // A transaction of any other database on the server holds the horizon back for as long as it lasts.
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while ((await after.ReadAsync(db => JournalStore.StateChanges(db, Tenant.Default, 0, 10))).Count < 2) await pulse.WaitForNextTickAsync(patience.Token);
    }

    [Fact]
    public async Task A_row_that_differs_shows_in_the_sums()
    {
        await using var test = await TestEngine.OpenAsync(TestDatabases.Sqlite);
        await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.CrashAsync();
        await using var target = PostgresDatabase.Open(await MoveAsync(test));
        var tables = await Table.OfAsync(target);
        var before = await target.ReadAsync(db => TableSum.Of(db, tables));
        await target.WriteAsync(db => db.Execute("update journal set at = at + 1"));
        var after = await target.ReadAsync(db => TableSum.Of(db, tables));
        Assert.Equal("journal", Assert.Single(before.Except(after)).Table);
    }

    private static async Task<string> MoveAsync(TestEngine test, string? uri = null)
    {
        uri ??= await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = SqliteDatabase.Open(Path.Combine(test.Folder, "millrace.db"));
        await using var target = PostgresDatabase.Open(uri);
        var move = await TableMove.BeginAsync(source, target);
        Assert.All(await move.CopyAsync(), pair => Assert.Equal(pair.Source, pair.Target));
        await target.WriteAsync(db =>
        {
            WholeDatabase.GiveBack(db, test.Time.GetUtcNow());
            TableMove.Finish(db);
            return 0;
        });
        var check = await WholeDatabase.CheckAsync(target, test.Blobs);
        Assert.True(check.IsSound);
        return uri;
    }

    /// <summary>Settled or not: what other databases on the server do is no matter here.</summary>
    private static Task<long> LastPositionAsync(Database database) =>
        database.ReadAsync(db => db.First("select max(position) from journal", r => r.Long(0), 0L));
}
