using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Signals: events that one run is told of, whoever else listens.</summary>
public abstract class RunSignalTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string One = "- hear: { listen: { to: { one: { with: { type: approved } } } } }";

    /// <summary>Hears two, in two runs.</summary>
    private const string Chained = """
        - hear: { listen: { to: { one: { with: { type: approved } } } } }
        - count: { call: 'count:1.0.0@default', with: { n: '${ .[0] }' } }
        - done: { if: '${ .n >= 2 }', set: '${ {reached: .n} }', then: end }
        - slow: { call: 'hold:1.0.0@default', with: {} }
        - next: { call: 'continue:1.0.0@default', with: { input: {} } }
        """;

    private static async Task<SignalOutcome.Sent> SignalAsync(TestEngine test, Guid run, Json? data = null, string? key = null) =>
        Assert.IsType<SignalOutcome.Sent>(await test.Engine.Signals.SendAsync(Tenant.Default, run, "approved", data, key));

    private static Task<RunRow> ListeningAsync(TestEngine test, Guid run) => test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });

    private static Task<List<RunRow>> RunsAsync(TestEngine test) =>
        test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));

    private static Task<long> CountAsync(TestEngine test, string table) => test.Disk.ReadAsync(db => db.First($"select count(*) from {table}", r => r.Long(0), -1L));

    [Fact]
    public async Task One_run_hears_it_and_others_that_listen_for_the_same_do_not()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(One);
        var (told, other) = (await test.StartAsync(workflow), await test.StartAsync(workflow));
        foreach (var id in new[] { told, other }) await ListeningAsync(test, id);
        var before = await test.RowAsync(other);
        Assert.Equal(told, (await SignalAsync(test, told, 7)).Run);
        Assert.Equal("[7]", (await test.EndAsync(told)).State.Output.ToString());
        Assert.Equal(before, await test.RowAsync(other));
        // Nor does one that begins to listen later.
        var late = await test.StartAsync(workflow);
        await ListeningAsync(test, late);
        await SignalAsync(test, late, 8);
        Assert.Equal("[8]", (await test.EndAsync(late)).State.Output.ToString());
    }

    [Fact]
    public async Task It_is_an_event_that_says_which_run_it_is_for()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- hear: { listen: { read: envelope, to: { one: { with: { source: '${ endswith(\"/signals\") }' } } } } }"));
        await ListeningAsync(test, id);
        await SignalAsync(test, id, Json.Object("by", "ada"), "k1");
        var heard = (await test.EndAsync(id)).State.Output[0];
        Assert.Equal(("approved", "k1", id.ToString()), (heard["type"].AsString(), heard["id"].AsString(), heard["subject"].AsString()));
        Assert.Equal($"/workspaces/{Tenant.Default.Workspace}/runs/{id}/signals", heard["source"].AsString());
        Assert.Equal("""{"by":"ada"}""", heard["data"].ToString());
    }

    [Fact]
    public async Task One_that_comes_before_the_listener_is_heard_when_it_begins()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define($"- slow: {{ call: 'hold:1.0.0@default', with: {{}} }}\n{One}");
        var (told, other) = (await test.StartAsync(workflow), await test.StartAsync(workflow));
        await test.Functions.Entered;
        await SignalAsync(test, told, "early");
        test.Functions.Open();
        Assert.Equal("""["early"]""", (await test.EndAsync(told)).State.Output.ToString());
        await ListeningAsync(test, other);
    }

    [Fact]
    public async Task The_same_key_is_one_signal_also_when_the_run_has_ended_on_it()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- hear: { listen: { to: { any: [ { with: { type: approved } } ], until: '${ length == 2 }' } } }"));
        var first = await SignalAsync(test, id, 1, "key");
        var again = await SignalAsync(test, id, 1, "key");
        Assert.Equal((false, true, first.Event.Position), (first.IsDuplicate, again.IsDuplicate, again.Event.Position));
        Assert.IsType<SignalOutcome.Conflict>(await test.Engine.Signals.SendAsync(Tenant.Default, id, "approved", 2, "key"));
        Assert.IsType<SignalOutcome.Conflict>(await test.Engine.Signals.SendAsync(Tenant.Default, id, "refused", 1, "key"));
        await SignalAsync(test, id, 1, "another");
        Assert.Equal("[1,1]", (await test.EndAsync(id)).State.Output.ToString());
        Assert.True((await SignalAsync(test, id, 1, "key")).IsDuplicate);
    }

    [Fact]
    public async Task A_run_that_has_ended_and_one_that_never_was_are_told_nothing()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- done: { set: { a: 1 } }"));
        await test.EndAsync(id);
        Assert.Equal(new SignalOutcome.Refused(ControlOutcome.AlreadyFinished), await test.Engine.Signals.SendAsync(Tenant.Default, id, "approved", null, null));
        Assert.Equal(new SignalOutcome.Refused(ControlOutcome.NotFound), await test.Engine.Signals.SendAsync(Tenant.Default, Guid.NewGuid(), "approved", null, null));
        Assert.Equal(0, await CountAsync(test, "event"));
    }

    [Fact]
    public async Task Definitions_that_events_start_do_not_hear_it()
    {
        await using var test = await OpenAsync();
        var starts = test.Define("- a: { set: { b: 1 } }", "starts", "schedule: { on: { one: { with: { type: approved } } } }");
        var gathers = test.Define("- a: { set: { b: 1 } }", "gathers", "schedule: { on: { all: [ { with: { type: approved } }, { with: { type: other } } ] } }");
        await test.Database.WriteAsync(db =>
        {
            foreach (var workflow in new[] { starts, gathers }) TriggerStore.Follow(db, Tenant.Default, workflow, now: 0);
            return 0;
        });
        var id = await test.StartAsync(test.Define(One));
        await SignalAsync(test, id, 1);
        await test.EndAsync(id);
        Assert.Equal(id, Assert.Single(await RunsAsync(test)).Id);
        Assert.Equal(0, await CountAsync(test, "event_letter"));
    }

    [Fact]
    public async Task Whatever_run_of_a_chain_is_asked_the_live_one_hears_it_and_a_key_means_the_same()
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define(Chained));
        await SignalAsync(test, first, 1, "one");
        test.Functions.Open();
        await test.EndAsync(first);
        var second = await test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, first));
        Assert.NotEqual(first, second);
        Assert.True((await SignalAsync(test, second, 1, "one")).IsDuplicate);
        var sent = await SignalAsync(test, first, 2, "two");
        Assert.Equal((second, false), (sent.Run, sent.IsDuplicate));
        Assert.Equal("""{"reached":2}""", (await test.EndAsync(second)).State.Output.ToString());
        Assert.Equal(new SignalOutcome.Refused(ControlOutcome.AlreadyFinished), await test.Engine.Signals.SendAsync(Tenant.Default, first, "approved", 3, "three"));
    }

    [Fact]
    public async Task What_a_run_has_not_heard_before_it_went_on_as_another_the_other_hears()
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define(Chained));
        await SignalAsync(test, first, 1);
        await test.Functions.Entered;
        await SignalAsync(test, first, 2);
        test.Time.Advance(TimeSpan.FromSeconds(1));
        test.Functions.Open();
        await test.EndAsync(first);
        var second = await test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, first));
        Assert.Equal("""{"reached":2}""", (await test.EndAsync(second)).State.Output.ToString());
    }

    [Fact]
    public async Task One_that_was_under_way_when_the_run_began_to_listen_is_heard_in_the_end()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var workflow = test.Define(One);
        var (told, other) = (await test.StartAsync(workflow), await test.StartAsync(workflow));
        foreach (var id in new[] { told, other }) await ListeningAsync(test, id);
        // As if it had been written by a transaction that did not see the subscription, nor was seen.
        var body = """{"specversion": "1.0", "id": "unseen", "source": "/test", "type": "approved", "data": 7}"""u8.ToArray();
        var row = new EventRow(0, "approved", "/test", "unseen", null, null, test.Engine.Worker.Now, body.Length, body, null) { Run = told };
        await test.Database.WriteAsync(db =>
        {
            db.Execute("update subscription set settled = 0, horizon = 0");
            return EventStore.Append(db, Tenant.Default, row);
        });
        var end = test.EndAsync(told);
        await test.PassUntilAsync(end);
        Assert.Equal("[7]", (await end).State.Output.ToString());
        while (await test.Disk.ReadAsync(db => db.First("select count(*) from subscription where settled = 0", r => r.Long(0), 0L)) > 0) await test.PassAsync(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0, await CountAsync(test, "signal"));
        Assert.Equal(RunPhase.Waiting, (await test.RowAsync(other)).State);
    }

    [Fact]
    public async Task One_that_another_process_takes_wakes_the_run()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var id = await test.StartAsync(test.Define(One));
        await ListeningAsync(test, id);
        test.Settings = test.Settings with { Works = false };
        var (api, _) = await test.JoinAsync();
        await using var _1 = api;
        Assert.IsType<SignalOutcome.Sent>(await api.Signals.SendAsync(Tenant.Default, id, "approved", 3, null));
        var end = test.EndAsync(id);
        await test.PassUntilAsync(end);
        Assert.Equal("[3]", (await end).State.Output.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_none_and_no_run_of_the_chain_hears_one_twice(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            test.Functions.Open();
            var first = await Story.StartAsync(test, test.Define(Chained));
            await SignalAsync(test, first, 1, "one");
            await SignalAsync(test, first, 2, "two");
            await test.Engine.EndAsync(Tenant.Default, first);
            await test.Engine.EndAsync(Tenant.Default, await test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, first)));
        }, async test =>
        {
            var runs = await RunsAsync(test);
            Assert.Equal((2, true), (runs.Count, runs.TrueForAll(r => r.State == RunPhase.Completed)));
            Assert.Equal(2, await CountAsync(test, "event"));
            Assert.Equal((0, 0), (await CountAsync(test, "subscription"), await CountAsync(test, "signal")));
            // Two are counted, and one is held between them.
            Assert.Equal(3, test.Functions.Ledger.Count);
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }
}

public sealed class RunSignalOnSqliteTests() : RunSignalTests(TestDatabases.Sqlite);
public sealed class RunSignalOnPostgresTests() : RunSignalTests(TestDatabases.Postgres);
