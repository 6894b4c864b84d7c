using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>One child run (<c>run.workflow</c>), and what holds for children of every kind.</summary>
public abstract class ChildTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Rest = "- rest: { wait: PT1H }";

    private static string Start(string name, string more = "") => $"{{ run: {{ workflow: {{ namespace: test, name: {name}, version: latest }}{more} }} }}";

    private static async Task<List<RunRow>> ChildrenAsync(TestEngine test, Guid run) => await test.Database.ReadAsync(db =>
        RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run, null, 100_000)));

    /// <summary>A run whose child and grandchild wait.</summary>
    private static async Task<(Guid Run, Guid Child, Guid Grandchild)> FamilyAsync(TestEngine test, string tasks)
    {
        test.Define(Rest, "leaf");
        test.Define($"- down: {Start("leaf")}", "child");
        var run = await test.StartAsync(test.Define(tasks));
        if (tasks.Contains("hold:", StringComparison.Ordinal)) await test.Functions.Entered;
        else await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        var child = Assert.Single(await ChildrenAsync(test, run)).Id;
        await test.UntilAsync(child, r => r.State == RunPhase.Waiting);
        return (run, child, Assert.Single(await ChildrenAsync(test, child)).Id);
    }

    [Fact]
    public async Task A_branch_that_lost_the_race_cancels_its_children_and_theirs()
    {
        await using var test = await OpenAsync();
        var (run, child, grandchild) = await FamilyAsync(test, $$"""
            - race:
                fork:
                  compete: true
                  branches:
                    - slow: {{Start("child")}}
                    - quick: { call: 'hold:1.0.0@default', with: {} }
            """);
        test.Functions.Open();
        Assert.Equal("\"let go\"", (await test.EndAsync(run)).State.Output.ToString());
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child)).State.Phase);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(grandchild)).State.Phase);
    }

    [Theory]
    [InlineData("- ask: { run: { workflow: { namespace: test, name: child, version: latest } }, timeout: { after: PT10S } }")]
    [InlineData("- all: { do: [ { ask: { run: { workflow: { namespace: test, name: child, version: latest } } } } ], timeout: { after: PT10S } }")]
    [InlineData("- map: { call: 'map:1.0.0@default', with: { in: [1], do: { namespace: test, name: child, version: latest } }, timeout: { after: PT10S } }")]
    public async Task A_timeout_cancels_children_and_theirs(string tasks)
    {
        await using var test = await OpenAsync();
        var (run, child, grandchild) = await FamilyAsync(test, tasks);
        await test.PassUntilAsync(test.EndAsync(run));
        Assert.Equal(408, (await test.HistoryAsync(run)).State.Error!.Status);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child)).State.Phase);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(grandchild)).State.Phase);
    }

    [Fact]
    public async Task A_child_that_is_not_awaited_goes_on_when_its_parent_has_ended()
    {
        await using var test = await OpenAsync();
        test.Define(Rest, "leaf");
        var run = await test.RunAsync($"- go: {Start("leaf", ", await: false")}", Json.Object("x", 1));
        Assert.Equal("""{"x":1}""", run.State.Output.ToString());
        var child = Assert.Single(await ChildrenAsync(test, run.State.Id));
        await test.UntilAsync(child.Id, r => r.State == RunPhase.Waiting);
    }

    [Fact]
    public async Task A_grandchilds_fault_is_its_grandparents_and_can_be_caught_there()
    {
        await using var test = await OpenAsync();
        test.Define("- fail: { raise: { error: { type: 'https://example.com/errors/sour', status: 418 } } }", "leaf");
        test.Define($"- down: {Start("leaf")}", "child");
        var run = await test.RunAsync($$"""
            - careful:
                try: [ { ask: {{Start("child")}} } ]
                catch: { errors: { with: { status: 418 } }, as: e, do: [ { tell: { set: '${ $e.type }' } } ] }
            """);
        Assert.Equal("\"https://example.com/errors/sour\"", run.State.Output.ToString());
    }

    [Fact]
    public async Task Runs_start_runs_only_so_deep()
    {
        await using var test = await OpenAsync(new EngineSettings { DepthMax = 3 });
        var workflow = test.Define($"- again: {Start("test")}");
        var run = await test.EndAsync(await test.StartAsync(workflow));
        Assert.Equal(("Too deep", 508), (run.State.Error!.Title, run.State.Error.Status));
        Assert.Equal(4, await test.Database.ReadAsync(db => db.First("select count(*) from run", r => r.Long(0), 0L)));
    }

    [Fact]
    public async Task Too_deep_a_map_is_refused_too()
    {
        await using var test = await OpenAsync(new EngineSettings { DepthMax = 2 });
        var workflow = test.Define("- again: { call: 'map:1.0.0@default', with: { in: [1, 2], do: { namespace: test, name: test, version: latest } } }");
        Assert.Equal("Too deep", (await test.EndAsync(await test.StartAsync(workflow))).State.Error!.Title);
    }

    [Fact]
    public async Task Another_worker_goes_on_with_a_map_and_its_children_when_the_first_dies()
    {
        await using var test = await OpenAsync();
        test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }", "child");
        var run = await test.StartAsync(test.Define("- map: { call: 'map:1.0.0@default', with: { in: [1, 2, 3, 4, 5], concurrency: 2, do: { namespace: test, name: child, version: latest } } }"));
        await test.Functions.Entered;
        await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        var (other, _) = await test.JoinAsync();
        test.Database.Die();
        test.Functions.Open();
        var end = other.EndAsync(Tenant.Default, run);
        await test.PassUntilAsync(end);
        Assert.Equal(RunPhase.Completed, await end);
        var rows = await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run, null, 100)));
        Assert.Equal((5, 5), (rows.Count, rows.Count(r => r.State == RunPhase.Completed)));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Half_of_the_children_of_a_map_are_for_whichever_of_two_workers_takes_them_first()
    {
        await using var test = await OpenAsync(new EngineSettings { Alone = false });
        var (other, _) = await test.JoinAsync();
        test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }", "child");
        var run = await test.StartAsync(test.Define("- map: { call: 'map:1.0.0@default', with: { in: '${ [range(10)] }', concurrency: 10, do: { namespace: test, name: child, version: latest } } }"));
        await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        var children = await ChildrenAsync(test, run);
        Assert.Equal((5, 5), (children.Count(c => c.Lease == test.Engine.Worker.Lease.Id), children.Count(c => c is { Lease: null, WakeAt: not null })));
        await test.PassUntilAsync(run, _ => test.Functions.Ledger.Count == 10);
        test.Functions.Open();
        await test.PassUntilAsync(run, r => r.State == RunPhase.Completed);
        Assert.All(test.Functions.Ledger.Values, times => Assert.Equal(1, times));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Cancelling_in_the_middle_of_a_map_leaves_no_child_behind()
    {
        await using var test = await OpenAsync();
        test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }", "child");
        var run = await test.StartAsync(test.Define("- map: { call: 'map:1.0.0@default', with: { in: '${ [range(40)] }', concurrency: 20, do: { namespace: test, name: child, version: latest } } }"));
        await test.Functions.Entered;
        await test.Engine.CancelAsync(Tenant.Default, run, "enough");
        test.Functions.Open();
        await test.Engine.EndAsync(Tenant.Default, run).WaitAsync(TestEngine.Patience);
        foreach (var child in await ChildrenAsync(test, run)) await test.EndAsync(child.Id);
        Assert.All(await ChildrenAsync(test, run), c => Assert.True(c.IsFinished));
    }
}

public sealed class ChildOnSqliteTests() : ChildTests(TestDatabases.Sqlite);

public sealed class ChildOnPostgresTests() : ChildTests(TestDatabases.Postgres);
