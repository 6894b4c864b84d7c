using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class ListenTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string One = "- hear: { listen: { to: { one: { with: { type: wanted } } } } }";

    private const string Journey = """
        - first: { listen: { to: { one: { with: { type: a } } } } }
        - work: { call: 'count:1.0.0@default', with: { n: '${ .[0] }' } }
        - rest:
            listen: { to: { any: [ { with: { type: b } } ], until: { one: { with: { type: stop } } } } }
            foreach:
              do:
                - each: { call: 'count:1.0.0@default', with: { n: '${ $item }' } }
              output: { as: .n }
        """;

    private static int _ids;

    private protected static Json Event(string type, Json data, string? id = null) => new JsonObject.Builder()
        .Set("specversion", "1.0").Set("id", id ?? $"e{Interlocked.Increment(ref _ids)}").Set("source", "/test").Set("type", type).Set("data", data).Build();

    private static async Task<Published> SendAsync(TestEngine test, string type, Json data, string? id = null) =>
        (await test.Engine.Events.PublishAsync(Tenant.Default, [Event(type, data, id)]))[0];

    private static Task<RunRow> ListeningAsync(TestEngine test, Guid run) => test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });

    [Fact]
    public async Task An_event_wakes_the_run_that_listens()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(One));
        await ListeningAsync(test, id);
        await SendAsync(test, "other", 1);
        await SendAsync(test, "wanted", 2);
        Assert.Equal("[2]", (await test.EndAsync(id)).State.Output.ToString());
        Assert.Equal(0, await CountAsync(test, "subscription"));
        Assert.Equal(0, await CountAsync(test, "signal"));
    }

    [Fact]
    public async Task Fault_14_events_since_the_run_was_created_are_heard_though_it_listened_later()
    {
        await using var test = await OpenAsync();
        await SendAsync(test, "wanted", "before");
        test.Time.Advance(TimeSpan.FromSeconds(1));
        var id = await test.StartAsync(test.Define($"- slow: {{ call: 'hold:1.0.0@default', with: {{}} }}\n{One}"));
        await test.Functions.Entered;
        await SendAsync(test, "wanted", "meanwhile");
        test.Functions.Open();
        Assert.Equal("""["meanwhile"]""", (await test.EndAsync(id)).State.Output.ToString());
    }

    [Fact]
    public async Task Fault_14_events_in_the_opposite_order_are_each_heard_by_whom_they_are_for()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("""
            - first: { listen: { to: { one: { with: { type: a } } } } }
            - second: { listen: { to: { one: { with: { type: b } } } } }
            """));
        await ListeningAsync(test, id);
        await SendAsync(test, "b", 2);
        await SendAsync(test, "a", 1);
        var run = await test.EndAsync(id);
        Assert.Equal(("[1]", "[2]"), (run.Steps[1].Output.ToString(), run.Steps[2].Output.ToString()));
        Assert.Equal(0, await CountAsync(test, "signal"));
    }

    [Fact]
    public async Task Fault_14_the_same_event_sent_again_counts_once_and_is_said_to_be_a_duplicate()
    {
        await using var test = await OpenAsync();
        var first = await SendAsync(test, "wanted", 1, "same");
        var again = await SendAsync(test, "wanted", 2, "same");
        Assert.Equal(new Published(first.Position, true), again);
        var both = await test.Engine.Events.PublishAsync(Tenant.Default, [Event("x", 1, "twice"), Event("x", 1, "twice")]);
        Assert.Equal([false, true], both.Select(p => p.IsDuplicate));
        Assert.Equal(2, await CountAsync(test, "event"));
    }

    [Fact]
    public async Task Events_are_kept_for_a_time()
    {
        await using var test = await OpenAsync();
        await SendAsync(test, "wanted", 1, "same");
        test.Time.Advance(TimeSpan.FromDays(8));
        await test.Engine.Worker.Keeper.RunOnceAsync();
        // The keeper's own loop may be the one that sweeps, and not be done.
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (await CountAsync(test, "event") > 0) await pulse.WaitForNextTickAsync(patience.Token);
        Assert.False((await SendAsync(test, "wanted", 1, "same")).IsDuplicate);
    }

    [Fact]
    public async Task A_large_event_lies_in_the_blob_store_and_is_read_from_there()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(One + "\n- short: { set: { length: '${ .[0] | length }' } }"));
        await ListeningAsync(test, id);
        await SendAsync(test, "wanted", new string('x', 200_000));
        Assert.Equal("""{"length":200000}""", (await test.EndAsync(id)).State.Output.ToString());
    }

    [Fact]
    public async Task Everybody_who_listens_hears_the_event_and_those_who_do_not_cost_nothing()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(One);
        var elsewhere = test.Define(One.Replace("wanted", "unwanted", StringComparison.Ordinal), "elsewhere");
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++) ids.Add(await test.StartAsync(workflow));
        var other = await test.StartAsync(elsewhere);
        foreach (var id in ids.Append(other)) await ListeningAsync(test, id);
        var before = await test.RowAsync(other);
        await SendAsync(test, "wanted", 1);
        foreach (var id in ids) Assert.Equal("[1]", (await test.EndAsync(id)).State.Output.ToString());
        Assert.Equal(before, await test.RowAsync(other));
    }

    [Fact]
    public async Task A_run_says_for_which_events_it_waits_and_what_has_come()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- hear: { listen: { to: { all: [ { with: { type: a } }, { with: { type: b, source: /test } } ] } } }"));
        await ListeningAsync(test, id);
        await using var subscription = test.Bus.Subscribe(Topics.Run(id));
        await SendAsync(test, "a", 1);
        WaitingFor wait;
        while (!(wait = Assert.Single((await test.HistoryAsync(id)).Waiting())).Detail.Contains("; one has come", StringComparison.Ordinal)) await subscription.WaitAsync(default);
        Assert.Equal(WaitKind.Event, wait.On);
        Assert.Equal("'hear' listens for one event each of the type a and the type b from /test; one has come.", wait.Detail);
    }

    [Fact]
    public async Task Cancelling_and_timeouts_end_the_listening_for_good()
    {
        await using var test = await OpenAsync();
        var cancelled = await test.StartAsync(test.Define(One));
        var late = await test.StartAsync(test.Define($"{One[..^2]}, timeout: {{ after: PT5S }} }}", "late"));
        await ListeningAsync(test, cancelled);
        await ListeningAsync(test, late);
        await test.Engine.CancelAsync(Tenant.Default, cancelled, null);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(cancelled)).State.Phase);
        var end = test.EndAsync(late);
        await test.PassUntilAsync(end);
        Assert.Equal(408, (await end).State.Error!.Status);
        Assert.Equal(0, await CountAsync(test, "subscription"));
        await SendAsync(test, "wanted", 1);
        Assert.Equal(0, await CountAsync(test, "signal"));
    }

    [Fact]
    public async Task What_comes_while_a_run_is_suspended_is_heard()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(One + "\n- then: { call: 'count:1.0.0@default', with: { n: 1 } }"));
        await ListeningAsync(test, id);
        await test.Engine.SuspendAsync(Tenant.Default, id, null);
        await test.UntilAsync(id, r => r.State == RunPhase.Suspended);
        await SendAsync(test, "wanted", 1);
        Assert.Empty(test.Functions.Ledger);
        await test.Engine.ResumeAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_no_event_and_hears_none_twice(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            var workflow = test.Define(Journey);
            var work = SendAllAsync(test, workflow);
            var died = test.Database.Died;
            await test.PassUntilAsync(Task.WhenAny(work, died));
            var crashed = !test.Database.Spare();
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                work = SendAllAsync(test, workflow);
                await test.PassUntilAsync(work);
            }
            var run = await work;
            Assert.Equal("[2,3,4]", run.State.Output.ToString());
            Assert.Equal(4, test.Functions.Ledger.Count);
            Assert.Equal(0, await CountAsync(test, "subscription"));
            if (crashed) continue;
            Assert.True(at > 8, $"only {at} writes to crash at");
            return;
        }
    }

    /// <summary>The senders and the starter ask again after a crash, as those outside do who heard no answer.</summary>
    private static async Task<RunHistory> SendAllAsync(TestEngine test, Workflows.Graph.Workflow workflow)
    {
        var started = await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject, "journey", "request"));
        var id = started is StartOutcome.Started s ? s.Run : ((StartOutcome.Existing)started).Run;
        foreach (var (type, n) in new[] { ("a", 1), ("b", 2), ("b", 3), ("b", 4), ("stop", 5), ("b", 6) }) await SendAsync(test, type, n, $"journey-{n}");
        await test.Engine.EndAsync(Tenant.Default, id);
        return await test.HistoryAsync(id);
    }

    [Fact]
    public async Task An_event_that_was_under_way_when_a_run_began_to_listen_is_heard_in_the_end()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var id = await test.StartAsync(test.Define(One));
        await ListeningAsync(test, id);
        // As if the event had been written by a transaction that did not see the subscription.
        var row = new EventRow(0, "wanted", "/test", "unseen", null, null, test.Engine.Worker.Now, 0, JsonText.ToUtf8(Event("wanted", 7, "unseen")), null);
        await test.Database.WriteAsync(db =>
        {
            db.Execute("update subscription set settled = 0, horizon = 0");
            return EventStore.Append(db, Tenant.Default, row);
        });
        var end = test.EndAsync(id);
        await test.PassUntilAsync(end);
        Assert.Equal("[7]", (await end).State.Output.ToString());
    }

    [Fact]
    public async Task An_event_that_another_process_takes_wakes_the_run()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var id = await test.StartAsync(test.Define(One));
        await ListeningAsync(test, id);
        test.Settings = test.Settings with { Works = false };
        var (api, _) = await test.JoinAsync();
        await using var _1 = api;
        await api.Events.PublishAsync(Tenant.Default, [Event("wanted", 3)]);
        var end = test.EndAsync(id);
        await test.PassUntilAsync(end);
        Assert.Equal("[3]", (await end).State.Output.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_and_the_run_that_it_starts_are_kept_together_or_not_at_all(bool afterCommit)
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- count: { call: 'count:1.0.0@default', with: { n: '${ .[0].data }' } }", extra: "schedule: { on: { any: [ { with: { type: wanted, data: '${ . > 1 }' } } ] } }");
        await test.Database.WriteAsync(db =>
        {
            TriggerStore.Follow(db, Tenant.Default, workflow, now: 0);
            return 0;
        });
        await SendAsync(test, "wanted", 1, "small");
        test.Database.AfterCommit = afterCommit;
        test.Database.DieAt = test.Database.Writes + 1;
        _ = SendAsync(test, "wanted", 2, "large");
        await test.Database.Died.WaitAsync(TestEngine.Patience);
        await test.CrashAsync();
        await test.ReopenAsync();
        // The sender never heard, so it sends again.
        Assert.Equal(afterCommit, (await SendAsync(test, "wanted", 2, "large")).IsDuplicate);
        var run = Assert.Single(await test.Database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
        var end = test.EndAsync(run.Id);
        await test.PassUntilAsync(end);
        Assert.Equal("""{"n":2}""", (await end).State.Output.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_that_start_a_run_together_start_one_whatever_dies(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            var workflow = test.Define("- count: { call: 'count:1.0.0@default', with: { n: '${ .[0] + .[1] }' } }",
                extra: "schedule: { on: { all: [ { with: { type: a } }, { with: { type: b } } ] }, read: data }");
            await test.Database.WriteAsync(db =>
            {
                TriggerStore.Follow(db, Tenant.Default, workflow, now: 0);
                return 0;
            });
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            var gathered = GatheredAsync(test);
            await Task.WhenAny(gathered, test.Database.Died);
            var crashed = !test.Database.Spare();
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                gathered = GatheredAsync(test);
            }
            Assert.Equal("""{"n":3}""", (await gathered).State.Output.ToString());
            Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
            Assert.Equal(0, await CountAsync(test, "event_letter"));
            if (!crashed) break;
        }
    }

    /// <summary>Sends the events, again where they were sent before, and waits for the run that they start.</summary>
    private static async Task<RunHistory> GatheredAsync(TestEngine test)
    {
        await SendAsync(test, "b", 2, "two");
        await SendAsync(test, "a", 1, "one");
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (true)
        {
            var runs = await test.Database.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10)));
            if (runs is [{ IsFinished: true } run]) return await test.HistoryAsync(run.Id);
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    [Fact]
    public async Task Who_listens_for_lifecycle_events_hears_what_other_runs_do()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("""
            - hear:
                listen:
                  read: envelope
                  to:
                    any:
                      - with: { type: io.serverlessworkflow.workflow.started.v1 }
                      - with: { type: io.serverlessworkflow.task.retried.v1 }
                      - with: { type: io.serverlessworkflow.task.faulted.v1 }
                    until: { one: { with: { type: io.serverlessworkflow.workflow.completed.v1 } } }
            """));
        await ListeningAsync(test, id);
        // From the first look on, what happens is told.
        await test.Engine.Worker.Keeper.RunOnceAsync();
        test.Functions.FailuresLeft = 1;
        var other = await test.StartAsync(test.Define("""
            - again:
                try: [ { shaky: { call: 'flaky:1.0.0@default', with: {} } } ]
                catch: { retry: { delay: PT1S } }
            """, "other"));
        var end = test.EndAsync(id);
        await test.PassUntilAsync(end);
        var heard = (await end).State.Output.AsArray();
        Assert.Equal(["workflow.started", "task.faulted", "task.retried"], heard.Select(e => e["type"].AsString()["io.serverlessworkflow.".Length..^3]));
        Assert.All(heard, e => Assert.Equal(other.ToString(), e["subject"].AsString()));
        Assert.Equal($"other-{other:N}.test", heard[0]["data"]["name"].AsString());
        Assert.Equal("/do/0/again/try/0/shaky", heard[1]["data"]["task"].AsString());
        await test.Engine.Worker.Keeper.RunOnceAsync();
        Assert.Equal(0, await CountAsync(test, "lifecycle"));
    }

    private protected static Task<long> CountAsync(TestEngine test, string table) => test.Database.ReadAsync(db => db.First($"select count(*) from {table}", r => r.Long(0), -1L));
}

public sealed class ListenOnSqliteTests() : ListenTests(TestDatabases.Sqlite);
