using Millrace.Engine.Execution;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class ControlTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Held = """
        - first: { call: 'hold:1.0.0@default', with: {} }
        - second: { call: 'count:1.0.0@default', with: { n: 2 } }
        """;

    [Fact]
    public async Task Cancelling_ends_the_effects_under_way()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Held));
        await test.Functions.Entered;
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.CancelAsync(Tenant.Default, id, "enough"));
        var run = await test.EndAsync(id);
        Assert.Equal(RunPhase.Cancelled, run.State.Phase);
        Assert.Equal("enough", (await test.RowAsync(id)).Reason);
        Assert.All(test.Functions.Held, token => Assert.True(token.IsCancellationRequested));
        Assert.Equal(StepState.Cancelled, Assert.Single(run.Steps.Values).State);
    }

    [Fact]
    public async Task Cancelling_a_waiting_run_wakes_and_ends_it()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        await test.Engine.CancelAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(id)).State.Phase);
    }

    [Fact]
    public async Task Cancelling_a_finished_run_is_refused()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("- one: { set: { a: 1 } }");
        Assert.Equal(ControlOutcome.AlreadyFinished, await test.Engine.CancelAsync(Tenant.Default, run.State.Id, null));
        Assert.Equal(ControlOutcome.NotFound, await test.Engine.CancelAsync(Tenant.Default, Guid.CreateVersion7(), null));
    }

    [Fact]
    public async Task A_suspended_run_records_what_was_under_way_and_begins_nothing_new()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Held));
        await test.Functions.Entered;
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.SuspendAsync(Tenant.Default, id, "night"));
        Assert.Equal(ControlOutcome.AlreadySuspended, await test.Engine.SuspendAsync(Tenant.Default, id, null));
        await test.UntilAsync(id, r => r.State == RunPhase.Suspended);
        test.Functions.Open();
        await test.UntilAsync(id, r => r is { State: RunPhase.Suspended, Lease: null });
        var paused = await test.HistoryAsync(id);
        Assert.Equal(StepState.Completed, Assert.Single(paused.Steps.Values).State);
        Assert.Equal(WaitKind.Resume, Assert.Single(paused.Waiting()).On);
        Assert.Equal(ControlOutcome.Accepted, await test.Engine.ResumeAsync(Tenant.Default, id, null));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal(ControlOutcome.AlreadyFinished, await test.Engine.ResumeAsync(Tenant.Default, id, null));
    }

    [Fact]
    public async Task A_timer_that_ended_while_suspended_fires_at_resume()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        await test.Engine.SuspendAsync(Tenant.Default, id, null);
        await test.UntilAsync(id, r => r.State == RunPhase.Suspended);
        test.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(RunPhase.Suspended, (await test.RowAsync(id)).State);
        await test.Engine.ResumeAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
    }

    [Fact]
    public async Task A_child_run_gives_its_output_to_its_parent()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: { from: child } }", "child");
        var run = await test.RunAsync("- ask: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }");
        Assert.Equal("""{"from":"child"}""", run.State.Output.ToString());
        var child = await test.RowAsync(Assert.Single(run.Steps.Values).Child!.Value);
        Assert.Equal((run.State.Id, 1, 1), (child.Parent, child.ParentStep, child.Depth));
    }

    /// <summary>Each end is a signal of its own, though the row of the one before is gone. A parent that misses one is woken and lets go again, write after write.</summary>
    [Fact]
    public async Task Children_one_after_another_are_each_heard_of_with_few_writes()
    {
        await using var test = await OpenAsync();
        test.Define("- a: { set: { x: 1 } }", name: "child");
        var run = await test.RunAsync("""
            - loop:
                for: { each: i, in: '[range(5)]' }
                do:
                  - one: { run: { workflow: { namespace: test, name: child, version: latest } } }
            """);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(5, run.Steps.Values.Count(s => s.Child is not null));
        Assert.True(test.Database.Writes < 100, $"{test.Database.Writes} writes");
    }

    [Fact]
    public async Task A_childs_fault_is_its_parents()
    {
        await using var test = await OpenAsync();
        test.Define("- fail: { raise: { error: { type: 'https://example.com/errors/sour', status: 418, title: Sour } } }", "child");
        var run = await test.RunAsync("- ask: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }");
        Assert.Equal("/do/0/ask", run.State.Error!.Instance);
        Assert.Equal("Sour", run.State.Error.Title);
    }

    [Fact]
    public async Task Cancelling_a_parent_cancels_its_children()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT1H }", "child");
        var id = await test.StartAsync(test.Define("- ask: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var child = Assert.Single((await test.HistoryAsync(id)).Steps.Values).Child!.Value;
        await test.Engine.CancelAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child)).State.Phase);
    }

    [Fact]
    public async Task Runs_that_start_themselves_without_end_are_stopped_by_the_depth_limit()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync("- again: { run: { workflow: { namespace: test, name: test, version: 1.0.0 } } }");
        Assert.Equal("Too deep", run.State.Error!.Title);
    }
}

public sealed class ControlOnSqliteTests() : ControlTests(TestDatabases.Sqlite);

public sealed class ControlOnPostgresTests() : ControlTests(TestDatabases.Postgres);
