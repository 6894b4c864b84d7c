using Millrace.Engine.Execution;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Storage;
using Millrace.Tests.Checks;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>Whoever asks a run that has not ended is told what it waits for, since when, and what will wake it. See docs/faults.md.</summary>
public abstract class WaitingFaults(TestDatabases databases) : EngineSuite(databases)
{
    [Theory]
    [InlineData(WaitKind.Timer, true, "- a: { wait: PT1H }")]
    [InlineData(WaitKind.Effect, false, "- a: { call: 'hold:1.0.0@default', with: {} }")]
    [InlineData(WaitKind.Effect, true, "- a: { call: 'hold:1.0.0@default', with: {}, timeout: { after: PT1M } }")]
    [InlineData(WaitKind.Retry, true, "- a: { try: [ { x: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT1H, limit: { attempt: { count: 5 } } } } }")]
    [InlineData(WaitKind.Child, false, "- a: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }")]
    [InlineData(WaitKind.Child, false, "- a: { call: 'map:1.0.0@default', with: { in: [ 1, 2, 3 ], do: { namespace: test, name: child, version: ^1.0 } } }")]
    [InlineData(WaitKind.Event, false, "- a: { listen: { to: { one: { with: { type: wanted } } } } }")]
    [InlineData(WaitKind.Event, true, "- a: { listen: { to: { one: { with: { type: wanted } } } }, timeout: { after: PT1M } }")]
    [InlineData(WaitKind.Person, false, "- a: { call: 'approve:1.0.0@default', with: { title: Really? } }")]
    [InlineData(WaitKind.Person, true, "- a: { call: 'approve:1.0.0@default', with: { title: Really?, expire: { after: PT1H, outcome: reject } } }")]
    public async Task Fault_28_an_unfinished_run_says_what_it_waits_for_since_when_and_what_wakes_it(WaitKind on, bool wakes, string tasks)
    {
        await using var test = await OpenAsync();
        test.Functions.FailuresLeft = 1;
        test.Define("- rest: { wait: PT2H }", "child");
        var began = Micros(test);
        var id = await test.StartAsync(test.Define(tasks));
        if (on == WaitKind.Effect) await test.Functions.Entered;
        else await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });

        test.Time.Advance(TimeSpan.FromSeconds(1));
        var wait = Assert.Single((await test.HistoryAsync(id)).Waiting());
        Assert.Equal((on, began, wakes), (wait.On, wait.Since, wait.WakeAt > Micros(test)));
        Assert.StartsWith("'a' ", wait.Detail, StringComparison.Ordinal);
        Assert.Empty(await FaultsAsync(test));

        Assert.Equal(ControlOutcome.Accepted, await test.Engine.SuspendAsync(Tenant.Default, id, "night"));
        if (on != WaitKind.Effect)
        {
            await test.UntilAsync(id, r => r is { State: RunPhase.Suspended, Lease: null });
            Assert.Equal((WaitKind.Resume, "It is suspended (night) until somebody resumes it."), Assert.Single((await test.HistoryAsync(id)).Waiting()) is var held ? (held.On, held.Detail) : default);
        }
        test.Functions.Open();
    }

    /// <summary>Every engine test ends with this question, and the simulation asks it every few seconds; so it must find what is wrong.</summary>
    [Fact]
    public async Task Fault_28_a_run_that_nothing_will_wake_is_found()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }"));
        var wakeAt = (await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null })).WakeAt!.Value;
        await test.Disk.WriteAsync(db => db.Execute("update run set wake_at = null where id = $1", id));
        Assert.Contains(await FaultsAsync(test), f => f == $"run {id} has not ended, and nothing will wake it");
        await test.Disk.WriteAsync(db => db.Execute("update run set wake_at = $1 where id = $2", wakeAt + 1, id));
        Assert.Contains("says that time wakes it", Assert.Single(await FaultsAsync(test)), StringComparison.Ordinal);
        await test.Disk.WriteAsync(db => db.Execute("update run set wake_at = $1 where id = $2", wakeAt, id));
        Assert.Empty(await FaultsAsync(test));
    }

    private static long Micros(TestEngine test) => (test.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static Task<List<string>> FaultsAsync(TestEngine test) => Wakeable.FaultsAsync(test.Disk, test.Blobs, row => test.ByHashAsync(row.Tenant, row.Hash));
}

public sealed class WaitingFaultsOnSqlite() : WaitingFaults(TestDatabases.Sqlite);

public sealed class WaitingFaultsOnPostgres() : WaitingFaults(TestDatabases.Postgres);
