using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Two processes at one run, statement by statement. SQLite has one process alone, and one transaction after the other.</summary>
public sealed class SlotRaceTests() : LimitSuite(TestDatabases.Postgres)
{
    [Fact]
    public async Task A_slot_that_is_given_while_the_run_is_put_back_in_line_wakes_it()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "- work: { call: 'hold:1.0.0@default', with: {} }", "concurrency: { name: shared, limit: 1 }");
        var runs = await StartAllAsync(test, workflow, "a", "a");
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        await using var gives = test.OpenDisk();
        await using var blocks = test.OpenDisk();
        var now = test.Engine.Worker.Now;

        // Whoever puts the run in line again has read its places and stands before the question what is wanted of it.
        using var go = new ManualResetEventSlim();
        var locked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var block = blocks.WriteAsync(db =>
        {
            db.Execute("lock table signal in access exclusive mode");
            locked.SetResult();
            return go.Wait(TestEngine.Patience);
        });
        await locked.Task.WaitAsync(TestEngine.Patience);
        await gives.WriteAsync(db =>
        {
            RunStore.Wake(db, Tenant.Default, runs[1], now);
            return 0;
        });
        test.Engine.Told(Tenant.Default, runs[1]);
        await BlockedAsync(blocks, 1);

        // Another process has a slot for it.
        var given = gives.WriteAsync(db =>
        {
            LimitStore.Set(db, Tenant.Default, "shared", 2, now);
            var turn = new LimitTurn(db, Tenant.Default, now);
            turn.Serve([new LimitLine(Tenant.Default, "shared", "")]);
            return turn.Given;
        });
        await BlockedAsync(blocks, 2, given);
        go.Set();
        Assert.True(await block.WaitAsync(TestEngine.Patience));
        Assert.Equal([runs[1]], await given.WaitAsync(TestEngine.Patience));
        test.Functions.Open();
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(run, r => r.IsFinished)).State);
    }

    /// <summary>Until so many statements wait for others' locks, or the task has ended.</summary>
    private static async Task BlockedAsync(Database disk, int statements, Task? or = null)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (or is not { IsCompleted: true } && await disk.ReadAsync(db => db.First(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", r => r.Long(0), 0L)) < statements)
            await pulse.WaitForNextTickAsync(patience.Token);
    }
}
