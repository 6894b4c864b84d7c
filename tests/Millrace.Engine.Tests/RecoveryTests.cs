using System.Text;
using Millrace.Engine.Execution;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class RecoveryTests(TestDatabases databases) : EngineSuite(databases)
{
    /// <summary>Everything that writes: steps, a race, a retry, a wait, a child, sub-steps.</summary>
    private const string Journey = """
        - one: { call: 'count:1.0.0@default', with: { n: 1 } }
        - both:
            fork:
              branches:
                - left: { call: 'count:1.0.0@default', with: { n: 2 } }
                - right: { call: 'count:1.0.0@default', with: { n: 3 } }
        - again:
            try:
              - shaky: { call: 'flaky:1.0.0@default', with: {} }
            catch:
              retry: { delay: PT1S, limit: { attempt: { count: 9 } } }
        - rest: { wait: PT1S }
        - child: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }
        - parts: { call: 'three_parts:1.0.0@default', with: {} }
        - last: { call: 'count:1.0.0@default', with: { n: 4 } }
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Faults_1_and_3_a_crash_at_any_write_loses_nothing_and_repeats_no_recorded_step(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            var (finished, crashed) = await JourneyAsync(test, at, afterCommit);
            Assert.True(finished, $"crash at write {at}");
            // Each effect is recorded once, whatever the number of attempts: keys are those of the steps, not of the attempts.
            Assert.Equal(5, test.Functions.Ledger.Count);
            Assert.All(test.Functions.Ledger.Values, attempts => Assert.InRange(attempts, 1, 2));
            Assert.All(test.Functions.SubSteps.Values, times => Assert.InRange(times, 1, 2));
            if (crashed) continue;
            Assert.True(at > 15, $"only {at - 1} writes to crash at");
            return;
        }
    }

    [Fact]
    public async Task An_extension_survives_a_crash_at_any_write()
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            var workflow = test.Define("""
                - one: { call: 'count:1.0.0@default', with: { n: 1 } }
                - mocked: { call: 'count:1.0.0@default', with: { n: 5 } }
                - rest: { wait: PT1S }
                """, extra: """
                use:
                  extensions:
                    - check: { extend: all, before: [ { allow: { call: 'count:1.0.0@default', with: { n: 2 } } } ], after: [ { seen: { call: 'count:1.0.0@default', with: { n: 3 } } } ] }
                    - mock: { extend: call, when: '$task.name == "mocked"', before: [ { instead: { set: { n: 4 }, then: exit } } ] }
                """);
            test.Database.DieAt = test.Database.Writes + at;
            var start = test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Jq.Json.EmptyObject, "extended", "request"));
            var end = EndAsync(test, start);
            await TimePassesUntil(test, Task.WhenAny(end, test.Database.Died));
            if (test.Database.Spare())
            {
                Assert.Equal(RunPhase.Completed, await end);
                Assert.Equal(7, test.Functions.Ledger.Count);
                break;
            }
            await test.CrashAsync();
            await test.ReopenAsync();
            start = test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Jq.Json.EmptyObject, "extended", "request"));
            var finish = EndAsync(test, start);
            await TimePassesUntil(test, finish);
            Assert.Equal(RunPhase.Completed, await finish);
            Assert.Equal(7, test.Functions.Ledger.Count);
            Assert.All(test.Functions.Ledger.Values, attempts => Assert.InRange(attempts, 1, 2));
        }
    }

    private static async Task<(bool Finished, bool Crashed)> JourneyAsync(TestEngine test, int dieAt, bool afterCommit)
    {
        test.Define("- give: { call: 'count:1.0.0@default', with: { n: 9 } }", "child");
        var workflow = test.Define(Journey);
        test.Functions.FailuresLeft = 1;
        test.Database.AfterCommit = afterCommit;
        test.Database.DieAt = test.Database.Writes + dieAt;
        var start = test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Jq.Json.EmptyObject, "journey", "request"));
        var end = EndAsync(test, start);
        var died = test.Database.Died;
        await TimePassesUntil(test, Task.WhenAny(end, died));
        var crashed = !test.Database.Spare();
        if (!crashed) return (await end == RunPhase.Completed, false);

        await test.CrashAsync();
        await test.ReopenAsync();
        // The caller never heard, so it asks again, with the same key.
        var again = test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Jq.Json.EmptyObject, "journey", "request"));
        var finish = EndAsync(test, again);
        await TimePassesUntil(test, finish);
        return (await finish == RunPhase.Completed, true);
    }

    private static async Task<RunPhase> EndAsync(TestEngine test, Task<StartOutcome> start)
    {
        var run = await start switch
        {
            StartOutcome.Started s => s.Run,
            StartOutcome.Existing e => e.Run,
            _ => throw new InvalidOperationException("conflict"),
        };
        return await test.Engine.EndAsync(Tenant.Default, run);
    }

    /// <summary>Lets the clock of the test run, second by second, until the task ends.</summary>
    private static async Task TimePassesUntil(TestEngine test, Task task)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (!task.IsCompleted)
        {
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    [Theory]
    [InlineData("- slow: { call: 'hold:1.0.0@default', with: {}, timeout: { after: PT10S } }", true)]
    [InlineData("- all: { for: { in: '[1]' }, timeout: { after: PT10S }, do: [ { slow: { call: 'hold:1.0.0@default', with: {} } } ] }", true)]
    [InlineData("- slow: { wait: PT1H, timeout: { after: PT10S } }", false)]
    [InlineData("- slow: { listen: { to: { one: { with: { type: never } } } }, timeout: { after: PT10S } }", false)]
    [InlineData("- slow: { fork: { branches: [ { a: { wait: PT1H } }, { b: { wait: PT2H } } ] }, timeout: { after: PT10S } }", false)]
    public async Task A_timeout_fires_after_a_restart_at_the_moment_it_would_have_fired(string task, bool holds)
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(task));
        if (holds) await test.Functions.Entered;
        else await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var row = await test.RowAsync(id);
        // Said when the task began, and by no later reading of a clock.
        if (!holds) Assert.InRange(row.WakeAt!.Value - row.CreatedAt, 10_000_000, 11_000_000);
        test.Time.Advance(TimeSpan.FromSeconds(6));
        await test.CrashAsync();
        await test.ReopenAsync();
        var end = test.EndAsync(id);
        await TimePassesUntil(test, end);
        var run = await end;
        Assert.Equal((RunPhase.Faulted, 408), (run.State.Phase, run.State.Error!.Status));
        Assert.True(run.State.EndedAt - row.CreatedAt >= 10_000_000);
    }

    [Fact]
    public async Task Fault_2_an_interrupted_effect_is_repeated_under_the_same_key()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        await test.CrashAsync();
        test.Functions.Open();
        await test.ReopenAsync();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal(2, Assert.Single(test.Functions.Ledger).Value);
    }

    [Fact]
    public async Task Fault_2_an_interrupted_once_effect_is_not_repeated_and_its_outcome_is_unknown()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- slow: { call: 'hold_once:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        await test.CrashAsync();
        await test.ReopenAsync();
        var run = await test.EndAsync(id);
        Assert.Equal("Outcome unknown", run.State.Error!.Title);
        Assert.Equal(1, Assert.Single(test.Functions.Ledger).Value);
    }

    [Fact]
    public async Task Fault_2_a_recorded_sub_step_is_not_done_again()
    {
        await using var test = await OpenAsync();
        test.Database.AfterCommit = true;
        // The start, the first record, then one record for each sub-step: the second sub-step is the last thing on disk.
        test.Database.DieAt = test.Database.Writes + 4;
        var workflow = test.Define("- parts: { call: 'three_parts:1.0.0@default', with: {} }");
        var id = await test.StartAsync(workflow);
        await test.Database.Died.WaitAsync(TestEngine.Patience);
        await test.CrashAsync();
        await test.ReopenAsync();
        Assert.Equal("16", (await test.EndAsync(id)).State.Output.ToString());
        Assert.Equal([1, 1, 1], test.Functions.SubSteps.Values);
    }

    [Fact]
    public async Task A_finished_run_stays_as_it_is()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("- one: { call: 'count:1.0.0@default', with: {} }");
        var before = await test.RowAsync(run.State.Id);
        await test.CrashAsync();
        await test.ReopenAsync();
        Assert.Equal(before, await test.RowAsync(run.State.Id));
    }

    [Fact]
    public async Task A_worker_whose_lease_is_over_writes_nothing()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        var before = await test.HistoryAsync(id);
        // Another worker finds the lease expired, ends it and frees the runs.
        await test.Database.WriteAsync(db => db.Execute("update lease set alive = 0"));
        test.Functions.Open();
        // The zombie is refused, begins anew and takes the freed run again as anybody would.
        await test.Database.WriteAsync(db => db.Execute("update run set lease = null, wake_at = 0 where state < 4"));
        var run = await test.EndAsync(id);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(before.State.Position + 1, run.State.Position);
    }

    [Fact]
    public async Task Claimed_runs_whose_definition_cannot_be_read_are_taken_again_when_it_can()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- rest: { wait: PT1S }");
        var runs = new List<Guid>();
        for (var i = 0; i < 3; i++) runs.Add(await test.StartAsync(workflow));
        foreach (var run in runs) await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        // A new process knows no run; its first look-up fails after the claim has been committed.
        await test.CrashAsync();
        await test.ReopenAsync();
        test.LookupsRefused = 1;
        foreach (var run in runs) Assert.Equal(RunPhase.Completed, await AdvancedToEndAsync(test, run));
    }

    [Fact]
    public async Task A_store_that_is_away_again_and_again_while_a_child_is_looked_up_faults_no_run()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: { n: 1 } }", "child");
        var workflow = test.Define("- spawn: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }");
        test.LookupsRefused = 7;
        var run = await test.StartAsync(workflow);
        Assert.Equal(RunPhase.Completed, await AdvancedToEndAsync(test, run));
    }

    private static async Task<RunPhase> AdvancedToEndAsync(TestEngine test, Guid run)
    {
        var end = test.EndAsync(run);
        while (!end.IsCompleted)
        {
            test.Time.Advance(test.Settings.PollInterval);
            await test.RowAsync(run);
        }
        return (await end).State.Phase;
    }

    [Fact]
    public async Task A_secret_reaches_the_function_and_nothing_that_is_kept()
    {
        await using var test = await OpenAsync();
        test.Secrets["token"] = "s3cr3t-value";
        var run = await test.RunAsync("""
            - use: { call: 'echo_secret:1.0.0@default', with: {} }
            - fail: { call: 'broken:1.0.0@default', with: {} }
            """, extra: "use: { secrets: [token] }");
        Assert.Equal("""{"got":"***"}""", run.Steps[1].Output.ToString());
        Assert.DoesNotContain("s3cr3t", run.State.Error!.Detail, StringComparison.Ordinal);
        var kept = await test.Database.ReadAsync(db => db.Query("select entries from journal", r => Encoding.UTF8.GetString(r.Bytes(0))));
        Assert.Contains(kept, text => text.Contains("***", StringComparison.Ordinal));
        Assert.DoesNotContain(kept, text => text.Contains("s3cr3t", StringComparison.Ordinal));
    }
}

public sealed class RecoveryOnSqliteTests() : RecoveryTests(TestDatabases.Sqlite);

public sealed class RecoveryOnPostgresTests() : RecoveryTests(TestDatabases.Postgres);
