using System.Globalization;
using System.Text;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class SwarmTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Run = "run: { namespace: test, name: child, version: latest }";
    private const string Hold = "run: { namespace: test, name: hold, version: latest }";
    private const string Flaky = "run: { namespace: test, name: flaky, version: latest }";

    private static string Swarm(string nodes, string with = "") => $"- all: {{ call: 'swarm:1.0.0@default', with: {{ {with} nodes: {{ {nodes} }} }} }}";

    private static void Define(TestEngine test)
    {
        test.Define("- look: { if: '${ .bad == true }', raise: { error: { type: 'https://example.com/errors/sour', status: 418, title: Sour } } }\n- give: { set: '${ {got: .} }' }", "child");
        test.Define("- slow: { call: 'hold:1.0.0@default', with: {} }", "hold");
        test.Define("- shaky: { call: 'flaky:1.0.0@default', with: {} }", "flaky");
    }

    private static async Task<List<RunRow>> ChildrenAsync(TestEngine test, Guid run) => await test.Database.ReadAsync(db =>
        RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run, null, 100_000)));

    [Fact]
    public async Task Members_start_when_what_they_need_is_there_and_see_its_results()
    {
        await using var test = await OpenAsync();
        Define(test);
        var run = await test.RunAsync(Swarm($"a: {{ {Run}, input: {{ n: 1 }} }}, b: {{ {Run}, input: {{ n: 2 }} }}, c: {{ {Run}, needs: [a, b], input: {{ sum: '${{ $needs.a.output.got.n + $needs.b.output.got.n }}' }} }}"));
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal("completed", run.State.Output["a"]["state"].AsString());
        Assert.Equal("3", run.State.Output["c"]["output"]["got"]["sum"].ToString());
    }

    [Fact]
    public async Task A_member_that_fails_takes_along_those_that_need_it_and_no_others()
    {
        await using var test = await OpenAsync();
        Define(test);
        var run = await test.RunAsync(Swarm($"a: {{ {Run}, input: {{ bad: true }} }}, b: {{ {Run}, needs: [a] }}, c: {{ {Run}, needs: [b] }}, d: {{ {Run}, input: {{}} }}"));
        var output = run.State.Output;
        Assert.Equal(["faulted", "skipped", "skipped", "completed"], output.AsObject().Select(m => m.Value["state"].AsString()));
        Assert.Equal(("418", "It needs 'a', which was faulted.", "It needs 'b', which was skipped."),
            (output["a"]["error"]["status"].ToString(), output["b"]["reason"].AsString(), output["c"]["reason"].AsString()));
    }

    [Fact]
    public async Task A_failure_ends_the_swarm_where_it_is_told_so()
    {
        await using var test = await OpenAsync();
        Define(test);
        var run = await test.RunAsync(Swarm($"a: {{ {Run}, input: {{ bad: true }} }}, b: {{ {Hold} }}", "onError: fail,"));
        Assert.Equal((RunPhase.Faulted, 418), (run.State.Phase, run.State.Error!.Status));
        foreach (var child in await ChildrenAsync(test, run.State.Id)) Assert.NotEqual(RunPhase.Completed, (await test.EndAsync(child.Id)).State.Phase);
    }

    [Fact]
    public async Task When_enough_members_have_completed_the_others_are_cancelled()
    {
        await using var test = await OpenAsync();
        Define(test);
        var run = await test.RunAsync(Swarm($"a: {{ {Hold} }}, b: {{ {Run}, input: {{}} }}, c: {{ {Run}, needs: [a] }}", "join: any,"));
        Assert.Equal(["cancelled", "completed", "cancelled"], run.State.Output.AsObject().Select(m => m.Value["state"].AsString()));
        var held = (await ChildrenAsync(test, run.State.Id)).Single(c => c.Definition.Name == "hold");
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(held.Id)).State.Phase);
    }

    [Fact]
    public async Task Too_few_members_fail_the_swarm()
    {
        await using var test = await OpenAsync();
        Define(test);
        var run = await test.RunAsync(Swarm($"a: {{ {Run}, input: {{ bad: true }} }}, b: {{ {Run}, input: {{}} }}", "join: 2,"));
        Assert.Equal("Too few members completed", run.State.Error!.Title);
    }

    [Fact]
    public async Task A_member_is_started_again_as_often_as_its_retries_allow_and_after_its_delay()
    {
        await using var test = await OpenAsync();
        Define(test);
        test.Functions.FailuresLeft = 2;
        var id = await test.StartAsync(test.Define(Swarm($"a: {{ {Flaky}, retry: {{ count: 2, delay: PT10S }} }}")));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, WakeAt: not null });
        await test.PassUntilAsync(test.EndAsync(id));
        var run = await test.HistoryAsync(id);
        Assert.Equal("fine", run.State.Output["a"]["output"].AsString());
        Assert.Equal(3, (await ChildrenAsync(test, id)).Count);
    }

    [Fact]
    public async Task A_member_that_takes_too_long_fails()
    {
        await using var test = await OpenAsync();
        Define(test);
        var id = await test.StartAsync(test.Define(Swarm($"a: {{ {Hold}, timeout: PT5S }}")));
        await test.Functions.Entered;
        await test.PassUntilAsync(test.EndAsync(id));
        Assert.Equal("408", (await test.HistoryAsync(id)).State.Output["a"]["error"]["status"].ToString());
    }

    [Fact]
    public async Task A_run_can_go_back_to_a_swarm_and_carry_out_what_had_failed_or_was_skipped()
    {
        await using var test = await OpenAsync();
        Define(test);
        test.Functions.FailuresLeft = 1;
        var id = await test.StartAsync(test.Define(Swarm($"a: {{ {Flaky} }}, b: {{ {Run}, needs: [a], input: {{}} }}, c: {{ {Run}, input: {{}} }}")));
        Assert.Equal("skipped", (await test.EndAsync(id)).State.Output["b"]["state"].AsString());
        await test.RedriveAsync(id, 1);
        var again = await test.EndAsync(id);
        Assert.Equal(["completed", "completed", "completed"], again.State.Output.AsObject().Select(m => m.Value["state"].AsString()));
        Assert.Equal(4, (await ChildrenAsync(test, id)).Count);
    }

    [Fact]
    public async Task A_thousand_members_in_ten_layers_are_carried_out_in_the_order_of_their_needs()
    {
        await using var test = await OpenAsync();
        test.Define("- give: { set: '${ ([.[].output] | max // 0) + 1 }' }", "child");
        var nodes = new StringBuilder();
        for (var layer = 0; layer < 10; layer++)
            for (var i = 0; i < 100; i++)
                nodes.Append(CultureInfo.InvariantCulture, $"n{layer}-{i}: {{ {Run}, input: '${{ $needs }}', needs: [{(layer == 0 ? "" : $"n{layer - 1}-{i}, n{layer - 1}-{(i * 7 + 1) % 100}")}] }}, ");
        var id = await test.StartAsync(test.Define(Swarm(nodes.ToString(), "concurrency: 100,")));
        await test.Engine.EndAsync(Tenant.Default, id).WaitAsync(TimeSpan.FromMinutes(2));
        var run = await test.HistoryAsync(id);
        Assert.Equal(1000, run.State.Output.AsObject().Count);
        foreach (var (name, result) in run.State.Output.AsObject().Members) Assert.Equal((name[1] - '0' + 1).ToString(CultureInfo.InvariantCulture), result["output"].ToString());
    }
}

public sealed class SwarmOnSqliteTests() : SwarmTests(TestDatabases.Sqlite);

public sealed class SwarmOnPostgresTests() : SwarmTests(TestDatabases.Postgres);
