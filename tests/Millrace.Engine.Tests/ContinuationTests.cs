using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Endless runs: each goes on as another, and whoever knew the first reaches the last.</summary>
public abstract class ContinuationTests(TestDatabases databases) : EngineSuite(databases)
{
    /// <summary>Counts up to three, in three runs.</summary>
    private const string Counting = """
        - work: { call: 'count:1.0.0@default', with: { n: '${ .n // 0 }' } }
        - done: { if: '${ .n >= 2 }', set: '${ {reached: .n} }', then: end }
        - next: { call: 'continue:1.0.0@default', with: { input: '${ {n: (.n + 1)} }' } }
        """;

    private static Task<List<RunRow>> RunsAsync(TestEngine test) =>
        test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));

    private static Task<Guid> LastAsync(TestEngine test, Guid run) => test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, run));

    [Fact]
    public async Task A_run_completes_and_another_begins_in_its_place_with_the_input()
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define(Counting), Json.Object("n", 1));
        var history = await test.EndAsync(first);
        var (before, after) = await test.Disk.ReadAsync(db => ContinuationStore.Beside(db, Tenant.Default, first));
        Assert.Equal((RunPhase.Completed, after.ToString()), (history.State.Ended, history.State.Output["continuedBy"].AsString()));
        Assert.Null(before);
        Assert.Equal("""{"reached":2}""", (await test.EndAsync(after!.Value)).State.Output.ToString());
        Assert.Equal((first, null), await test.Disk.ReadAsync(db => ContinuationStore.Beside(db, Tenant.Default, after.Value)));
    }

    [Fact]
    public async Task A_parent_waits_for_the_end_of_the_chain()
    {
        await using var test = await OpenAsync();
        test.Define(Counting, "child");
        var history = await test.RunAsync("- child: { run: { workflow: { namespace: test, name: child, version: 1.0.0, input: { n: 0 } } } }");
        Assert.Equal("""{"reached":2}""", history.State.Output.ToString());
        Assert.Equal(4, (await RunsAsync(test)).Count);
    }

    [Fact]
    public async Task A_map_waits_for_the_ends_of_its_chains()
    {
        await using var test = await OpenAsync();
        test.Define(Counting, "child");
        var history = await test.RunAsync("- all: { call: 'map:1.0.0@default', with: { in: [0, 1, 2], each: false, chunk: 1, input: '${ {n: $items[0]} }', do: { namespace: test, name: child, version: 1.0.0 } } }");
        Assert.Equal("""[{"reached":2},{"reached":2},{"reached":2}]""", history.State.Output.ToString());
    }

    [Fact]
    public async Task Cancelling_any_run_of_a_chain_reaches_the_live_one()
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define("- rest: { if: '${ .n == 2 }', wait: PT1H }\n" + Counting), Json.Object("n", 0));
        await test.EndAsync(first);
        var second = (await test.Disk.ReadAsync(db => ContinuationStore.Beside(db, Tenant.Default, first))).After!.Value;
        await test.EndAsync(second);
        var last = await LastAsync(test, first);
        await test.UntilAsync(last, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, first, "enough");
        Assert.Equal((RunPhase.Cancelled, "enough"), ((await test.EndAsync(last)).State.Ended, (await test.RowAsync(last)).Reason));
    }

    [Fact]
    public async Task Cancelling_a_parent_reaches_the_live_run_of_its_childs_chain()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { if: '${ .n == 2 }', wait: PT1H }\n" + Counting, "child");
        var parent = await test.StartAsync(test.Define("- child: { run: { workflow: { namespace: test, name: child, version: 1.0.0, input: { n: 1 } } } }"));
        while (await test.Disk.ReadAsync(db => db.First("select count(*) from continuation", r => r.Long(0), 0L)) == 0) await test.PassAsync(TimeSpan.FromMilliseconds(500));
        var child = (await RunsAsync(test)).First(r => r.Parent == parent).Id;
        var last = await test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, child));
        await test.PassUntilAsync(last, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, parent, null);
        await test.PassUntilAsync(last, r => r.State == RunPhase.Cancelled);
    }

    [Fact]
    public async Task A_fork_takes_over_the_end_of_a_chain_that_its_source_had_not_heard_of()
    {
        await using var test = await OpenAsync();
        const string Line = "flow: { concurrency: { name: line, limit: 1 } }";
        test.Functions.FailuresLeft = 1;
        test.Define("- rest: { wait: PT1S }\n- shaky: { call: 'flaky:1.0.0@default', with: {} }", "shaky");
        test.Define("- rest: { wait: PT2S }\n" + Counting, "chain");
        var parent = await test.StartAsync(test.Define("""
            - both:
                fork:
                  branches:
                    - shaky: { run: { workflow: { namespace: test, name: shaky, version: 1.0.0 } } }
                    - chain: { run: { workflow: { namespace: test, name: chain, version: 1.0.0, input: { n: 0 } } } }
            """, metadata: Line));
        await test.UntilAsync(parent, r => r is { State: RunPhase.Waiting, Lease: null });
        // Its slot is another's while its children end: the first by a fault, which it hears first.
        var other = await test.StartAsync(test.Define("- work: { call: 'hold:1.0.0@default', with: {} }", "other", metadata: Line));
        await test.Functions.Entered;
        var chain = (await RunsAsync(test)).Single(r => r.Definition.Name == "chain").Id;
        while ((await RunsAsync(test)).Count(r => r.Definition.Name == "chain" && r.IsFinished) < 3) await test.PassAsync(TimeSpan.FromMilliseconds(500));
        test.Functions.Open();
        await test.EndAsync(other);
        Assert.Equal(RunPhase.Faulted, (await test.EndAsync(parent)).State.Phase);

        var fork = Assert.IsType<ForkOutcome.Started>(await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, parent, new ForkPoint.Failure()))).Run;
        await test.PassUntilAsync(fork, r => r.IsFinished);
        Assert.Equal("""["fine",{"reached":2}]""", (await test.HistoryAsync(fork)).State.Output.ToString());
        Assert.Equal(3, (await RunsAsync(test)).Count(r => r.Definition.Name == "chain"));
        Assert.NotEqual(chain, await LastAsync(test, chain));
    }

    [Theory]
    [InlineData("cancel", RunPhase.Cancelled)]
    [InlineData("suspend", RunPhase.Suspended)]
    public async Task A_wish_that_is_heard_as_the_run_goes_on_is_that_of_the_next(string wish, RunPhase end)
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define("""
            - hear: { listen: { to: { one: { with: { type: wanted } } } } }
            - next: { call: 'continue:1.0.0@default', with: { input: {} } }
            """));
        await test.UntilAsync(first, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.CrashAsync();
        test.Settings = test.Settings with { Works = false };
        await test.ReopenAsync();
        // Both stand in the inbox before anybody reads it, the event first.
        await test.Engine.Events.PublishAsync(Tenant.Default, [JsonText.Parse("""{"specversion":"1.0","id":"1","source":"/test","type":"wanted"}"""u8)]);
        Assert.Equal(ControlOutcome.Accepted, wish == "cancel" ? await test.Engine.CancelAsync(Tenant.Default, first, null) : await test.Engine.SuspendAsync(Tenant.Default, first, null));
        await test.CrashAsync();
        test.Settings = test.Settings with { Works = true };
        await test.ReopenAsync();
        await test.PassUntilAsync(first, r => r.State == RunPhase.Completed);
        await test.PassUntilAsync(await LastAsync(test, first), r => r.State == end);
    }

    [Fact]
    public async Task A_run_that_has_gone_on_cannot_go_back_to_a_step_beside_the_one_it_went_on_as()
    {
        await using var test = await OpenAsync();
        var first = await test.StartAsync(test.Define(Counting), Json.Object("n", 1));
        await test.EndAsync(first);
        Assert.Equal(ControlOutcome.Continued, await test.RedriveAsync(first, 1));
        Assert.Equal(RunPhase.Completed, (await test.RowAsync(first)).State);
    }

    [Fact]
    public async Task An_input_of_a_batch_cannot_go_on_as_another_run()
    {
        await using var test = await OpenAsync();
        test.Define(Counting, "child");
        await test.RunAsync("- all: { call: 'map:1.0.0@default', with: { in: [{n: 0}, {n: 0}], chunk: 2, do: { namespace: test, name: child, version: 1.0.0 } } }");
        Assert.Contains("batch", (await RunsAsync(test)).Single(r => r.Parent is not null).Error!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_one_chain_and_no_step_done_twice(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            test.Define(Counting, "child");
            var run = await Story.StartAsync(test, test.Define("- child: { run: { workflow: { namespace: test, name: child, version: 1.0.0, input: { n: 0 } } } }"));
            await test.Engine.EndAsync(Tenant.Default, run);
        }, async test =>
        {
            var runs = await RunsAsync(test);
            Assert.Equal((4, true), (runs.Count, runs.TrueForAll(r => r.State == RunPhase.Completed)));
            Assert.Equal(3, test.Functions.Ledger.Count);
            Assert.Equal(2, await test.Disk.ReadAsync(db => db.First("select count(*) from continuation", r => r.Long(0), 0L)));
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }
}

public sealed class ContinuationOnSqliteTests() : ContinuationTests(TestDatabases.Sqlite);
public sealed class ContinuationOnPostgresTests() : ContinuationTests(TestDatabases.Postgres);
