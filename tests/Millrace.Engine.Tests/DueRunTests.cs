using Millrace.Engine.Execution;
using Millrace.Engine.Tests.Support;
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
}

public sealed class DueRunTestsOnSqlite() : DueRunTests(TestDatabases.Sqlite);

public sealed class DueRunTestsOnPostgres() : DueRunTests(TestDatabases.Postgres);
