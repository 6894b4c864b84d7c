using System.Globalization;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class MapTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Double = "- double: { set: '${ {n: (.n * 2)} }' }";

    /// <summary>Faults for every item whose n is listed in the test's input.</summary>
    private const string Picky = """
        - look: { if: '${ .bad == true }', raise: { error: { type: 'https://example.com/errors/sour', status: 418, title: Sour } } }
        - give: { set: '${ .n }' }
        """;

    private static string Map(string with) => $"- all: {{ call: 'map:1.0.0@default', with: {{ in: '${{ .list }}', do: {{ namespace: test, name: child, version: ^1.0 }}, {with} }} }}";

    private static Json List(int count, params int[] bad) => Json.Object("list", JsonArray.Of(Enumerable.Range(0, count).Select(n => Json.Object("n", n, "bad", bad.Contains(n))).ToList()));

    private static async Task<List<RunRow>> ChildrenAsync(TestEngine test, Guid run) => await test.Database.ReadAsync(db =>
        RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run, null, 100_000)));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task A_child_for_each_chunk_gives_the_results_in_the_order_of_the_items(int chunk)
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var run = await test.RunAsync(Map($"chunk: {chunk}, concurrency: 2"), List(10));
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(Enumerable.Range(0, 10).Select(n => n * 2), run.State.Output.AsArray().Select(o => (int)o["n"].AsNumber()));
        var children = await ChildrenAsync(test, run.State.Id);
        Assert.Equal((10 + chunk - 1) / chunk, children.Count);
        Assert.All(children, c => Assert.Equal((RunPhase.Completed, 1, 1), (c.State, c.ParentStep, c.Depth)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Tasks_that_stand_in_the_map_itself_are_carried_out_in_children_of_the_same_text(int chunk)
    {
        await using var test = await OpenAsync();
        var workflow = test.Define($$"""
            - all:
                call: map:1.0.0@default
                with:
                  in: ${ .list }
                  chunk: {{chunk}}
                  do:
                    - double: { call: double, with: { n: '${ .n }' } }
                    - rest: { wait: PT1S }
                    - counted: { call: 'count:1.0.0@default', with: { n: '${ .n }' } }
            - last: { set: { all: '${ . }' } }
            """, extra: "use: { functions: { double: { set: '${ {n: (.n * 2)} }' } } }");
        var end = test.EndAsync(await test.StartAsync(workflow, List(10)));
        await test.PassUntilAsync(end);
        var run = await end;
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(Enumerable.Range(0, 10).Select(n => n * 2), run.State.Output["all"].AsArray().Select(o => (int)o["n"].AsNumber()));
        var children = await ChildrenAsync(test, run.State.Id);
        Assert.Equal((10 + chunk - 1) / chunk, children.Count);
        Assert.All(children, c => Assert.Equal((RunPhase.Completed, run.State.Workflow.Hash), (c.State, Workflow.TextOf(c.Hash))));
    }

    [Fact]
    public async Task A_child_that_does_not_want_single_items_gets_the_chunk_and_its_place()
    {
        await using var test = await OpenAsync();
        test.Define("- sum: { set: '${ {at: .offset, sum: ([.items[].n] | add)} }' }", "child");
        var run = await test.RunAsync(Map("chunk: 4, each: false"), List(10));
        Assert.Equal("""[{"at":0,"sum":6},{"at":4,"sum":22},{"at":8,"sum":17}]""", run.State.Output.ToString());
    }

    [Fact]
    public async Task An_input_of_ones_own_sees_the_item_its_index_and_the_task()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: '${ . }' }", "child");
        var run = await test.RunAsync(Map("chunk: 2, input: { i: '${ $index }', n: '${ $item.n }', of: '${ .list | length }' }"), List(3));
        Assert.Equal("""[{"i":0,"n":0,"of":3},{"i":1,"n":1,"of":3},{"i":2,"n":2,"of":3}]""", run.State.Output.ToString());
    }

    [Fact]
    public async Task An_empty_collection_needs_no_children()
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var run = await test.RunAsync(Map("chunk: 2"), List(0));
        Assert.Equal("[]", run.State.Output.ToString());
        Assert.Empty(await ChildrenAsync(test, run.State.Id));
    }

    [Fact]
    public async Task A_collection_can_be_made_page_by_page_with_the_cursor_in_the_journal()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: '${ . * 10 }' }", "child");
        var run = await test.RunAsync("""
            - all:
                call: map:1.0.0@default
                with:
                  in: { first: 0, items: '${ if $cursor == 4 then [] else [range($cursor; $cursor + 4)] end }', next: '${ if $cursor < 8 then $cursor + 4 else null end }' }
                  do: { namespace: test, name: child, version: latest }
            """);
        Assert.Equal("[0,10,20,30,80,90,100,110]", run.State.Output.ToString());
        Assert.Equal(2, (await ChildrenAsync(test, run.State.Id)).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task The_first_failure_ends_the_step_with_the_childs_error_and_cancels_the_others(int chunk)
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map($"chunk: {chunk}, concurrency: 3"), List(12, bad: 5));
        Assert.Equal((RunPhase.Faulted, 418, "/do/0/all"), (run.State.Phase, run.State.Error!.Status, run.State.Error.Instance));
        var children = await ChildrenAsync(test, run.State.Id);
        foreach (var child in children) await test.EndAsync(child.Id);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public async Task Failures_can_be_collected_beside_the_results(int chunk)
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map($"chunk: {chunk}, onError: collect"), List(10, 3, 8));
        var output = run.State.Output;
        Assert.Equal("[0,1,2,null,4,5,6,7,null,9]", output["results"].ToString());
        Assert.Equal((10, 2), ((int)output["total"].AsNumber(), (int)output["failed"].AsNumber()));
        Assert.Equal(["3/1/418", "8/1/418"], output["errors"].AsArray().Select(e => $"{e["offset"]}/{e["count"]}/{e["error"]["status"]}"));
    }

    [Theory]
    [InlineData("2", true)]
    [InlineData("1", false)]
    [InlineData("'20%'", true)]
    [InlineData("'19%'", false)]
    public async Task As_many_failures_are_borne_as_the_map_tolerates(string tolerate, bool borne)
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map($"chunk: 5, onError: {{ tolerate: {tolerate} }}"), List(10, 3, 8));
        Assert.Equal(borne ? RunPhase.Completed : RunPhase.Faulted, run.State.Phase);
        if (!borne) Assert.Equal("Too many items failed", run.State.Error!.Title);
    }

    [Fact]
    public async Task A_thousand_children_failing_at_once_are_counted_once_each()
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map("concurrency: 1000, onError: collect"), List(1000, [.. Enumerable.Range(0, 1000)]));
        Assert.Equal((1000, 1000), ((int)run.State.Output["total"].AsNumber(), (int)run.State.Output["failed"].AsNumber()));
        Assert.Equal(Enumerable.Range(0, 1000), run.State.Output["errors"].AsArray().Select(e => (int)e["offset"].AsNumber()));
    }

    [Fact]
    public async Task A_map_can_stand_in_a_child_of_a_map()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: '${ . + 1 }' }", "leaf");
        test.Define("- inner: { call: 'map:1.0.0@default', with: { in: '${ . }', do: { namespace: test, name: leaf, version: 1.0.0 }, chunk: 2 } }", "child");
        var run = await test.RunAsync(Map("chunk: 1, concurrency: 3"), Json.Object("list", JsonText.Parse("[[1,2,3],[],[4]]")));
        Assert.Equal("[[2,3,4],[],[5]]", run.State.Output.ToString());
    }

    [Fact]
    public async Task No_more_children_are_under_way_than_allowed_and_more_may_be_allowed_meanwhile()
    {
        await using var test = await OpenAsync();
        test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }", "child");
        var id = await test.StartAsync(test.Define(Map("concurrency: 2")), List(7));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        Assert.Equal(2, (await ChildrenAsync(test, id)).Count);
        Assert.Contains("2 of 7 are under way, 5 queued, 0 completed", Assert.Single((await test.HistoryAsync(id)).Waiting()).Detail, StringComparison.Ordinal);
        Assert.Equal(Execution.ControlOutcome.Accepted, await test.Engine.ChangeConcurrencyAsync(Tenant.Default, id, 1, 5));
        await test.PassUntilAsync(id, r => ChildrenAsync(test, id).Result.Count == 5);
        test.Functions.Open();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal(7, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task Cancelling_the_run_cancels_its_children_and_theirs()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT1H }", "leaf");
        test.Define("- down: { run: { workflow: { namespace: test, name: leaf, version: latest } } }", "child");
        var id = await test.StartAsync(test.Define(Map("concurrency: 3")), List(5));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        var children = await ChildrenAsync(test, id);
        foreach (var child in children) await test.UntilAsync(child.Id, r => r.State == RunPhase.Waiting);
        await test.Engine.CancelAsync(Tenant.Default, id, null);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(id)).State.Phase);
        foreach (var child in children)
        {
            Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child.Id)).State.Phase);
            foreach (var leaf in await ChildrenAsync(test, child.Id)) Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(leaf.Id)).State.Phase);
        }
        Assert.Equal(3, children.Count);
    }

    [Fact]
    public async Task A_definition_that_is_not_there_fails_the_map()
    {
        await using var test = await OpenAsync();
        var run = await test.RunAsync(Map("chunk: 2"), List(5));
        Assert.Equal(("Definition not found", "/do/0/all"), (run.State.Error!.Title, run.State.Error.Instance));
    }

    [Fact]
    public async Task A_map_whose_time_runs_out_as_it_begins_is_over_and_so_are_its_children()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT1H }", "child");
        var id = await test.StartAsync(test.Define($"""
            - hurry:
                timeout: {"{ after: PT5S }"}
                do:
                  - rest: {"{ wait: PT4S }"}
                  {Map("chunk: 2")}
            """), List(5));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        test.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ErrorTypes.Timeout, (await test.EndAsync(id)).State.Error!.Type);
        foreach (var child in await ChildrenAsync(test, id)) Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child.Id)).State.Phase);
    }

    [Fact]
    public async Task Redriving_a_faulted_run_carries_out_what_had_failed_and_goes_on_from_there()
    {
        await using var test = await OpenAsync();
        test.Define("- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
        test.Functions.FailuresLeft = 2;
        var id = await test.StartAsync(test.Define(Map("concurrency: 1, chunk: 2, onError: { tolerate: 1 }") + "\n- count: { set: '${ .results | length }' }"), List(6));
        var before = await test.EndAsync(id);
        Assert.Equal(RunPhase.Faulted, before.State.Phase);
        Assert.True(before.State.IsRedrivable(1));
        Assert.Equal(Execution.ControlOutcome.Accepted, await test.RedriveAsync(id, 1));
        var after = await test.EndAsync(id);
        Assert.Equal((RunPhase.Completed, "6"), (after.State.Phase, after.State.Output.ToString()));
        Assert.Equal("""["fine","fine","fine","fine","fine","fine"]""", after.Steps[1].Output!.Value["results"].ToString());
        Assert.Equal(new StepCounts(2, 2, 0, 0, 0), after.State.Counts);
        // The chunk that failed, the same again, and the two that had not begun.
        Assert.Equal(4, (await ChildrenAsync(test, id)).Count);
    }

    [Fact]
    public async Task Redriving_a_completed_run_gives_its_failed_items_only_and_does_again_what_follows()
    {
        await using var test = await OpenAsync();
        test.Define("- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
        test.Functions.FailuresLeft = 1;
        var id = await test.StartAsync(test.Define(Map("chunk: 3, concurrency: 1, onError: collect") + "\n- count: { set: '${ .failed }' }"), List(6));
        Assert.Equal("1", (await test.EndAsync(id)).State.Output.ToString());
        await test.RedriveAsync(id, 1);
        var after = await test.EndAsync(id);
        Assert.Equal("0", after.State.Output.ToString());
        var outputs = new List<string>();
        foreach (var child in await ChildrenAsync(test, id)) outputs.Add((await test.HistoryAsync(child.Id)).State.Output.ToString());
        Assert.Equal(3, outputs.Count);
        Assert.Contains("""["fine"]""", outputs);
    }

    [Fact]
    public async Task Effects_for_an_item_with_a_key_are_done_again_under_the_same_key()
    {
        await using var test = await OpenAsync();
        test.Define("- one: { call: 'count:1.0.0@default', with: {} }\n- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
        test.Functions.FailuresLeft = 1;
        var id = await test.StartAsync(test.Define(Map("chunk: 2, concurrency: 1, onError: collect, key: '${ \"order-\\($item.n)\" }'")), List(4));
        await test.EndAsync(id);
        await test.RedriveAsync(id, 1);
        await test.EndAsync(id);
        Assert.Equal([1, 1, 1, 2], test.Functions.Ledger.Values.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_no_child_and_starts_none_twice(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            test.Define("- one: { call: 'count:1.0.0@default', with: {} }", "child");
            var workflow = test.Define(Map("chunk: 2, concurrency: 2"));
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            var request = new Execution.StartRequest(Tenant.Default, workflow, List(7), "once", "request");
            var start = test.Engine.StartAsync(request);
            var died = test.Database.Died;
            var end = EndAsync(test, start);
            await Task.WhenAny(end, died).WaitAsync(TestEngine.Patience);
            var crashed = !test.Database.Spare();
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                end = EndAsync(test, test.Engine.StartAsync(request));
                await test.PassUntilAsync(end);
            }
            var id = await end;
            var run = await test.HistoryAsync(id);
            Assert.True(run.State.Phase == RunPhase.Completed && run.State.Output.AsArray().Count == 7, string.Create(CultureInfo.InvariantCulture, $"crash at write {at}: {run.State.Error}"));
            Assert.Equal(4, (await ChildrenAsync(test, id)).Count);
            Assert.Equal(7, test.Functions.Ledger.Count);
            if (!crashed) break;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_of_a_redrive_repeats_nothing_that_had_completed(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            test.Define("- one: { call: 'count:1.0.0@default', with: {} }\n- shaky: { call: 'flaky:1.0.0@default', with: {} }", "child");
            test.Functions.FailuresLeft = 1;
            var id = await test.StartAsync(test.Define(Map("concurrency: 1, key: '${ $item.n }'") + "\n- count: { set: '${ length }' }"), List(3));
            Assert.Equal(RunPhase.Faulted, (await test.EndAsync(id)).State.Phase);
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            var died = test.Database.Died;
            await Task.WhenAny(test.PassUntilAsync(RedriveAsync(test, id)), died).WaitAsync(TestEngine.Patience);
            var crashed = !test.Database.Spare();
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                await test.PassUntilAsync(RedriveAsync(test, id));
            }
            var run = await test.HistoryAsync(id);
            Assert.True(run.State.Phase == RunPhase.Completed && run.State.Output.ToString() == "3", string.Create(CultureInfo.InvariantCulture, $"crash at write {at}: {run.State.Error}"));
            // The item that failed was done twice at least, under one key.
            Assert.Equal(3, test.Functions.Ledger.Count);
            Assert.Equal(4, (await ChildrenAsync(test, id)).Count);
            if (!crashed) break;
        }
    }

    /// <summary>As somebody who does not know whether he has been heard.</summary>
    private static async Task RedriveAsync(TestEngine test, Guid run)
    {
        if ((await test.RowAsync(run)).State == RunPhase.Faulted) await test.RedriveAsync(run, 1);
        await test.Engine.EndAsync(Tenant.Default, run);
    }

    private static async Task<Guid> EndAsync(TestEngine test, Task<Execution.StartOutcome> start)
    {
        var id = await start switch
        {
            Execution.StartOutcome.Started s => s.Run,
            Execution.StartOutcome.Existing e => e.Run,
            _ => throw new InvalidOperationException("conflict"),
        };
        await test.Engine.EndAsync(Tenant.Default, id);
        return id;
    }
}

public sealed class MapOnSqliteTests() : MapTests(TestDatabases.Sqlite);

public sealed class MapOnPostgresTests() : MapTests(TestDatabases.Postgres);
