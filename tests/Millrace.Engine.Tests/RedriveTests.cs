using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Runs that cannot be taken back to a step, or not any more. Those that can are among the tests of maps and swarms.</summary>
public abstract class RedriveTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Map = "- all: { call: 'map:1.0.0@default', with: { in: '${ .list }', do: { namespace: test, name: child, version: ^1.0 }, concurrency: 1 } }";

    /// <summary>Two have seen that it can go back; when the second asks, it has done so and has come to its end. It must not so much as look as if it went on.</summary>
    [Fact]
    public async Task A_run_that_went_back_meanwhile_is_not_taken_back_again()
    {
        await using var test = await OpenAsync();
        test.Define("- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
        test.Functions.FailuresLeft = 1;
        var id = await test.StartAsync(test.Define(Map), Json.Object("list", JsonText.Parse("[1, 2, 3]")));
        var seen = (await test.EndAsync(id)).State.Position;
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.RedriveAsync(Tenant.Default, id, 1, seen));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        var before = await test.RowAsync(id);
        Assert.Equal(ControlOutcome.Changed, await test.Engine.RedriveAsync(Tenant.Default, id, 1, seen));
        Assert.Equal(before, await test.RowAsync(id));
    }

    [Fact]
    public async Task One_that_is_to_go_back_says_what_it_waits_for_before_it_hears_of_it()
    {
        await using var test = await OpenAsync();
        const string Line = "flow: { concurrency: { name: line, limit: 1 } }";
        test.Define("- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
        test.Functions.FailuresLeft = 1;
        var id = await test.StartAsync(test.Define(Map, metadata: Line), Json.Object("list", JsonText.Parse("[1]")));
        Assert.Equal(RunPhase.Faulted, (await test.EndAsync(id)).State.Phase);
        var other = await test.StartAsync(test.Define("- work: { call: 'hold:1.0.0@default', with: {} }", "other", metadata: Line));
        await test.Functions.Entered;
        Assert.Equal(ControlOutcome.Accepted, await test.RedriveAsync(id, 1));
        WaitingFor wait;
        do wait = await WaitAsync();
        while (wait.On == WaitKind.Worker);
        Assert.Equal((WaitKind.Slot, "It waits for a slot of the limit 'line': 1 of 1 are taken, and it is the next."), (wait.On, wait.Detail));
        test.Functions.Open();
        foreach (var run in new[] { other, id }) Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Phase);

        async Task<WaitingFor> WaitAsync()
        {
            var (row, own) = (await test.RowAsync(id), (await test.HistoryAsync(id)).Waiting());
            return Assert.Single(await test.Disk.ReadAsync(db => RunWaits.Of(db, row, isSuspended: false, own)));
        }
    }

    [Fact]
    public async Task A_run_that_was_cancelled_and_cannot_go_back_stays_cancelled()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, id, "enough");
        await test.EndAsync(id);
        // An earlier build asked for it, and did not look whether the run had changed.
        Assert.Equal(ControlOutcome.Accepted, await test.RedriveAsync(id, 1));
        var after = await test.EndAsync(id);
        Assert.Equal((RunPhase.Cancelled, "enough"), (after.State.Phase, (await test.RowAsync(id)).Reason));
    }
}

public sealed class RedriveOnSqliteTests() : RedriveTests(TestDatabases.Sqlite);

public sealed class RedriveOnPostgresTests() : RedriveTests(TestDatabases.Postgres);
