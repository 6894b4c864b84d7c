using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
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
