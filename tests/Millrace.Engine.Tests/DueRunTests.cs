using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Workers that take runs others have started. The clock stands still: nothing here is found by looking again later.</summary>
public abstract class DueRunTests(TestDatabases databases) : EngineSuite(databases)
{
    [Fact]
    public async Task A_full_worker_takes_more_as_soon_as_it_has_room()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false, Works = false });
        var workflow = test.Define("- one: { call: 'count:1.0.0@default', with: {} }");
        var ids = new List<Guid>();
        for (var i = 0; i < 50; i++) ids.Add(await test.StartAsync(workflow));

        test.Settings = test.Settings with { Works = true, HeldMax = 4, ClaimMax = 3 };
        var (worker, _) = await test.JoinAsync();
        await using var _1 = worker;

        foreach (var id in ids) Assert.Equal(RunPhase.Completed, (await test.UntilAsync(id, r => r.IsFinished)).State);
        Assert.Equal(0, worker.Held);
    }

    [Fact]
    public async Task A_full_worker_holds_no_more_than_it_may()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false, Works = false });
        var workflow = test.Define("- one: { call: 'hold:1.0.0@default', with: {} }");
        for (var i = 0; i < 20; i++) await test.StartAsync(workflow);

        test.Settings = test.Settings with { Works = true, HeldMax = 4, ClaimMax = 3 };
        var (worker, _) = await test.JoinAsync();
        await using var _1 = worker;
        await test.Functions.Entered;
        // It looks again, and finds no room.
        await test.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(4, await test.Disk.ReadAsync(db => db.First("select count(*) from run where lease is not null", r => r.Int(0), -1)));
        Assert.Equal(4, worker.Held);
        test.Functions.Open();
    }

    [Fact]
    public async Task A_worker_that_is_full_of_one_workspace_s_runs_still_takes_another_s()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false, Works = false });
        var crowd = test.Define("- one: { call: 'hold:1.0.0@default', with: {} }", "crowd");
        for (var i = 0; i < 200; i++) await test.StartAsync(crowd);
        test.Settings = test.Settings with { Works = true, HeldMax = 4, ClaimMax = 3 };
        var (worker, _) = await test.JoinAsync();
        await using var _1 = worker;
        await test.Functions.Entered;

        var guest = new Tenant(Guid.CreateVersion7(), Guid.CreateVersion7());
        var small = test.Define("- one: { call: 'count:1.0.0@default', with: {} }", "small");
        var started = (StartOutcome.Started)await test.Engine.StartAsync(new StartRequest(guest, small, Json.EmptyObject));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (await test.Disk.ReadAsync(db => RunStore.Get(db, guest, started.Run)!.State) != RunPhase.Completed)
        {
            patience.Token.ThrowIfCancellationRequested();
            await test.PassAsync(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(worker.Held, 4, 5);
        test.Functions.Open();
    }
}

public sealed class DueRunTestsOnSqlite() : DueRunTests(TestDatabases.Sqlite);

public sealed class DueRunTestsOnPostgres() : DueRunTests(TestDatabases.Postgres);
