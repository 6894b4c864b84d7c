using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Definitions and workspaces that stand with all of their runs.</summary>
public abstract class HoldTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Two = "- slow: { call: 'hold:1.0.0@default', with: {} }\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }";

    private static Task<bool> SuspendAsync(TestEngine test, string name = "test", string? reason = null) =>
        test.Engine.Holds.SuspendAsync(Tenant.Default, name.Length == 0 ? "" : "test", name, reason);

    private static Task<bool> ResumeAsync(TestEngine test, string name = "test") =>
        test.Engine.Holds.ResumeAsync(Tenant.Default, name.Length == 0 ? "" : "test", name);

    [Fact]
    public async Task No_run_of_it_begins_and_each_says_why()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- work: { call: 'count:1.0.0@default', with: { n: 1 } }");
        Assert.True(await SuspendAsync(test, reason: "prices are wrong"));
        Assert.False(await SuspendAsync(test));
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r is { State: RunPhase.Pending, Lease: null });
        Assert.Equal("Its definition or its workspace is suspended (prices are wrong); it begins when that is over.", Assert.Single((await test.HistoryAsync(run)).Waiting()).Detail);
        Assert.Empty(test.Functions.Ledger);
        Assert.True(await ResumeAsync(test));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        Assert.False(await ResumeAsync(test));
    }

    [Fact]
    public async Task Runs_under_way_stop_before_their_next_step_and_go_on_where_they_were()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Two));
        await test.Functions.Entered;
        await SuspendAsync(test);
        test.Functions.Open();
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        Assert.Single(test.Functions.Ledger);
        await ResumeAsync(test);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        Assert.Equal(2, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task A_worker_hears_of_it_with_the_next_thing_it_writes()
    {
        await using var test = await OpenAsync();
        var (elsewhere, _) = await test.JoinAsync();
        var busy = test.Define("- work: { call: 'count:1.0.0@default', with: { n: 2 } }", "busy");
        var run = await test.StartAsync(test.Define(Two));
        await test.Functions.Entered;
        // Nobody polls while the clock stands, and the other process tells none but itself.
        Assert.True(await elsewhere.Holds.SuspendAsync(Tenant.Default, "test", "test", null));
        await test.EndAsync(await test.StartAsync(busy));
        await test.UntilAsync(run, r => r.State == RunPhase.Suspended);
        test.Functions.Open();
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await ResumeAsync(test);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        await elsewhere.DisposeAsync();
    }

    [Fact]
    public async Task Other_definitions_go_on_and_a_workspace_stands_as_a_whole()
    {
        await using var test = await OpenAsync();
        var other = test.Define("- work: { call: 'count:1.0.0@default', with: { n: 1 } }", "other");
        test.Define(Two);
        await SuspendAsync(test);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(await test.StartAsync(other))).State.Ended);
        await SuspendAsync(test, "");
        var run = await test.StartAsync(other);
        await test.UntilAsync(run, r => r is { State: RunPhase.Pending, Lease: null });
        await ResumeAsync(test, "");
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
    }

    [Fact]
    public async Task A_run_that_was_suspended_by_itself_stays_so()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.SuspendAsync(Tenant.Default, run, "by itself");
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await SuspendAsync(test);
        await ResumeAsync(test);
        var row = await test.PassUntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null, WakeAt: null });
        Assert.Equal("by itself", row.Reason);
    }

    [Fact]
    public async Task Who_is_resumed_while_its_definition_stands_begins_nothing_again()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Two));
        await test.Functions.Entered;
        await SuspendAsync(test);
        await test.UntilAsync(run, r => r.State == RunPhase.Suspended);
        await test.CrashAsync();
        await test.ReopenAsync();
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.ResumeAsync(Tenant.Default, run, null));
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (await test.Disk.ReadAsync(db => db.First("select 1 from signal", r => true, false))) await pulse.WaitForNextTickAsync(patience.Token);
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        Assert.Equal([1], test.Functions.Ledger.Values);

        await ResumeAsync(test);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        Assert.Equal([1, 2], test.Functions.Ledger.Values.Order());
    }

    [Fact]
    public async Task A_run_that_waits_for_a_time_says_that_its_definition_stands_before_it_finds_out()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var row = await test.RowAsync(run);
        Assert.Null(await test.Disk.ReadAsync(db => HoldWaits.Of(db, row)));
        await SuspendAsync(test, reason: "prices are wrong");
        Assert.Equal(RunPhase.Waiting, (await test.RowAsync(run)).State);
        var wait = await test.Disk.ReadAsync(db => HoldWaits.Of(db, row));
        Assert.Equal((WaitKind.Resume, "Its definition or its workspace is suspended (prices are wrong); it goes on when that is over."), (wait!.On, wait.Detail));
        await ResumeAsync(test);
        Assert.Null(await test.Disk.ReadAsync(db => HoldWaits.Of(db, row)));
        await SuspendAsync(test, "");
        Assert.NotNull(await test.Disk.ReadAsync(db => HoldWaits.Of(db, row)));
    }

    [Fact]
    public async Task A_run_that_two_hold_goes_on_when_both_are_over()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- work: { call: 'count:1.0.0@default', with: { n: 1 } }");
        await SuspendAsync(test);
        await SuspendAsync(test, "");
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r is { State: RunPhase.Pending, Lease: null });
        await ResumeAsync(test);
        await test.PassUntilAsync(run, r => r is { State: RunPhase.Pending, Lease: null, WakeAt: null });
        Assert.Empty(test.Functions.Ledger);
        await ResumeAsync(test, "");
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
    }

    [Fact]
    public async Task Thousands_of_runs_are_released_page_by_page()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- work: { set: { x: 1 } }");
        await SuspendAsync(test);
        var runs = await Task.WhenAll(Enumerable.Range(0, 1200).Select(_ => test.StartAsync(workflow)));
        foreach (var run in runs) await test.PassUntilAsync(run, r => r is { State: RunPhase.Pending, Lease: null });
        await ResumeAsync(test);
        foreach (var run in runs) await test.Engine.EndAsync(Tenant.Default, run).WaitAsync(TestEngine.Patience);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_no_run_standing(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            var workflow = test.Define("- work: { call: 'count:1.0.0@default', with: { n: 1 } }");
            await SuspendAsync(test);
            var run = await Story.StartAsync(test, workflow);
            // Told again, the suspension may meet it on its way.
            await test.PassUntilAsync(run, r => r.IsFinished || r is { State: RunPhase.Pending or RunPhase.Suspended, Lease: null });
            await ResumeAsync(test);
            await test.Engine.EndAsync(Tenant.Default, run);
        }, async test =>
        {
            var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
            Assert.Equal(RunPhase.Completed, run.State);
            Assert.Single(test.Functions.Ledger);
        });
        Assert.True(crashes > 4, $"only {crashes} writes to crash at");
    }
}

public sealed class HoldOnSqliteTests() : HoldTests(TestDatabases.Sqlite);
public sealed class HoldOnPostgresTests() : HoldTests(TestDatabases.Postgres);
