using Millrace.Engine.Limits;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Runs that have no slot and are let through all the same, or leave the line without one.</summary>
public abstract class SlotlessTests(TestDatabases databases) : LimitSuite(databases)
{
    private const string Hold = "- work: { call: 'hold:1.0.0@default', with: {} }";

    [Fact]
    public async Task A_run_whose_place_another_takes_is_undone_to_its_end_however_often_that_waits()
    {
        await using var test = await OpenAsync();
        await test.Engine.Limits.SetAsync(Tenant.Default, new WorkspaceLimits(1, 5));
        var workflow = Define(test, $$"""
            - book:
                call: 'count:1.0.0@default'
                with: { n: 1 }
                metadata: { compensate: [ { rest: { wait: PT10S } }, { unbook: { call: 'count:1.0.0@default', with: { n: 2 } } } ] }
            {{Hold}}
            """, "concurrency: { limit: 1, onLimit: cancelInProgress }");
        var old = await test.StartAsync(workflow);
        await test.Functions.Entered;
        test.Time.Advance(TimeSpan.FromMilliseconds(1));
        var newest = await test.StartAsync(workflow);
        Assert.Equal(RunPhase.Cancelled, (await test.PassUntilAsync(old, r => r.IsFinished)).State);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(newest, r => r.IsFinished)).State);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Fact]
    public async Task A_run_that_is_suspended_in_the_line_of_a_lock_leaves_it_to_those_behind()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, Hold, "concurrency: { limit: 1, counts: unfinished }");
        var runs = await StartAllAsync(test, workflow, "a", "a", "a");
        await UntilAsync(test, (held, queued) => held == 1 && queued == 2);
        await test.Engine.SuspendAsync(Tenant.Default, runs[1], null);
        await test.UntilAsync(runs[1], r => r is { State: RunPhase.Suspended, Lease: null });
        Assert.Equal((1, 1), await CountAsync(test));
        test.Functions.Open();
        foreach (var run in new[] { runs[0], runs[2] }) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);
        await test.Engine.ResumeAsync(Tenant.Default, runs[1], null);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(runs[1])).State.Phase);
        Assert.Equal((0, 0), await CountAsync(test));
    }

    [Theory]
    [InlineData("cancel", RunPhase.Cancelled)]
    [InlineData("suspend", RunPhase.Suspended)]
    public async Task A_wish_is_heard_at_once_however_much_was_written_to_a_run_in_line_before(string wish, RunPhase phase)
    {
        await using var test = await OpenAsync();
        const string flow = "concurrency: { name: shared, limit: 1 }";
        var workflow = test.Define("- hear: { listen: { to: { one: { with: { type: wanted } } } } }\n" + Hold, "listens", metadata: $"flow: {{ {flow} }}");
        var listens = await test.StartAsync(workflow);
        await test.UntilAsync(listens, r => r is { State: RunPhase.Waiting, Lease: null });
        test.Time.Advance(TimeSpan.FromMilliseconds(1));
        var works = await test.StartAsync(Define(test, Hold, flow));
        await test.Functions.Entered;
        foreach (var part in Enumerable.Range(0, 1500).Chunk(500)) await test.Engine.Events.PublishAsync(Tenant.Default, [.. part.Select(Wanted)]);
        await UntilAsync(test, (held, queued) => held == 1 && queued == 1);
        if (wish == "cancel") await test.Engine.CancelAsync(Tenant.Default, listens, null);
        else await test.Engine.SuspendAsync(Tenant.Default, listens, null);
        await test.UntilAsync(listens, r => r.Lease is null && r.State == phase);
        // What it heard besides has begun nothing.
        Assert.Single(test.Functions.Ledger);
        test.Functions.Open();
        await test.EndAsync(works);
    }

    private static Json Wanted(int n) => new JsonObject.Builder().Set("specversion", "1.0").Set("id", $"{n}").Set("source", "/test").Set("type", "wanted").Build();

    public sealed class OnSqlite() : SlotlessTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : SlotlessTests(TestDatabases.Postgres);
}
