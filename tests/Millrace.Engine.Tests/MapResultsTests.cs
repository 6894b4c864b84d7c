using System.Globalization;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Maps that do not hold the results of their children.</summary>
public abstract class MapResultsTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Double = "- double: { set: '${ {n: (.n * 2)} }' }";

    /// <summary>Faults for every item that is bad.</summary>
    private const string Picky = """
        - look: { if: '${ .bad == true }', raise: { error: { type: 'https://example.com/errors/sour', status: 418, title: Sour } } }
        - give: { set: '${ .n }' }
        """;

    private const string Shaky = "- shaky: { call: 'flaky:1.0.0@default', with: {} }";

    private static string Map(string with, string from = ".list", string name = "all") =>
        $"- {name}: {{ call: 'map:1.0.0@default', with: {{ in: '${{ {from} }}', do: {{ namespace: test, name: child, version: ^1.0 }}, {with} }} }}";

    private static Json List(int count, params int[] bad) => Json.Object("list", JsonArray.Of(Enumerable.Range(0, count).Select(n => Json.Object("n", n, "bad", bad.Contains(n))).ToList()));

    private static async Task<string> ResultsAsync(TestEngine test, RunHistory run, int step = 1)
    {
        var index = run.Steps[step].Window!.Results!;
        var all = new List<Json>();
        for (var chunk = 0; chunk < index.Chunks; chunk++)
        {
            Assert.Equal(all.Count, index[chunk].Offset);
            all.AddRange((await ChunkReader.ReadAsync(test.Engine.Journal, Tenant.Default, index[chunk]))!);
        }
        return Json.Of(JsonArray.Of(all)).ToString();
    }

    [Theory]
    [InlineData("chunk: 4", 10, "[0,1,2,3,4,5,6,7,8,9]", """{"run":"?","step":1,"chunks":3,"children":3,"sizes":[[0,0,4],[2,8,2]]}""")]
    [InlineData("chunk: 1", 3, "[0,1,2]", """{"run":"?","step":1,"chunks":3,"children":3,"sizes":[[0,0,1]]}""")]
    [InlineData("chunk: 1", 0, "[]", """{"run":"?","step":1,"chunks":0,"children":0,"sizes":[]}""")]
    public async Task Results_by_reference_are_told_by_where_they_are(string cut, int items, string results, string reference)
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map($"{cut}, concurrency: 2, results: reference"), List(items));
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal($$"""{"results":{{reference.Replace("?", run.State.Id.ToString(), StringComparison.Ordinal)}},"total":{{items}},"failed":0,"errors":[]}""", run.State.Output.ToString());
        Assert.Equal(results, await ResultsAsync(test, run));
        Assert.Equal("reference", run.Steps[1].Window!.Progress.Results);
    }

    [Theory]
    [InlineData("reference")]
    [InlineData("none")]
    public async Task The_journal_keeps_nothing_of_results_that_the_step_does_not_hold(string results)
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var run = await test.RunAsync(Map($"chunk: 2, results: {results}"), List(5));
        var ends = (await test.Engine.Journal.AfterAsync(Tenant.Default, run.State.Id, -1)).SelectMany(r => r.Entries).OfType<SpawnEntry.ChildEnded>().ToList();
        Assert.Equal(3, ends.Count);
        Assert.All(ends, e => Assert.Null(e.Output));
        Assert.Equal(results == "reference", run.State.Output.AsObject().Has("results"));
        Assert.Equal(("5", "0"), (run.State.Output["total"].ToString(), run.State.Output["failed"].ToString()));
    }

    [Fact]
    public async Task A_chunk_that_is_given_as_a_whole_has_one_result()
    {
        await using var test = await OpenAsync();
        test.Define("- sum: { set: '${ [.items[].n] | add }' }", "child");
        var run = await test.RunAsync(Map("chunk: 4, each: false, results: reference"), List(10));
        Assert.Equal("[6,22,17]", await ResultsAsync(test, run));
        Assert.Equal("10", run.State.Output["total"].ToString());
    }

    [Theory]
    [InlineData("reference")]
    [InlineData("none")]
    public async Task Failures_are_counted_and_told_of_as_ever(string results)
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map($"chunk: 4, onError: collect, results: {results}"), List(10, 3, 8));
        Assert.Equal(["3/1/418", "8/1/418"], run.State.Output["errors"].AsArray().Select(e => $"{e["offset"]}/{e["count"]}/{e["error"]["status"]}"));
        if (results == "reference") Assert.Equal("[0,1,2,null,4,5,6,7,null,9]", await ResultsAsync(test, run));
    }

    [Fact]
    public async Task Of_many_failures_the_first_hundred_are_told()
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var run = await test.RunAsync(Map("chunk: 60, concurrency: 1, onError: collect, results: none"), List(150, [.. Enumerable.Range(0, 150)]));
        Assert.Equal(("150", 100), (run.State.Output["failed"].ToString(), run.State.Output["errors"].AsArray().Count));
    }

    [Fact]
    public async Task Results_of_items_that_were_carried_out_again_take_the_place_of_those_that_failed()
    {
        await using var test = await OpenAsync();
        test.Define(Shaky, "child");
        test.Functions.FailuresLeft = 3;
        var id = await test.StartAsync(test.Define(Map("chunk: 3, concurrency: 1, onError: collect, results: reference") + "\n- failed: { set: '${ .failed }' }"), List(6));
        var run = await test.EndAsync(id);
        Assert.Equal("3", run.State.Output.ToString());
        Assert.Equal("""[null,null,null,"fine","fine","fine"]""", await ResultsAsync(test, run));
        test.Functions.FailuresLeft = 1;
        await test.RedriveAsync(id, 1);
        run = await test.EndAsync(id);
        Assert.Equal("""[null,"fine","fine","fine","fine","fine"]""", await ResultsAsync(test, run));
        await test.RedriveAsync(id, 1);
        run = await test.EndAsync(id);
        Assert.Equal("0", run.State.Output.ToString());
        Assert.Equal("""["fine","fine","fine","fine","fine","fine"]""", await ResultsAsync(test, run));
        var index = run.Steps[1].Window!.Results!;
        Assert.Equal((3, 1), (index[0].Runs.Count, index[1].Runs.Count));
    }

    [Theory]
    [InlineData("in: '${ .list }', chunk: 3")]
    [InlineData("in: '${ .list }', chunk: 1")]
    [InlineData("in: { first: 0, items: '${ [.list[$cursor:($cursor + 1) * 2][]] }', next: '${ if $cursor < 5 then ($cursor + 1) * 2 else null end }' }")]
    public async Task A_map_can_work_on_what_another_one_left_by_reference(string from)
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var run = await test.RunAsync($$"""
            - first: { call: 'map:1.0.0@default', with: { {{from}}, do: { namespace: test, name: child, version: 1.0.0 }, results: reference, concurrency: 2 } }
            {{Map("concurrency: 2, input: '${ {n: ($item.n + $index)} }'", ".results")}}
            """, List(8));
        Assert.True(run.State.Phase == RunPhase.Completed, run.State.Error?.ToString());
        Assert.Equal(Enumerable.Range(0, 8).Select(n => (n * 2 + n) * 2), run.State.Output.AsArray().Select(o => (int)o["n"].AsNumber()));
    }

    [Fact]
    public async Task A_run_can_be_given_what_another_run_left_by_reference()
    {
        await using var test = await OpenAsync();
        test.Define(Picky, "child");
        var first = await test.EndAsync(await test.StartAsync(test.Define(Map("chunk: 4, onError: collect, results: reference"), "first"), List(10, 5)));
        test.Define("- sum: { set: '${ {at: .offset, all: .items} }' }", "child");
        var second = await test.RunAsync(Map("each: false", ".results"), first.State.Output);
        Assert.Equal("""[{"at":0,"all":[0,1,2,3]},{"at":4,"all":[4,null,6,7]},{"at":8,"all":[8,9]}]""", second.State.Output.ToString());
    }

    [Fact]
    public async Task A_fork_of_a_map_has_the_results_of_before_it_and_its_own()
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var source = await test.RunAsync($"{Map("chunk: 2, concurrency: 1, results: reference", name: "first")}\n{Map("concurrency: 1", ".results")}", List(6));
        Assert.True(source.State.Phase == RunPhase.Completed, source.State.Error?.ToString());
        var records = await test.Engine.Journal.AfterAsync(Tenant.Default, source.State.Id, -1);
        var cut = records.First(r => r.Entries.OfType<SpawnEntry.ChildEnded>().Any()).Seq;
        var fork = (ForkOutcome.Started)await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, source.State.Id, new ForkPoint.Behind(cut)));
        var run = await test.EndAsync(fork.Run);
        Assert.True(run.State.Phase == RunPhase.Completed, run.State.Error?.ToString());
        Assert.Equal(source.State.Output, run.State.Output);
        var (before, own) = (source.Steps[1].Window!.Results!, run.Steps[1].Window!.Results!);
        Assert.Equal(before[0].Runs, own[0].Runs);
        Assert.NotEqual(before[1].Runs, own[1].Runs);
    }

    [Fact]
    public async Task Results_that_are_kept_no_more_fail_the_chunks_that_need_them_by_name()
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child", metadata: "retention: { completed: PT1S }");
        var first = await test.EndAsync(await test.StartAsync(test.Define(Map("chunk: 2, results: reference"), "first"), List(4)));
        Assert.Equal("""[{"n":0},{"n":2},{"n":4},{"n":6}]""", await ResultsAsync(test, first));
        await test.PassAsync(TimeSpan.FromMinutes(11));
        var index = first.Steps[1].Window!.Results!;
        Assert.Null(await ChunkReader.ReadAsync(test.Engine.Journal, Tenant.Default, index[0]));
        var second = test.EndAsync(await test.StartAsync(test.Define(Map("onError: collect", ".results")), first.State.Output));
        await test.PassUntilAsync(second);
        Assert.Equal(("4", "Results not kept"), ((await second).State.Output["failed"].ToString(), (await second).State.Output["errors"][0]["error"]["title"].AsString()));
    }

    [Theory]
    [InlineData("chunk: 2", "'in' refers to results that are cut into chunks already; 'chunk' cuts a list.")]
    [InlineData("key: '${ {} }'", "'key' is {}; expected a text of 1 to 200 characters, or a number.")]
    public async Task Arguments_that_do_not_fit_what_is_referred_to_are_refused(string with, string detail)
    {
        await using var test = await OpenAsync();
        test.Define(Double, "child");
        var run = await test.RunAsync($"{Map("chunk: 2, results: reference", name: "first")}\n{Map(with, ".results")}", List(4));
        Assert.Equal((RunPhase.Faulted, "/do/1/all", detail), (run.State.Phase, run.State.Error!.Instance, run.State.Error.Detail));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_every_result_to_be_found_once(bool afterCommit)
    {
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            test.Define("- one: { call: 'count:1.0.0@default', with: { n: '${ .n }' } }", "child");
            var workflow = test.Define($"{Map("chunk: 2, concurrency: 2, results: reference", name: "first")}\n{Map("concurrency: 2, results: reference", ".results")}");
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            var request = new StartRequest(Tenant.Default, workflow, List(5), "once", "request");
            var end = EndAsync(test, request);
            await Task.WhenAny(end, test.Database.Died).WaitAsync(TestEngine.Patience);
            var crashed = !test.Database.Spare();
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                end = EndAsync(test, request);
                await test.PassUntilAsync(end);
            }
            var run = await test.HistoryAsync(await end);
            Assert.True(run.State.Phase == RunPhase.Completed, string.Create(CultureInfo.InvariantCulture, $"crash at write {at}: {run.State.Error}"));
            foreach (var step in (int[])[1, 2]) Assert.Equal("""[{"n":0},{"n":1},{"n":2},{"n":3},{"n":4}]""", await ResultsAsync(test, run, step));
            Assert.Equal(10, test.Functions.Ledger.Count);
            if (!crashed) break;
        }
    }

    private static async Task<Guid> EndAsync(TestEngine test, StartRequest request)
    {
        var id = await test.Engine.StartAsync(request) switch
        {
            StartOutcome.Started s => s.Run,
            StartOutcome.Existing e => e.Run,
            _ => throw new InvalidOperationException("conflict"),
        };
        await test.Engine.EndAsync(Tenant.Default, id);
        return id;
    }
}

public sealed class MapResultsOnSqliteTests() : MapResultsTests(TestDatabases.Sqlite);

public sealed class MapResultsOnPostgresTests() : MapResultsTests(TestDatabases.Postgres);
