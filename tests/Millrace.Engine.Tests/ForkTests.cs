using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class ForkTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Sums = """
        - one: { call: 'count:1.0.0@default', with: { n: 1 }, export: { as: '{ seen: .n }' } }
        - two: { call: 'count:1.0.0@default', with: { n: '${ .n + 1 }' } }
        - three: { set: { total: '${ .n + $context.seen }' } }
        """;

    [Fact]
    public async Task A_fork_before_a_step_takes_over_what_was_done_and_does_the_rest_again()
    {
        await using var test = await OpenAsync();
        var source = await test.RunAsync(Sums);
        var before = await test.RowAsync(source.State.Id);
        var fork = await EndOfAsync(test, new ForkPoint.Before(2));
        Assert.Equal("""{"total":3}""", fork.State.Output.ToString());
        // The first call was not made again; the second was, under a key of the fork's own.
        Assert.Equal(3, test.Functions.Ledger.Count);
        Assert.Equal(3, fork.State.Counts.Completed);
        var row = await test.RowAsync(fork.State.Id);
        Assert.Equal(source.State.Id, row.Fork!.Run);
        Assert.Equal(2, row.Fork.Step);
        Assert.Equal(before, await test.RowAsync(source.State.Id));
    }

    /// <summary>What begins when the fork may go on is asked for once, and not once more together with what was under way at the cut.</summary>
    [Fact]
    public async Task A_fork_that_stands_before_it_goes_on_does_nothing_twice()
    {
        await using var test = await OpenAsync();
        var source = await test.RunAsync(Sums);
        await test.Engine.Holds.SuspendAsync(Tenant.Default, "test", "test", null);
        var fork = Assert.IsType<ForkOutcome.Started>(await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, source.State.Id, new ForkPoint.Before(2)))).Run;
        await test.PassUntilAsync(fork, r => r is { State: RunPhase.Suspended, Lease: null });
        await test.Engine.Holds.ResumeAsync(Tenant.Default, "test", "test");
        await test.PassUntilAsync(fork, r => r.IsFinished);
        Assert.Equal([1, 1, 1], test.Functions.Ledger.Values);
    }

    [Fact]
    public async Task Edited_input_and_context_take_the_place_of_what_was_there()
    {
        await using var test = await OpenAsync();
        await test.RunAsync(Sums);
        var fork = await EndOfAsync(test, new ForkPoint.Before(2), r => r with { Input = Json.Object("n", 10), Context = Json.Object("seen", 100) });
        Assert.Equal("""{"total":111}""", fork.State.Output.ToString());
    }

    [Fact]
    public async Task A_fork_behind_the_first_record_is_the_run_once_more_with_another_input()
    {
        await using var test = await OpenAsync();
        await test.RunAsync("- twice: { set: { n: '${ .n * 2 }' } }", Json.Object("n", 2));
        var fork = await EndOfAsync(test, new ForkPoint.Behind(0), r => r with { Input = Json.Object("n", 21) });
        Assert.Equal("""{"n":42}""", fork.State.Output.ToString());
        Assert.Equal("""{"n":21}""", fork.State.Input.ToString());
    }

    [Fact]
    public async Task Inside_a_loop_it_goes_on_with_the_same_item()
    {
        await using var test = await OpenAsync();
        await test.RunAsync("""
            - all:
                for: { each: item, in: '${ [1, 2, 3] }' }
                do:
                  - add: { call: 'count:1.0.0@default', with: { sum: '${ (.sum // 0) + $item }' } }
            """);
        // Step 1 is the loop, steps 2 to 4 its turns.
        var fork = await EndOfAsync(test, new ForkPoint.Before(3));
        Assert.Equal("""{"sum":6}""", fork.State.Output.ToString());
        Assert.Equal(5, test.Functions.Ledger.Count);
        Assert.Equal([0, 1, 2], fork.Steps.Values.Where(s => s.Iteration >= 0).Select(s => s.Iteration));
    }

    [Fact]
    public async Task Inside_a_catch_clause_it_knows_the_error()
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 1;
        await test.RunAsync("""
            - guarded:
                try:
                  - shaky: { call: 'flaky:1.0.0@default', with: {} }
                catch:
                  as: trouble
                  do:
                    - tell: { set: { status: '${ $trouble.status }', given: '${ .x }' } }
            """);
        var fork = await EndOfAsync(test, new ForkPoint.BeforeTask("/do/0/guarded/catch/do/0/tell"), r => r with { Input = Json.Object("x", 7) });
        Assert.Equal("""{"status":503,"given":7}""", fork.State.Output.ToString());
    }

    [Fact]
    public async Task A_branch_begins_again_on_an_edited_input_beside_the_others()
    {
        await using var test = await OpenAsync();
        await test.RunAsync("""
            - both:
                fork:
                  branches:
                    - left: { set: { v: '${ .v }' } }
                    - right: { set: { v: '${ .v }' } }
            """, Json.Object("v", 1));
        var fork = await EndOfAsync(test, new ForkPoint.BeforeTask("/do/0/both/fork/branches/1/right"), r => r with { Input = Json.Object("v", 2) });
        Assert.Equal("""[{"v":1},{"v":2}]""", fork.State.Output.ToString());
    }

    [Fact]
    public async Task A_live_run_is_forked_with_what_is_under_way_and_goes_on_untouched()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        var fork = await ForkAsync(test, new ForkRequest(Tenant.Default, id, new ForkPoint.Behind((await test.HistoryAsync(id)).State.Position)));
        await UntilAsync(test, fork, () => test.Functions.Ledger.Count == 2);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(fork)).State.Phase);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal([1, 1], test.Functions.Ledger.Values);
    }

    [Fact]
    public async Task A_timer_has_the_time_left_that_it_had_at_the_cut()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT10M }\n- done: { set: { ok: true } }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var position = (await test.HistoryAsync(id)).State.Position;
        test.Time.Advance(TimeSpan.FromHours(1));
        await test.EndAsync(id);
        var fork = await ForkAsync(test, new ForkRequest(Tenant.Default, id, new ForkPoint.Behind(position)));
        var row = await test.UntilAsync(fork, r => r.State == RunPhase.Waiting);
        Assert.Equal(row.CreatedAt + 600_000_000, row.WakeAt);
        test.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(fork)).State.Phase);
    }

    [Fact]
    public async Task A_child_that_had_not_ended_at_the_cut_is_started_again_and_one_that_had_is_not()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { call: 'hold:1.0.0@default', with: {} }", "child");
        var id = await test.StartAsync(test.Define("- spawn: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }"));
        await test.Functions.Entered;
        test.Functions.Open();
        var source = await test.EndAsync(id);
        var fork = await EndOfAsync(test, new ForkPoint.Behind(source.State.Position - 1));
        Assert.Equal(RunPhase.Completed, fork.State.Phase);
        Assert.Equal("\"let go\"", fork.State.Output.ToString());
        Assert.NotEqual(source.Steps[1].Child, fork.Steps[1].Child);
        Assert.Equal(2, test.Functions.Ledger.Count);
        Assert.Equal(fork.State.Id, (await test.RowAsync(fork.Steps[1].Child!.Value)).Parent);
    }

    [Fact]
    public async Task The_same_key_forks_once()
    {
        await using var test = await OpenAsync();
        var source = await test.RunAsync(Sums);
        var request = new ForkRequest(Tenant.Default, source.State.Id, new ForkPoint.Before(2)) { IdempotencyKey = "k", RequestHash = "h" };
        var fork = await ForkAsync(test, request);
        Assert.Equal(new ForkOutcome.Existing(fork), await test.Engine.ForkAsync(request));
        Assert.Equal(new ForkOutcome.Conflict(fork), await test.Engine.ForkAsync(request with { RequestHash = "other" }));
    }

    [Fact]
    public async Task A_place_that_is_not_there_is_refused_where_it_is_named()
    {
        await using var test = await OpenAsync();
        var source = await test.RunAsync(Sums);
        async Task<ForkRefusal> RefusedAsync(ForkPoint point, Json? input = null) => ((ForkOutcome.Refused)await test.Engine.ForkAsync(
            new ForkRequest(Tenant.Default, source.State.Id, point) { Input = input })).Why;
        Assert.Equal("/step", (await RefusedAsync(new ForkPoint.Before(99))).Pointer);
        Assert.Equal("/task", (await RefusedAsync(new ForkPoint.BeforeTask("/do/7/no"))).Pointer);
        Assert.Equal("/seq", (await RefusedAsync(new ForkPoint.Behind(99))).Pointer);
        Assert.Equal("run.fork_finished", (await RefusedAsync(new ForkPoint.Behind(source.State.Position))).Code);
        Assert.Equal("/input", (await RefusedAsync(new ForkPoint.Behind(1), Json.EmptyObject)).Pointer);
        Assert.Equal("run.not_failed", (await RefusedAsync(new ForkPoint.Failure())).Code);
        Assert.IsType<ForkOutcome.NotFound>(await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, Guid.CreateVersion7(), new ForkPoint.Behind(0))));
    }

    [Fact]
    public async Task A_retry_begins_the_step_that_faulted_once_more_and_keeps_what_its_neighbours_did()
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 1;
        await test.RunAsync("""
            - both:
                fork:
                  branches:
                    - left:
                        do:
                          - one: { call: 'count:1.0.0@default', with: { n: 1 } }
                          - long: { wait: PT20S }
                    - right: { call: 'flaky:1.0.0@default', with: {} }
            """);
        var id = await ForkAsync(test, new ForkRequest(Tenant.Default, await OriginalAsync(test), new ForkPoint.Failure()));
        await test.PassUntilAsync(id, r => r.IsFinished);
        var fork = await test.HistoryAsync(id);
        Assert.Equal("""[{"n":1},"fine"]""", fork.State.Output.ToString());
        Assert.Single(test.Functions.Ledger);
    }

    [Fact]
    public async Task A_retry_inside_an_exhausted_try_has_the_attempts_that_were_left_and_the_edited_input()
    {
        await using var test = await OpenAsync();
        var source = await test.RunAsync("""
            - guarded:
                try:
                  - check: { if: '${ .ok | not }', raise: { error: { type: https://example.com/no, status: 400 } } }
                catch:
                  retry: { limit: { attempt: { count: 1 } } }
            - after: { set: { ok: '${ .ok }' } }
            """, Json.Object("ok", false));
        Assert.Equal(RunPhase.Faulted, source.State.Phase);
        var fork = await EndOfAsync(test, new ForkPoint.Failure(), r => r with { Input = Json.Object("ok", true) });
        Assert.Equal("""{"ok":true}""", fork.State.Output.ToString());
    }

    [Fact]
    public async Task A_cancelled_run_goes_on_from_where_it_was()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- one: { call: 'count:1.0.0@default', with: { n: 1 } }\n- slow: { call: 'hold:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        await test.Engine.CancelAsync(Tenant.Default, id, "oops");
        await test.EndAsync(id);
        test.Functions.Open();
        var fork = await EndOfAsync(test, new ForkPoint.Failure());
        Assert.Equal(RunPhase.Completed, fork.State.Phase);
        Assert.Equal(3, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task A_run_that_timed_out_has_all_of_its_time_again()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- rest: { wait: PT10S }", extra: "timeout: { after: PT15S }");
        var id = await test.StartAsync(workflow);
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var fork = await ForkAsync(test, new ForkRequest(Tenant.Default, id, new ForkPoint.Behind((await test.HistoryAsync(id)).State.Position)));
        await test.UntilAsync(fork, r => r.State == RunPhase.Waiting);
        Assert.Equal((await test.RowAsync(fork)).CreatedAt + 10_000_000, (await test.RowAsync(fork)).WakeAt);
    }

    [Fact]
    public async Task A_fork_is_forked_and_its_journal_is_whole()
    {
        await using var test = await OpenAsync();
        await test.RunAsync(Sums);
        var first = await EndOfAsync(test, new ForkPoint.Before(2), r => r with { Input = Json.Object("n", 10) });
        var second = await ForkAsync(test, new ForkRequest(Tenant.Default, first.State.Id, new ForkPoint.Before(3)));
        var end = await test.EndAsync(second);
        Assert.Equal("""{"total":12}""", end.State.Output.ToString());
        var records = await test.Engine.Journal.AfterAsync(Tenant.Default, second, -1);
        Assert.Equal(Enumerable.Range(0, records.Count).Select(n => (long)n), records.Select(r => r.Seq));
    }

    [Theory]
    [InlineData("raise: { error: { type: https://example.com/no, status: 400 } }")]
    [InlineData("call: 'flaky:1.0.0@default'\n  with: {}")]
    public async Task A_retry_is_forked_behind_each_of_its_records_and_fails_once_more(string task)
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 100;
        var failed = await test.RunAsync("- one: { call: 'count:1.0.0@default', with: { n: 1 } }\n- two:\n    " + task.Replace("\n", "\n  ", StringComparison.Ordinal));
        var retry = await EndOfAsync(test, new ForkPoint.Failure());
        for (var seq = 0; seq < retry.State.Position; seq++)
        {
            var end = await test.EndAsync(await ForkAsync(test, new ForkRequest(Tenant.Default, retry.State.Id, new ForkPoint.Behind(seq))));
            Assert.Equal((RunPhase.Faulted, failed.State.Error), (end.State.Phase, end.State.Error));
        }
    }

    private static Task<Guid> OriginalAsync(TestEngine test) =>
        test.Database.ReadAsync(db => db.First("select id from run where parent is null and fork_of is null", r => r.Id(0), default));

    private static async Task<RunHistory> EndOfAsync(TestEngine test, ForkPoint point, Func<ForkRequest, ForkRequest>? with = null)
    {
        var request = new ForkRequest(Tenant.Default, await OriginalAsync(test), point);
        return await test.EndAsync(await ForkAsync(test, with is null ? request : with(request)));
    }

    private static async Task<Guid> ForkAsync(TestEngine test, ForkRequest request)
    {
        var outcome = await test.Engine.ForkAsync(request);
        Assert.True(outcome is ForkOutcome.Started, outcome.ToString());
        return ((ForkOutcome.Started)outcome).Run;
    }

    private static async Task UntilAsync(TestEngine test, Guid run, Func<bool> holds)
    {
        while (!holds()) await test.RowAsync(run).WaitAsync(TestEngine.Patience);
    }
}

public sealed class ForkOnSqliteTests() : ForkTests(TestDatabases.Sqlite);

public sealed class ForkOnPostgresTests() : ForkTests(TestDatabases.Postgres);
