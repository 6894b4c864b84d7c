using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Engine.Execution;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class ExecutionTests(TestDatabases databases) : EngineSuite(databases)
{
    [Fact]
    public async Task A_run_that_has_ended_is_kept_for_no_timeout()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- work: { call: 'count:1.0.0@default', with: {}, timeout: { after: PT2H } }", extra: "timeout: { after: PT24H }");
        for (var i = 0; i < 50; i++) await test.EndAsync(await test.StartAsync(workflow));
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (test.Engine.Worker.Timers.Waiting > 0) await pulse.WaitForNextTickAsync(patience.Token);
    }

    [Fact]
    public async Task Steps_run_in_order_and_the_last_output_is_the_runs()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("""
            - one:
                call: count:1.0.0@default
                with: { n: 1 }
            - two:
                set: { done: true }
            """);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal("{\"done\":true}", run.State.Output.ToString());
        Assert.Equal(["one", "two"], run.Steps.Values.Select(s => s.Node.Name));
        Assert.Equal(new StepCounts(2, 2, 0, 0, 0), (await test.RowAsync(run.State.Id)).Counts);
    }

    [Fact]
    public async Task The_same_idempotency_key_starts_one_run()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- one: { set: { a: 1 } }");
        var first = await test.StartAsync(workflow, key: "k");
        var again = await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject, "k", "request"));
        var other = await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject, "k", "another request"));
        Assert.Equal(new StartOutcome.Existing(first), again);
        Assert.Equal(new StartOutcome.Conflict(first), other);
    }

    [Fact]
    public async Task A_wait_ends_when_its_time_has_come_and_not_before()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        var row = await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        Assert.Null(row.Lease);
        Assert.Equal(WaitKind.Timer, Assert.Single((await test.HistoryAsync(id)).Waiting()).On);
        test.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(RunPhase.Waiting, (await test.RowAsync(id)).State);
        test.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
    }

    [Fact]
    public async Task A_fork_joins_its_branches_in_their_order()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("""
            - both:
                fork:
                  branches:
                    - left: { call: 'count:1.0.0@default', with: { side: left } }
                    - right: { set: { side: right } }
            """);
        Assert.Equal("""[{"side":"left"},{"side":"right"}]""", run.State.Output.ToString());
    }

    [Fact]
    public async Task The_losers_of_a_race_are_cancelled()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("""
            - race:
                fork:
                  compete: true
                  branches:
                    - slow: { call: 'hold:1.0.0@default', with: {} }
                    - slower: { wait: PT1H }
                    - quick: { call: 'count:1.0.0@default', with: { won: true } }
            """);
        Assert.Equal("""{"won":true}""", run.State.Output.ToString());
        Assert.Equal([StepState.Cancelled, StepState.Cancelled], run.Steps.Values.Where(s => s.Node.Name.StartsWith("slow", StringComparison.Ordinal)).Select(s => s.State));
        Assert.All(test.Functions.Held, token => Assert.True(token.IsCancellationRequested));
    }

    [Fact]
    public async Task An_error_nobody_catches_faults_the_run_and_says_where()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("""
            - outer:
                do:
                  - inner: { call: 'broken:1.0.0@default', with: {} }
            """);
        Assert.Equal(RunPhase.Faulted, run.State.Phase);
        Assert.Equal("/do/0/outer/do/0/inner", run.State.Error!.Instance);
        Assert.Contains("it is broken", run.State.Error.Detail, StringComparison.Ordinal);
        Assert.Equal("/do/0/outer/do/0/inner", (await test.RowAsync(run.State.Id)).Error!.Instance);
    }

    [Fact]
    public async Task A_retry_waits_for_its_delay_and_succeeds_in_the_end()
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 2;
        var id = await test.StartAsync(test.Define("""
            - again:
                try:
                  - call: { call: 'flaky:1.0.0@default', with: {} }
                catch:
                  errors: { with: { status: 503 } }
                  retry:
                    delay: PT10S
                    backoff: { exponential: {} }
                    limit: { attempt: { count: 3 } }
            """));
        var first = await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        Assert.Equal(TimeSpan.FromSeconds(10), TimeSpan.FromMicroseconds(first.WakeAt!.Value - first.UpdatedAt));
        Assert.Equal(WaitKind.Retry, Assert.Single((await test.HistoryAsync(id)).Waiting()).On);
        test.Time.Advance(TimeSpan.FromSeconds(10));
        var second = await test.UntilAsync(id, r => r.State == RunPhase.Waiting && r.UpdatedAt > first.UpdatedAt);
        Assert.Equal(TimeSpan.FromSeconds(20), TimeSpan.FromMicroseconds(second.WakeAt!.Value - second.UpdatedAt));
        test.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal("\"fine\"", (await test.EndAsync(id)).State.Output.ToString());
    }

    [Fact]
    public async Task An_effect_that_failed_is_tried_again_under_its_key_and_one_that_completed_is_done_anew()
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 2;
        var run = await test.RunAsync("""
            - again:
                try:
                  - count: { call: 'count:1.0.0@default', with: { n: 1 } }
                  - call: { call: 'flaky:1.0.0@default', with: {} }
                catch: { errors: { with: { status: 503 } }, retry: { limit: { attempt: { count: 3 } } } }
            """);
        Assert.Equal(RunPhase.Completed, run.State.Ended);
        Assert.Equal((3, 1), (test.Functions.FlakyKeys.Count, test.Functions.FlakyKeys.Distinct().Count()));
        Assert.Equal(3, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task A_function_that_does_not_exist_is_a_named_error()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("- one: { call: 'nowhere:1.0.0@default', with: {} }");
        Assert.Equal("Unknown function", run.State.Error!.Title);
    }

    [Fact]
    public async Task A_task_that_takes_too_long_is_ended_with_a_timeout()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("""
            - slow:
                call: hold:1.0.0@default
                with: {}
                timeout: { after: PT5S }
            """));
        await test.Functions.Entered;
        await test.UntilAsync(id, _ => true);
        test.Time.Advance(TimeSpan.FromSeconds(6));
        var run = await test.EndAsync(id);
        Assert.Equal(408, run.State.Error!.Status);
        Assert.All(test.Functions.Held, token => Assert.True(token.IsCancellationRequested));
    }

    [Fact]
    public async Task A_large_value_goes_through_the_blob_store_and_comes_back()
    {
        await using var test = await OpenAsync();
        Json large = new string('x', 200_000);
        var workflow = test.Define("""
            - keep: { call: 'hold:1.0.0@default', with: {} , output: { as: { a: 1 } } }
            """);
        var id = await test.StartAsync(workflow, large);
        await test.Functions.Entered;
        var stored = await test.Database.ReadAsync(db => db.Query("select length(entries) from journal", r => r.Long(0)));
        Assert.All(stored, length => Assert.InRange(length, 1, 70_000));
        Assert.Equal(large, (await test.HistoryAsync(id)).State.Input);
        test.Functions.Open();
        await test.EndAsync(id);
    }
}

public sealed class ExecutionOnSqliteTests() : ExecutionTests(TestDatabases.Sqlite);

public sealed class ExecutionOnPostgresTests() : ExecutionTests(TestDatabases.Postgres);
