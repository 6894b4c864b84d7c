using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>Runs that go wrong, and what the others feel of it: nothing. See docs/faults.md.</summary>
public abstract class RunFaults(TestDatabases databases) : EngineSuite(databases)
{
    private const string AskChild = "- ask: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }";

    /// <summary>One slot: whatever took it must have given it back, or the second run never ends.</summary>
    [Theory]
    [InlineData("cancel", "- a: { call: 'hold:1.0.0@default', with: {} }")]
    [InlineData("timeout", "- a: { call: 'hold:1.0.0@default', with: {}, timeout: { after: PT5S } }")]
    [InlineData("exception", "- a: { call: 'broken:1.0.0@default', with: {} }")]
    [InlineData("race", "- a: { fork: { compete: true, branches: [ { x: { call: 'hold:1.0.0@default', with: {} } }, { y: { wait: PT2S } } ] } }")]
    [InlineData("suspend", "- a: { call: 'hold:1.0.0@default', with: {} }")]
    [InlineData("queue", "- a: { call: 'hold:1.0.0@default', with: {} }")]
    [InlineData("retry", "- a: { try: [ { x: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT1H, limit: { attempt: { count: 5 } } } } }")]
    public async Task Faults_10_and_11_a_slot_is_given_back_however_its_step_ends(string how, string tasks)
    {
        await using var test = await OpenAsync(new EngineSettings { IoMax = 1 });
        test.Functions.FailuresLeft = 1;
        var first = await test.StartAsync(test.Define(tasks));
        if (how == "retry") await test.UntilAsync(first, r => r.State == RunPhase.Waiting);
        else if (how != "exception") await test.Functions.Entered;
        if (how == "cancel") await test.Engine.CancelAsync(Tenant.Default, first, null);
        if (how == "suspend") await test.Engine.SuspendAsync(Tenant.Default, first, null);
        if (how == "queue")
        {
            // In line for the slot when it is cancelled.
            var queued = await test.StartAsync(test.Define("- c: { call: 'count:1.0.0@default', with: {} }", "queued"));
            await test.UntilAsync(queued, r => r.State == RunPhase.Running);
            await test.Engine.CancelAsync(Tenant.Default, queued, null);
            Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(queued)).State.Phase);
        }
        if (how is "suspend" or "queue") test.Functions.Open();
        var second = await test.StartAsync(test.Define("- b: { call: 'count:1.0.0@default', with: {} }", "second"));
        await test.PassUntilAsync(second, r => r.IsFinished);
        Assert.Equal(RunPhase.Completed, (await test.RowAsync(second)).State);
        if (how == "suspend") Assert.Equal(RunPhase.Suspended, (await test.RowAsync(first)).State);
    }

    /// <summary>One slot: whoever waits for what is done for a message has to leave it to those who do that.</summary>
    [Fact]
    public async Task Fault_10_a_subscription_has_no_slot_while_something_is_done_for_a_message()
    {
        await using var test = await OpenAsync(new EngineSettings { IoMax = 1 });
        var subscribe = test.Define("""
            - take:
                call: asyncapi
                with:
                  document: { endpoint: 'https://example.com/messages.json' }
                  operation: hear
                  subscription: { consume: { amount: 3 }, foreach: { item: n, do: [ { look: { call: 'count:1.0.0@default', with: { n: '${ $n }' } } } ] } }
            """);
        Guid[] runs = [await test.StartAsync(subscribe), await test.StartAsync(subscribe)];
        foreach (var run in runs) Assert.Equal("""[{"n":0},{"n":1},{"n":2}]""", (await test.EndAsync(run)).State.Output.ToString());
        Assert.Equal(0, test.Engine.Worker.Lanes.Busy);
    }

    /// <summary>Hundreds are under way at once, so that ends come in any order.</summary>
    [Fact]
    public async Task Fault_12_a_join_of_ten_thousand_children_is_exact_though_some_fail_and_some_say_their_end_twice()
    {
        const int Children = 10_000, Twice = 2_000;
        await using var test = await OpenAsync();
        test.Define("""
            - look: { if: '${ .n % 7 == 3 }', raise: { error: { type: 'https://example.com/errors/bad', status: 400, title: Bad } } }
            - give: { set: '${ .n }' }
            """, "child");
        var id = await test.StartAsync(test.Define(
            "- all: { call: 'map:1.0.0@default', with: { in: '${ [range(10000) | {n: .}] }', do: { namespace: test, name: child, version: ^1.0 }, concurrency: 300, onError: collect } }"));
        var end = test.Engine.EndAsync(Tenant.Default, id).WaitAsync(TimeSpan.FromMinutes(2));
        var said = new HashSet<Guid>();
        while (said.Count < Twice && !end.IsCompleted)
        {
            var ended = await test.Disk.ReadAsync(db => db.Query("select id from run where parent = $1 and state >= 4 limit 2000", r => r.Id(0), id));
            await AgainAsync(test, id, [.. ended.Where(said.Add)]);
        }
        Assert.Equal(RunPhase.Completed, await end);
        Assert.True(said.Count >= Twice, $"{said.Count}");

        var output = (await test.HistoryAsync(id)).State.Output;
        var bad = Enumerable.Range(0, Children).Where(n => n % 7 == 3).ToList();
        Assert.Equal((Children, bad.Count), ((int)output["total"].AsNumber(), (int)output["failed"].AsNumber()));
        Assert.Equal(bad, output["errors"].AsArray().Select(e => (int)e["offset"].AsNumber()));
        Assert.Equal(Enumerable.Range(0, Children).Select(n => n % 7 == 3 ? "null" : $"{n}"), output["results"].AsArray().Select(r => r.ToString()));
        Assert.Equal(Children, await test.Disk.ReadAsync(db => db.First("select count(*) from run where parent = $1 and state >= 4", r => r.Int(0), 0, id)));
        Assert.Equal(0, await SignalsAsync(test));
    }

    [Fact]
    public async Task Fault_12_a_join_of_many_children_is_exact_though_some_fail()
    {
        const int Children = 300;
        await using var test = await OpenAsync();
        test.Define("""
            - check:
                switch:
                  - bad: { when: '.n % 7 == 3', then: fail }
                  - good: { then: end }
            - fail: { raise: { error: { type: 'https://example.com/errors/bad', status: 400, title: Bad } } }
            """, "child");
        var branches = string.Join('\n', Enumerable.Range(0, Children).Select(n => $$"""
                    - b{{n}}:
                        try:
                          - ask: { run: { workflow: { namespace: test, name: child, version: 1.0.0, input: { n: {{n}} } } } }
                        catch:
                          do:
                            - note: { set: { failed: {{n}} } }
            """));
        var id = await test.StartAsync(test.Define($"- all:\n    fork:\n      branches:\n{branches}"));
        var run = await test.EndAsync(id);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        var outputs = run.State.Output.AsArray();
        Assert.Equal(Children, outputs.Count);
        for (var n = 0; n < Children; n++)
            Assert.Equal(n % 7 == 3 ? $$"""{"failed":{{n}}}""" : $$"""{"n":{{n}}}""", outputs[n].ToString());
        Assert.Equal(Children, await test.Disk.ReadAsync(db => db.First("select count(*) from run where parent = $1 and state >= 4", r => r.Int(0), 0, id)));
        Assert.Equal(0, await SignalsAsync(test));
    }

    [Fact]
    public async Task Fault_16_a_thousand_runs_stay_with_their_version_when_a_new_one_is_deployed()
    {
        const int Runs = 1_000;
        await using var test = await OpenAsync();
        var old = test.Define("""
            - rest: { wait: PT1H }
            - say: { set: { version: old } }
            """);
        var ids = await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => test.StartAsync(old)));
        foreach (var id in ids) await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var young = test.Define("- say: { set: { version: new } }");
        test.Remember(old);
        Assert.Equal("""{"version":"new"}""", (await test.EndAsync(await test.StartAsync(young))).State.Output.ToString());
        await test.CrashAsync();
        await test.ReopenAsync();
        test.Time.Advance(TimeSpan.FromHours(2));
        foreach (var id in ids)
        {
            await test.PassUntilAsync(id, r => r.IsFinished);
            Assert.Equal("""{"version":"old"}""", (await test.HistoryAsync(id)).State.Output.ToString());
        }
    }

    [Fact]
    public async Task Fault_16_a_definition_that_vanished_under_a_live_run_faults_it_by_name_and_its_parent_hears()
    {
        await using var test = await OpenAsync();
        var gone = test.Define("- rest: { wait: PT1H }", "child");
        var parent = await test.StartAsync(test.Define(AskChild));
        await test.UntilAsync(parent, r => r.State == RunPhase.Waiting);
        var child = Assert.Single((await test.HistoryAsync(parent)).Steps.Values).Child!.Value;
        await test.UntilAsync(child, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.CrashAsync();
        test.Forget(gone);
        await test.ReopenAsync();
        test.Time.Advance(TimeSpan.FromHours(2));
        await test.PassUntilAsync(parent, r => r.IsFinished);
        var row = await test.RowAsync(child);
        Assert.Equal((RunPhase.Faulted, "Definition not found"), (row.State, row.Error!.Title));
        Assert.Equal("Definition not found", (await test.RowAsync(parent)).Error!.Title);
    }

    [Theory]
    [InlineData("not even JSON")]
    [InlineData("[{\"e\":\"step.completed\",\"step\":77}]")]
    public async Task Fault_21_a_poisoned_record_faults_its_run_and_stops_no_other(string poison)
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- rest: { wait: PT1H }");
        var poisoned = await test.StartAsync(workflow);
        var healthy = await test.StartAsync(workflow);
        foreach (var id in new[] { poisoned, healthy }) await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.CrashAsync();
        await test.ReopenAsync();
        await test.Disk.WriteAsync(db => db.Execute(
            "update journal set entries = $1 where run = $2 and seq = 1", System.Text.Encoding.UTF8.GetBytes(poison), poisoned));
        test.Time.Advance(TimeSpan.FromHours(2));
        await test.PassUntilAsync(healthy, r => r.IsFinished);
        await test.PassUntilAsync(poisoned, r => r.IsFinished);
        Assert.Equal(RunPhase.Completed, (await test.RowAsync(healthy)).State);
        var row = await test.RowAsync(poisoned);
        Assert.Equal((RunPhase.Faulted, "The engine could not go on"), (row.State, row.Error!.Title));
        Assert.Equal(1, await test.Disk.ReadAsync(db => db.First("select count(*) from journal where run = $1 and state >= 4", r => r.Int(0), 0, poisoned)));
    }

    [Theory]
    [InlineData(2, 4, RunPhase.Completed)]
    [InlineData(3, 1, RunPhase.Faulted)]
    public async Task Fault_21_a_run_is_given_up_when_it_fails_often_at_once_and_not_when_it_does_over_the_years(int atOnce, int times, RunPhase end)
    {
        await using var test = await OpenAsync(new EngineSettings { IdleRunsMax = 0 });
        var id = await test.StartAsync(test.Define("- days: { for: { in: '${ [range(5)] }' }, do: [ { rest: { wait: P1D } } ] }"));
        for (var day = 0; day < times; day++)
        {
            await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
            test.LookupsBroken = atOnce;
            test.Time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));
            await test.PassUntilAsync(id, r => r.IsFinished || (test.LookupsBroken <= 0 && r.State == RunPhase.Waiting && r.WakeAt > test.Engine.Now));
        }
        test.Time.Advance(TimeSpan.FromDays(2));
        await test.PassUntilAsync(id, r => r.IsFinished);
        Assert.Equal(end, (await test.RowAsync(id)).State);
    }

    [Fact]
    public async Task Fault_21_a_run_that_is_given_up_takes_its_children_with_it()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT100H }", "child");
        var id = await test.StartAsync(test.Define(AskChild));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var child = Assert.Single((await test.HistoryAsync(id)).Steps.Values).Child!.Value;
        await test.CrashAsync();
        await test.ReopenAsync();
        await test.Disk.WriteAsync(db => db.Execute("update journal set entries = $1 where run = $2 and seq = 1", "poison"u8.ToArray(), id));
        await test.Engine.SuspendAsync(Tenant.Default, id, null);
        await test.PassUntilAsync(id, r => r.State == RunPhase.Faulted);
        await test.PassUntilAsync(child, r => r.IsFinished);
        Assert.Equal(RunPhase.Cancelled, (await test.RowAsync(child)).State);
    }

    /// <summary>A reason comes from outside as it is; a database that cannot hold one of its characters must not turn it into poison.</summary>
    [Fact]
    public async Task Fault_21_a_reason_that_a_database_cannot_hold_still_cancels()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.CancelAsync(Tenant.Default, id, "no\0more"));
        await test.PassUntilAsync(id, r => r.IsFinished);
        var row = await test.RowAsync(id);
        Assert.Equal(RunPhase.Cancelled, row.State);
        Assert.StartsWith("no", row.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_24_cancelling_while_runs_complete_ends_each_once_and_leaves_no_wish_behind()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("""
            - first: { call: 'count:1.0.0@default', with: {} }
            - second: { call: 'count:1.0.0@default', with: {} }
            """);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            var id = await test.StartAsync(workflow);
            var cancel = await test.Engine.CancelAsync(Tenant.Default, id, "race");
            return (Id: id, Cancel: cancel, End: await test.Engine.EndAsync(Tenant.Default, id).WaitAsync(TestEngine.Patience));
        }));
        foreach (var (id, cancel, end) in outcomes)
        {
            Assert.Equal(end, (await test.RowAsync(id)).State);
            if (cancel == ControlOutcome.AlreadyFinished) Assert.Equal(RunPhase.Completed, end);
        }

        var ends = await test.Disk.ReadAsync(db => db.Query("select count(*) from journal where state >= 4 group by run", r => r.Long(0)));
        Assert.Equal(Enumerable.Repeat(1L, outcomes.Length), ends);
        Assert.Equal(0, await SignalsAsync(test));
    }

    [Theory]
    [InlineData("timeout", RunPhase.Faulted, "- a: { call: 'hold:1.0.0@default', with: {}, timeout: { after: PT5S } }")]
    [InlineData("retry", RunPhase.Completed, "- a: { try: [ { x: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT5S, limit: { attempt: { count: 5 } } } } }")]
    public async Task Fault_24_cancelling_while_timers_fire_ends_each_once_and_leaves_no_wish_behind(string timer, RunPhase otherwise, string tasks)
    {
        const int Runs = 200;
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = Runs;
        var workflow = test.Define(tasks);
        var ids = await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => test.StartAsync(workflow)));
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (timer == "timeout" && test.Functions.Held.Count < Runs) await pulse.WaitForNextTickAsync(patience.Token);
        if (timer == "retry") foreach (var id in ids) await test.UntilAsync(id, r => r.State == RunPhase.Waiting);

        // All of their timers are due at once, and half of the wishes were there before.
        var wishes = ids.Select((id, n) =>
        {
            if (n == Runs / 2) test.Time.Advance(TimeSpan.FromSeconds(6));
            return test.Engine.CancelAsync(Tenant.Default, id, "race");
        }).ToList();
        foreach (var (id, wish) in ids.Zip(wishes))
        {
            var end = (await test.PassUntilAsync(id, r => r.IsFinished)).State;
            Assert.Contains(end, new[] { RunPhase.Cancelled, otherwise });
            if (await wish == ControlOutcome.AlreadyFinished) Assert.Equal(otherwise, end);
        }

        var ends = await test.Disk.ReadAsync(db => db.Query("select count(*) from journal where state >= 4 group by run", r => r.Long(0)));
        Assert.Equal(Enumerable.Repeat(1L, Runs), ends);
        Assert.Equal(0, await SignalsAsync(test));
    }

    [Fact]
    public async Task Fault_24_a_wish_that_meets_the_end_goes_with_it()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- one: { call: 'hold:1.0.0@default', with: {} }"));
        await test.Functions.Entered;
        // It is on disk, and the word of it is lost or late.
        await test.Disk.WriteAsync(db =>
        {
            SignalStore.Send(db, Tenant.Default, id, "cancel", Json.EmptyObject, 0);
            return 0;
        });
        test.Functions.Open();

        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal(0, await SignalsAsync(test));
    }

    [Fact]
    public async Task Fault_24_cancelling_reaches_grandchildren()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT1H }", "grandchild");
        test.Define("- ask: { run: { workflow: { namespace: test, name: grandchild, version: 1.0.0 } } }", "child");
        var id = await test.StartAsync(test.Define(AskChild));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var child = Assert.Single((await test.HistoryAsync(id)).Steps.Values).Child!.Value;
        await test.UntilAsync(child, r => r.State == RunPhase.Waiting);
        var grandchild = Assert.Single((await test.HistoryAsync(child)).Steps.Values).Child!.Value;
        await test.Engine.CancelAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(grandchild)).State.Phase);
    }

    [Theory]
    [InlineData("[range(1e12)] | length")]
    [InlineData("def f: f + f; f")]
    [InlineData("[limit(1000000000; repeat(1))]")]
    [InlineData("reduce range(1e9) as $i (\"x\"; . + .)")]
    public async Task Fault_25_a_hostile_expression_faults_its_own_run(string expression)
    {
        await using var test = await OpenAsync();
        var run = await test.EndAsync(await test.StartAsync(test.Define($"- evil: {{ set: {{ a: '${{ {expression} }}' }} }}")));
        Assert.Equal(RunPhase.Faulted, run.State.Phase);
        Assert.StartsWith("/do/0/evil", run.State.Error!.Instance, StringComparison.Ordinal);
    }

    /// <summary>The children's word of their end once more.</summary>
    private static Task<int> AgainAsync(TestEngine test, Guid parent, Guid[] children) => test.Disk.WriteAsync(db =>
    {
        foreach (var child in children) SignalStore.Send(db, Tenant.Default, parent, "child", Json.Object("run", child.ToString()), 0);
        return 0;
    });

    private static Task<int> SignalsAsync(TestEngine test) => test.Disk.ReadAsync(db => db.First("select count(*) from signal", r => r.Int(0), 0));
}

public sealed class RunFaultsOnSqlite() : RunFaults(TestDatabases.Sqlite);

public sealed class RunFaultsOnPostgres() : RunFaults(TestDatabases.Postgres)
{
    /// <summary>Another process is committing the run's end at this moment; "accepted" would be a promise that nobody keeps.</summary>
    [Fact]
    public async Task Fault_24_a_cancel_that_meets_the_commit_of_the_end_is_told_that_it_comes_too_late()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await using var elsewhere = test.OpenDisk();
        using var go = new SemaphoreSlim(0);
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = elsewhere.WriteAsync(db =>
        {
            db.Execute("update run set state = $1, wake_at = null where id = $2", (long)RunPhase.Completed, id);
            inside.TrySetResult();
            go.Wait();
            return 0;
        });
        await inside.Task;
        var cancel = test.Engine.CancelAsync(Tenant.Default, id, "late");
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        const string Blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while (await test.Disk.ReadAsync(db => db.First(Blocked, r => r.Long(0), 0L)) == 0) await pulse.WaitForNextTickAsync(patience.Token);
        go.Release();
        await ending;
        Assert.Equal(ControlOutcome.AlreadyFinished, await cancel);
    }
}
