using Millrace.Engine.Limits;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

public abstract class ConcurrencyTests(TestDatabases databases) : LimitSuite(databases)
{
    private const string Hold = "- work: { call: 'hold:1.0.0@default', with: {} }";

    [Fact]
    public async Task Runs_beyond_the_limit_of_their_key_wait_and_begin_as_others_end()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { key: '${ .customer }', limit: 2 }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a", "a", "b");
        await UntilAsync(test, (held, queued) => held == 3 && queued == 2 && test.Functions.Ledger.Count == 3);
        test.Functions.Open();
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_waits_gives_its_slot_back_and_stands_in_line_again()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "- rest: { wait: PT10S }\n" + Hold, "concurrency: { limit: 1 }");
        var runs = await StartAllAsync(test, workflow, "a", "a");
        foreach (var run in runs) await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        Assert.Equal((0, 0), await CountAsync(test));
        await test.PassAsync(TimeSpan.FromSeconds(11));
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        test.Functions.Open();
        foreach (var run in runs) await test.EndAsync(run);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_limit_that_counts_runs_until_their_end_is_not_given_back_by_waiting()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "- rest: { wait: PT10S }", "concurrency: { limit: 1, counts: unfinished }");
        var runs = await StartAllAsync(test, workflow, "a", "a");
        await test.UntilAsync(runs[0], r => r.State == RunPhase.Waiting);
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        foreach (var run in runs) await test.PassUntilAsync(run, r => r.IsFinished);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_waits_for_its_turn_is_cancelled_at_once_and_begins_nothing()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1 }");
        var runs = await StartAllAsync(test, workflow, "a", "a");
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        await test.Engine.CancelAsync(Tenant.Default, runs[1], "not needed");
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(runs[1])).State.Phase);
        Assert.Equal((1, 0), await CountAsync(test));
        Assert.Single(test.Functions.Ledger);
    }

    [Fact]
    public async Task A_run_that_was_suspended_in_the_line_goes_on_from_its_end_when_it_is_resumed()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1 }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a");
        await UntilAsync(test, (held, queued) => held == 1 && queued == 2);
        await test.Engine.SuspendAsync(Tenant.Default, runs[1], null);
        await test.UntilAsync(runs[1], r => r.State == RunPhase.Suspended);
        Assert.Equal((1, 1), await CountAsync(test));
        await test.Engine.ResumeAsync(Tenant.Default, runs[1], null);
        await UntilAsync(test, (held, queued) => held == 1 && queued == 2);
        test.Functions.Open();
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
    }

    [Fact]
    public async Task Runs_that_stood_with_their_definition_stand_in_line_again_when_that_is_over()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold + "\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }", "concurrency: { limit: 2 }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a");
        await UntilAsync(test, (held, queued) => held == 2 && queued == 1 && test.Functions.Ledger.Count == 2);
        await test.Engine.Holds.SuspendAsync(Tenant.Default, "test", "test", null);
        test.Functions.Open();
        foreach (var run in runs[..2]) await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await UntilAsync(test, (held, queued) => held == 0 && queued == 0);
        await test.Engine.Holds.ResumeAsync(Tenant.Default, "test", "test");
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_while_it_has_no_slot_is_undone_without_one()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "- book: { call: 'count:1.0.0@default', with: { n: 1 }, metadata: { compensate: [ { unbook: { call: 'count:1.0.0@default', with: { n: 2 } } } ] } }\n- rest: { wait: PT1H }\n" + Hold, "concurrency: { limit: 1 }");
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        Assert.Equal((0, 0), await CountAsync(test));
        await test.Engine.CancelAsync(Tenant.Default, run, "enough");
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(run)).State.Phase);
        Assert.Equal(2, test.Functions.Ledger.Count);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task The_newest_take_the_place_of_those_in_progress()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1, onLimit: cancelInProgress }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a");
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(runs[0])).State.Phase);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(runs[1])).State.Phase);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(runs[2])).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task The_newest_are_cancelled_while_others_are_in_progress()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1, onLimit: cancelNewest }");
        var first = await test.StartAsync(workflow, Json.EmptyObject);
        await test.Functions.Entered;
        var second = await test.EndAsync(await test.StartAsync(workflow, Json.EmptyObject));
        Assert.Equal(RunPhase.Cancelled, second.State.Phase);
        Assert.Contains("limit", second.State.Reason);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(first)).State.Phase);
    }

    [Fact]
    public async Task Those_that_wait_take_turns_between_groups_and_the_urgent_go_first()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1, groupRoundRobin: '${ .customer }' }, priority: '${ .urgent // 0 }'");
        var first = await test.StartAsync(workflow, Json.Object("customer", "a"));
        await test.Functions.Entered;
        var rest = await StartAllAsync(test, workflow, "a", "a", "a", "b");
        var urgent = await test.StartAsync(workflow, Json.Object("customer", "a", "urgent", 5));
        await UntilAsync(test, (held, queued) => held == 1 && queued == 5);
        var line = new LimitLine(Tenant.Default, "test/test", "");
        var order = await test.Disk.ReadAsync(db => LimitStore.Waiting(db, line, 10).ConvertAll(p => p.Run));
        Assert.Equal([urgent, rest[0], rest[3], rest[1], rest[2]], order);
        test.Functions.Open();
        await test.EndAsync(first);
    }

    [Fact]
    public async Task An_expression_that_fails_faults_the_run_with_its_reason_and_nothing_is_begun()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { key: '${ .customer | error(\"no\") }', limit: 1 }");
        var history = await test.EndAsync(await test.StartAsync(workflow, Json.Object("customer", "a")));
        Assert.Equal(RunPhase.Faulted, history.State.Phase);
        Assert.Contains("limits", history.State.Error!.Title);
        Assert.Empty(test.Functions.Ledger);
    }

    [Fact]
    public async Task A_crash_while_runs_wait_in_line_loses_no_slot_and_no_run()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1 }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a");
        await UntilAsync(test, (held, queued) => held == 1 && queued == 2);
        await test.CrashAsync();
        await test.ReopenAsync();
        test.Functions.Open();
        foreach (var run in runs) await test.PassUntilAsync(run, r => r.State == RunPhase.Completed);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    public sealed class OnSqlite() : ConcurrencyTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : ConcurrencyTests(TestDatabases.Postgres);
}
