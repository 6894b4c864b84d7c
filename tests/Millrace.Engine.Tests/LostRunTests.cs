using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Starts of which nobody knows whether they were written, and the lease under which they are.</summary>
public abstract class LostRunTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Count = "- work: { call: 'count:1.0.0@default', with: {} }";

    [Fact]
    public async Task Starts_that_the_store_refused_cost_nothing_when_it_is_back()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(Count);
        var freed = 0;
        test.Database.Watch = sql => freed += sql.Contains("set lease = null", StringComparison.Ordinal) ? 1 : 0;
        test.Database.WritesRefused = 40;
        for (var i = 0; i < 40; i++) await Assert.ThrowsAsync<StorageUnavailableException>(() => test.StartAsync(workflow));
        await test.Engine.Worker.Lost.RecoverAsync();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(await test.StartAsync(workflow))).State.Phase);
        await test.Engine.Worker.Lost.RecoverAsync();
        Assert.Equal(0, freed);
        Assert.Single(test.Functions.Ledger);
    }

    [Fact]
    public async Task A_start_that_was_reported_as_failed_and_is_there_is_carried_out()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(Count);
        test.Database.WriteLost = true;
        await Assert.ThrowsAsync<StorageUnavailableException>(() => test.StartAsync(workflow));
        var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(run.Id, r => r.IsFinished)).State);
    }

    public sealed class OnSqlite() : LostRunTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : LostRunTests(TestDatabases.Postgres)
    {
        [Fact]
        public async Task A_lease_that_a_refused_write_has_looked_up_is_looked_up_again_by_the_next_of_its_group()
        {
            await using var test = await OpenAsync(new EngineSettings { Works = false, Schedules = false });
            await using var other = test.OpenDisk();
            var id = await test.Disk.WriteAsync(db => LeaseStore.Begin(db, "one", 1, 2));
            var (lease, beat) = (new Lease(id), (await test.Disk.ReadAsync(LeaseStore.Alive)).Single(l => l.Id == id).Beat);
            using var go = new ManualResetEventSlim();
            var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // While it is busy the two gather and make one group.
            var busy = test.Disk.WriteAsync(_ =>
            {
                entered.SetResult();
                return go.Wait(TestEngine.Patience);
            });
            await entered.Task.WaitAsync(TestEngine.Patience);
            var refused = test.Disk.WriteAsync<int>(db =>
            {
                Assert.True(lease.IsAlive(db));
                LeaseStore.Begin(db, "two", 1, 2);
                throw new InvalidOperationException("refused");
            });
            var next = test.Disk.WriteAsync(db =>
            {
                Assert.True(lease.IsAlive(db));
                // Whoever finds the worker silent meanwhile must not end the lease that is written under.
                return other.WriteAsync(o =>
                {
                    LeaseStore.EndSilent(o, id, beat);
                    return LeaseStore.SeemsAlive(o, id);
                }).WaitAsync(TestEngine.Patience).GetAwaiter().GetResult();
            });
            go.Set();
            Assert.True(await busy);
            await Assert.ThrowsAsync<InvalidOperationException>(() => refused);
            Assert.True(await next.WaitAsync(TestEngine.Patience));
        }
    }
}
