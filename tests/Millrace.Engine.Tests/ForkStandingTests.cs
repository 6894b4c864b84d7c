using Millrace.Engine.Forks;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Forks of runs that stand under others, or in the midst of events (docs/http.md, Forks).</summary>
public abstract class ForkStandingTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Hears = """
        - hear:
            listen: { to: { any: [ { with: { type: b } } ], until: { one: { with: { type: stop } } } } }
            foreach:
              do:
                - each: { call: 'NAME:1.0.0@default', with: { n: '${ $item }' } }
        """;

    private static int _ids;

    [Fact]
    public async Task A_fork_of_a_child_stands_alone_and_the_parent_never_hears_of_it()
    {
        await using var test = await OpenAsync();
        test.Define("- rest: { wait: PT10M }\n- give: { set: { done: true } }", "child");
        var parent = await test.StartAsync(test.Define("- spawn: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }"));
        var child = await ChildAsync(test, parent);
        await test.UntilAsync(child, r => r.State == RunPhase.Waiting);
        var fork = await ForkAsync(test, child);
        var row = await test.UntilAsync(fork, r => r.State == RunPhase.Waiting);
        Assert.Equal((null, null, 1, child), (row.Parent, row.ParentStep, row.Depth, row.Fork!.Run));

        // The parent's cancellation is its child's, and not the fork's.
        await test.Engine.CancelAsync(Tenant.Default, parent, "enough");
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(parent)).State.Phase);
        Assert.Equal(RunPhase.Cancelled, (await test.EndAsync(child)).State.Phase);
        test.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("""{"done":true}""", (await test.EndAsync(fork)).State.Output.ToString());
        Assert.Equal(RunPhase.Cancelled, (await test.RowAsync(parent)).State);
    }

    [Fact]
    public async Task Within_a_listen_window_it_keeps_what_was_consumed_and_hears_what_came_behind_the_cut_from_the_log()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Hears.Replace("NAME", "count", StringComparison.Ordinal)));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await SendAsync(test, "b", 1);
        await UntilAsync(test, id, () => test.Functions.Ledger.Count == 1);
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var cut = (await test.HistoryAsync(id)).State.Position;
        await SendAsync(test, "b", 2);
        await UntilAsync(test, id, () => test.Functions.Ledger.Count == 2);
        await SendAsync(test, "stop", 0);
        Assert.Equal("""[{"n":1},{"n":2}]""", (await test.EndAsync(id)).State.Output.ToString());

        var fork = await ForkAsync(test, id, cut);
        Assert.Equal("""[{"n":1},{"n":2}]""", (await test.EndAsync(fork)).State.Output.ToString());
        // What was done for the first event is not done again; for the second it is, under a key of the fork's own.
        Assert.Equal(3, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task In_the_midst_of_an_event_it_goes_on_with_that_event_and_both_hear_the_next()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define(Hears.Replace("NAME", "hold", StringComparison.Ordinal)));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await SendAsync(test, "b", 1);
        await test.Functions.Entered;
        var fork = await ForkAsync(test, id);
        await UntilAsync(test, fork, () => test.Functions.Ledger.Count == 2);
        test.Functions.Open();
        await test.UntilAsync(fork, r => r is { State: RunPhase.Waiting, Lease: null });
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        await SendAsync(test, "stop", 0);
        Assert.Equal("""["let go"]""", (await test.EndAsync(id)).State.Output.ToString());
        Assert.Equal("""["let go"]""", (await test.EndAsync(fork)).State.Output.ToString());
        Assert.Equal([1, 1], test.Functions.Ledger.Values);
    }

    [Fact]
    public async Task A_signal_that_the_run_has_not_heard_is_not_the_forks()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT10M }\n- hear: { listen: { to: { one: { with: { type: approved } } } } }"));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        await test.Engine.Signals.SendAsync(Tenant.Default, id, "approved", 1, null);
        var fork = await ForkAsync(test, id);
        await test.UntilAsync(fork, r => r.State == RunPhase.Waiting);
        test.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("[1]", (await test.EndAsync(id)).State.Output.ToString());
        await test.UntilAsync(fork, r => r is { State: RunPhase.Waiting, WakeAt: null, Lease: null });
        await SendAsync(test, "approved", 2);
        Assert.Equal("[2]", (await test.EndAsync(fork)).State.Output.ToString());
    }

    [Fact]
    public async Task For_an_item_that_has_a_key_it_does_the_same_under_that_key_and_something_else_under_another()
    {
        await using var test = await OpenAsync();
        test.Define("- one: { call: 'count:1.0.0@default', with: { n: '${ .n }' } }", "child");
        var parent = await test.StartAsync(test.Define("- all: { call: 'map:1.0.0@default', with: { in: [{ n: 1 }], do: { namespace: test, name: child, version: ^1.0 }, key: '${ $item.n }' } }"));
        await test.EndAsync(parent);
        var child = await ChildAsync(test, parent);
        await DoneAsync(child, null, [2]);
        var other = await DoneAsync(child, Json.Object("n", 7), [1, 2]);
        // What is done again of that is not what was done for the item either.
        await DoneAsync(other, null, [1, 1, 2]);

        async Task<Guid> DoneAsync(Guid run, Json? input, int[] done)
        {
            var outcome = await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, run, new ForkPoint.Before(1)) { Input = input });
            var fork = Assert.IsType<ForkOutcome.Started>(outcome).Run;
            await test.EndAsync(fork);
            Assert.Equal(done, test.Functions.Ledger.Values.Order());
            return fork;
        }
    }

    private static async Task SendAsync(TestEngine test, string type, Json data) => await test.Engine.Events.PublishAsync(Tenant.Default, [new JsonObject.Builder()
        .Set("specversion", "1.0").Set("id", $"fork{Interlocked.Increment(ref _ids)}").Set("source", "/test").Set("type", type).Set("data", data).Build()]);

    private static async Task<Guid> ChildAsync(TestEngine test, Guid parent)
    {
        Guid child = default;
        await UntilAsync(test, parent, () => child != default, async () => child = await test.Database.ReadAsync(db => db.First("select id from run where parent = $1", r => r.Id(0), default, parent)));
        return child;
    }

    /// <param name="behind">A record of it; the last one unless told.</param>
    private static async Task<Guid> ForkAsync(TestEngine test, Guid run, long? behind = null)
    {
        var outcome = await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, run, new ForkPoint.Behind(behind ?? (await test.HistoryAsync(run)).State.Position)));
        Assert.True(outcome is ForkOutcome.Started, outcome.ToString());
        return ((ForkOutcome.Started)outcome).Run;
    }

    private static async Task UntilAsync(TestEngine test, Guid run, Func<bool> holds, Func<Task>? look = null)
    {
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (!holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            await test.RowAsync(run);
            if (look is not null) await look();
        }
    }
}

public sealed class ForkStandingOnSqliteTests() : ForkStandingTests(TestDatabases.Sqlite);

public sealed class ForkStandingOnPostgresTests() : ForkStandingTests(TestDatabases.Postgres);
