using Millrace.Engine.DeadLetters;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>What a run did is undone before it ends without having completed.</summary>
public abstract class CompensationTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Broken = "- fail: { raise: { error: { type: 'https://example.com/e', status: 500, title: Broken, detail: It broke. } } }";

    /// <summary>A task that counts, and one that undoes it by counting further.</summary>
    private static string Doing(string name, int n) =>
        $"- {name}: {{ call: 'count:1.0.0@default', with: {{ n: {n} }}, metadata: {{ compensate: [ {{ undo{name}: {{ call: 'count:1.0.0@default', with: {{ undo: '${{ .n }}', of: '${{ $compensated.name }}' }} }} }} ] }} }}";

    private static IEnumerable<string> Undone(RunHistory history) =>
        history.Steps.Values.Where(s => s.Compensates is not null).Select(s => $"{s.Node.Name} {s.State.ToString().ToLowerInvariant()}");

    [Fact]
    public async Task A_run_that_faults_undoes_what_completed_the_last_first()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"{Doing("book", 1)}\n{Doing("pay", 2)}\n{Broken}");
        Assert.Equal((RunPhase.Faulted, "It broke."), (history.State.Ended, history.State.Error!.Detail));
        Assert.Equal(["undo pay completed", "undo book completed"], Undone(history));
        Assert.Equal([2, 1], history.Steps.Values.Where(s => s.Compensates is not null).Select(s => s.Compensates!.Value));
        Assert.Equal("""{"undo":2,"of":"pay"}""", history.Steps.Values.Single(s => s.Node.Name == "undopay").Output.ToString());
        Assert.Equal(4, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task A_run_that_completes_undoes_nothing()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"{Doing("book", 1)}\n{Doing("pay", 2)}");
        Assert.Equal(RunPhase.Completed, history.State.Ended);
        Assert.Empty(Undone(history));
    }

    [Fact]
    public async Task An_error_that_is_caught_undoes_nothing_yet()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"- all:\n    try:\n      {Doing("book", 1)}\n      {Broken}\n    catch: {{ do: [ {{ on: {{ set: {{ x: 1 }} }} }} ] }}\n{Doing("pay", 2)}\n{Broken}");
        Assert.Equal(["undo pay completed", "undo book completed"], Undone(history));
    }

    [Fact]
    public async Task Cancelling_cleans_up()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"{Doing("book", 1)}\n- rest: {{ wait: PT1H }}"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, run, "enough");
        var history = await test.EndAsync(run);
        Assert.Equal((RunPhase.Cancelled, "enough"), (history.State.Ended, history.State.Reason));
        Assert.Equal(["undo book completed"], Undone(history));
    }

    [Fact]
    public async Task Cancelling_a_suspended_run_cleans_up_at_once()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"{Doing("book", 1)}\n- rest: {{ wait: PT1H }}"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.SuspendAsync(Tenant.Default, run, null);
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, run, null);
        Assert.Equal(["undo book completed"], Undone(await test.EndAsync(run)));
    }

    [Fact]
    public async Task Cancelling_without_clean_up_undoes_nothing()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"{Doing("book", 1)}\n- rest: {{ wait: PT1H }}"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.StopAsync(Tenant.Default, run, null);
        Assert.Empty(Undone(await test.EndAsync(run)));
    }

    private const string Held = "- book: { call: 'count:1.0.0@default', with: { n: 1 }, metadata: { compensate: [ { slow: { call: 'hold:1.0.0@default', with: {} } } ] } }";

    [Fact]
    public async Task Cancelling_while_it_is_undone_changes_nothing_and_stopping_stops_it()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"{Doing("first", 1)}\n{Held}\n{Broken}"));
        await test.Functions.Entered;
        await test.Engine.CancelAsync(Tenant.Default, run, "once more");
        Assert.Equal(WaitKind.Effect, Assert.Single((await test.HistoryAsync(run)).Waiting()).On);
        await test.Engine.StopAsync(Tenant.Default, run, "that is enough");
        var history = await test.EndAsync(run);
        Assert.Equal((RunPhase.Cancelled, "that is enough"), (history.State.Ended, history.State.Reason));
        Assert.Equal(["undo book cancelled"], Undone(history));
    }

    [Fact]
    public async Task A_handler_that_fails_keeps_no_other_from_running_and_the_run_tells_of_it()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"{Doing("book", 1)}\n- pay: {{ set: {{ n: 1 }}, metadata: {{ compensate: [ {{ no: {{ call: 'broken:1.0.0@default', with: {{}} }} }} ] }} }}\n{Broken}");
        Assert.Equal(["undo pay faulted", "undo book completed"], Undone(history));
        Assert.Equal("It broke. Not undone: pay.", history.State.Error!.Detail);
    }

    [Fact]
    public async Task A_step_with_a_handler_stands_for_what_was_done_inside_it()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"- all:\n    do:\n      {Doing("book", 1)}\n    metadata: {{ compensate: [ {{ whole: {{ set: {{ x: 1 }} }} }} ] }}\n{Broken}");
        Assert.Equal(["undo all completed"], Undone(history));
    }

    [Fact]
    public async Task End_ends_the_handler_and_not_the_run()
    {
        await using var test = await OpenAsync();
        var history = await test.RunAsync($"{Doing("book", 1)}\n- pay: {{ set: {{ n: 1 }}, metadata: {{ compensate: [ {{ a: {{ set: {{ x: 1 }}, then: end }} }}, {{ b: {{ call: 'count:1.0.0@default', with: {{ n: 9 }} }} }} ] }} }}\n{Broken}");
        Assert.Equal((RunPhase.Faulted, 2), (history.State.Ended, test.Functions.Ledger.Count));
        Assert.Equal(["undo pay completed", "undo book completed"], Undone(history));
    }

    [Fact]
    public async Task The_run_s_own_timeout_undoes_what_was_done_and_does_not_cut_that_short()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"- book: {{ set: {{ n: 1 }}, metadata: {{ compensate: [ {{ long: {{ wait: PT1M }} }} ] }} }}\n- rest: {{ wait: PT1H }}", extra: "timeout: { after: PT10S }"));
        await test.PassUntilAsync(run, r => r.IsFinished);
        var history = await test.HistoryAsync(run);
        Assert.Equal(408, history.State.Error!.Status);
        Assert.Equal(["undo book completed"], Undone(history));
    }

    /// <summary>Nobody could say what was to be undone when its definition was gone. Whoever goes on for it can, when that is back.</summary>
    [Fact]
    public async Task A_run_that_is_given_up_undoes_nothing_and_who_goes_on_for_it_undoes_what_it_did()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define($"{Doing("book", 1)}\n- rest: {{ wait: PT1H }}\n{Broken}");
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.CrashAsync();
        test.Forget(workflow);
        await test.ReopenAsync();
        test.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal("Definition not found", (await test.PassUntilAsync(run, r => r.IsFinished)).Error!.Title);
        Assert.Single(test.Functions.Ledger);
        test.Remember(workflow);
        var letter = Assert.Single(await test.Disk.ReadAsync(db => DeadLetterStore.List(db, Tenant.Default, new DeadLetterFilter(null, null, null, null, 10))));
        var again = (await test.Engine.DeadLetters.RequeueAsync(letter)).Run!.Value;
        await test.PassUntilAsync(again, r => r.IsFinished);
        var history = await test.HistoryAsync(again);
        Assert.Equal("It broke.", history.State.Error!.Detail);
        Assert.Equal(["undo book completed"], Undone(history));
        Assert.Equal(2, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task Children_that_are_cancelled_clean_up_as_well()
    {
        await using var test = await OpenAsync();
        test.Define($"{Doing("book", 1)}\n- rest: {{ wait: PT1H }}", "child");
        var run = await test.StartAsync(test.Define("- child: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var child = (await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, run, null, 2)))).Single().Id;
        await test.UntilAsync(child, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.Engine.CancelAsync(Tenant.Default, run, null);
        Assert.Equal(["undo book completed"], Undone(await test.EndAsync(child)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_undoes_each_step_once(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            var run = await Story.StartAsync(test, test.Define($"{Doing("book", 1)}\n{Doing("pay", 2)}\n- rest: {{ wait: PT1S }}\n{Broken}"));
            await test.Engine.EndAsync(Tenant.Default, run);
        }, async test =>
        {
            var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
            Assert.Equal((RunPhase.Faulted, "It broke."), (run.State, run.Error!.Detail));
            // Keys are those of the steps: what was repeated after a crash was repeated under the same one.
            Assert.Equal(4, test.Functions.Ledger.Count);
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }
}

public sealed class CompensationOnSqliteTests() : CompensationTests(TestDatabases.Sqlite);
public sealed class CompensationOnPostgresTests() : CompensationTests(TestDatabases.Postgres);
