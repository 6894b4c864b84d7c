using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Runs that go on as others, under limits and holds.</summary>
public abstract class ChainLimitTests(TestDatabases databases) : LimitSuite(databases)
{
    /// <summary>Its first run does nothing but go on; the second works until the test lets it.</summary>
    private const string Chain = """
        - work: { if: '${ .n > 0 }', call: 'hold:1.0.0@default', with: {}, output: { as: $input } }
        - done: { if: '${ .n > 0 }', set: { n: 1 }, then: end }
        - next: { call: 'continue:1.0.0@default', with: { input: '${ .n = 1 }' } }
        """;

    [Fact]
    public async Task A_run_that_goes_on_as_another_keeps_its_slot_and_others_wait()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "concurrency: { limit: 1 }");
        var first = await StartAsync(test, workflow, "a", 0);
        await test.Functions.Entered;
        var waits = await StartAsync(test, workflow, "a", 1);
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        Assert.Single(test.Functions.Ledger);
        var place = Assert.Single(await PlacesAsync(test, await LastAsync(test, first)));
        Assert.True(place.IsHeld);
        test.Functions.Open();
        foreach (var run in new[] { await LastAsync(test, first), waits }) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_goes_on_under_another_key_waits_for_a_slot_of_that()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "concurrency: { key: '${ .n }', limit: 1 }");
        var works = await StartAsync(test, workflow, "a", 1);
        await test.Functions.Entered;
        var first = await StartAsync(test, workflow, "a", 0);
        await test.EndAsync(first);
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        Assert.Single(test.Functions.Ledger);
        test.Functions.Open();
        foreach (var run in new[] { works, await LastAsync(test, first) }) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_goes_on_is_no_start_to_a_rate_and_to_a_debounce()
    {
        await using var test = await OpenAsync();
        test.Functions.Open();
        var workflow = Define(test, "rateLimit: { limit: 1, per: PT1H }, debounce: { key: '${ .customer }', after: PT5S }");
        var first = await StartAsync(test, workflow, "a", 0);
        await test.PassUntilAsync(first, r => r.IsFinished);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(await LastAsync(test, first))).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task Whoever_came_newest_takes_the_place_of_a_chain_as_of_a_run()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "concurrency: { limit: 1, onLimit: cancelInProgress }");
        var first = await StartAsync(test, workflow, "a", 0);
        await test.Functions.Entered;
        var newest = await StartAsync(test, workflow, "a", 1);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(await LastAsync(test, first))).State.Phase);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(newest)).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_chain_stands_with_its_definition_and_gives_its_slot_back_meanwhile()
    {
        await using var test = await OpenAsync();
        test.Functions.Open();
        var workflow = test.Define("""
            - rest: { wait: PT10S }
            - next: { if: '${ .n == 0 }', call: 'continue:1.0.0@default', with: { input: { n: 1, customer: a } } }
            """, metadata: "flow: { concurrency: { limit: 1 } }");
        var first = await StartAsync(test, workflow, "a", 0);
        await test.PassUntilAsync(first, r => r.IsFinished);
        var second = await LastAsync(test, first);
        await test.UntilAsync(second, r => r.State == RunPhase.Waiting);
        Assert.True(await test.Engine.Holds.SuspendAsync(Tenant.Default, "test", "test", null));
        await test.PassUntilAsync(second, r => r.State == RunPhase.Suspended);
        Assert.Equal((0, 0), await CountAsync(test));
        Assert.True(await test.Engine.Holds.ResumeAsync(Tenant.Default, "test", "test"));
        await test.PassUntilAsync(second, r => r.State == RunPhase.Completed);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_one_chain_and_no_slot(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            test.Functions.Open();
            var run = await Story.StartAsync(test, Define(test, "concurrency: { limit: 1 }"), Json.Object("n", 0));
            await test.Engine.EndAsync(Tenant.Default, run);
            await test.Engine.EndAsync(Tenant.Default, await LastAsync(test, run));
        }, async test =>
        {
            var runs = await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));
            Assert.Equal((2, true), (runs.Count, runs.TrueForAll(r => r.State == RunPhase.Completed)));
            Assert.Equal((0, 0), await CountAsync(test));
        });
        Assert.True(crashes > 4, $"only {crashes} writes to crash at");
    }

    private static Workflow Define(TestEngine test, string flow) => test.Define(Chain, metadata: $"flow: {{ {flow} }}");

    private static Task<Guid> StartAsync(TestEngine test, Workflow workflow, string customer, int n)
    {
        // One after the other, also by the clock.
        test.Time.Advance(TimeSpan.FromMilliseconds(1));
        return test.StartAsync(workflow, Json.Object("customer", customer, "n", n));
    }

    private static Task<Guid> LastAsync(TestEngine test, Guid run) => test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, run));

    private static Task<List<LimitPlace>> PlacesAsync(TestEngine test, Guid run) => test.Disk.ReadAsync(db => LimitStore.Of(db, Tenant.Default, run));

    public sealed class OnSqlite() : ChainLimitTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : ChainLimitTests(TestDatabases.Postgres);
}
