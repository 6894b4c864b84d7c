using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Tests.Fakes;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>Workers that stand still, come back or die while others live. See docs/faults.md.</summary>
public abstract class WorkerFaults(TestDatabases databases) : EngineSuite(databases)
{
    private const string HoldThenCount = """
        - first: { call: 'hold:1.0.0@default', with: {} }
        - second: { call: 'count:1.0.0@default', with: { n: 2 } }
        """;

    private static readonly EngineSettings Shared = new() { Alone = false };

    [Fact]
    public async Task Fault_7_a_zombie_that_returns_after_its_lease_expired_writes_nothing_and_begins_anew()
    {
        await using var test = await OpenAsync(Shared);
        var id = await test.StartAsync(test.Define(HoldThenCount));
        await test.Functions.Entered;
        var zombie = (await test.RowAsync(id)).Lease;
        test.Database.Freeze();

        var (successor, _) = await test.JoinAsync();
        await using var _1 = successor;
        await test.PassUntilAsync(id, r => r.Lease is { } lease && lease != zombie);

        // Both have the step's result now; the zombie's record waits at the frozen door.
        test.Functions.Open();
        await test.PassUntilAsync(id, r => r.IsFinished);
        var finished = await FinishedAsync(test, id);
        test.Database.Thaw();

        // It notices, takes a new lease and is of use again.
        await test.PassUntilAsync(AliveAgainAsync(test, zombie!.Value));
        var next = await test.StartAsync(test.Define("- one: { set: { a: 1 } }", "next"));
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(next, r => r.IsFinished)).State);
        Assert.Equal(finished, await FinishedAsync(test, id));
        Assert.Equal([1, 2], test.Functions.Ledger.OrderBy(l => l.Value).Select(l => l.Value));
    }

    [Fact]
    public async Task Fault_8_two_that_recover_the_same_runs_share_them_and_do_nothing_twice()
    {
        const int Runs = 60;
        await using var test = await OpenAsync(Shared);
        var workflow = test.Define(HoldThenCount);
        var ids = new List<Guid>();
        for (var i = 0; i < Runs; i++) ids.Add(await test.StartAsync(workflow));
        await test.Functions.Entered;
        var (one, _) = await test.JoinAsync();
        await using var _1 = one;
        var (two, _) = await test.JoinAsync();
        await using var _2 = two;
        test.Database.Die();
        test.Functions.Open();
        foreach (var id in ids) await test.PassUntilAsync(id, r => r.IsFinished);

        var rows = await test.Disk.ReadAsync(db => ids.Select(id => RunStore.Get(db, Tenant.Default, id)!).ToList());
        Assert.All(rows, r => Assert.Equal((RunPhase.Completed, null), (r.State, r.Lease)));
        // The second step of each run is begun once: nobody took a run that the other had.
        Assert.All(test.Functions.Ledger.Where(l => l.Key.EndsWith("-2", StringComparison.Ordinal)), l => Assert.Equal(1, l.Value));
        var ends = await test.Disk.ReadAsync(db => db.Query("select count(*) from journal where state is not null and state >= 4 group by run", r => r.Long(0)));
        Assert.Equal(Enumerable.Repeat(1L, Runs), ends);
    }

    [Fact]
    public async Task Fault_9_recovery_leaves_a_finished_run_as_it_is()
    {
        await using var test = await OpenAsync(Shared);
        var run = await test.RunAsync("- one: { call: 'count:1.0.0@default', with: {} }");
        // Its row carries the dead worker's lease, as if freeing it had been forgotten.
        await test.Disk.WriteAsync(db => db.Execute("update run set lease = (select max(id) from lease)"));
        var before = await FinishedAsync(test, run.State.Id);
        await test.CrashAsync();
        await test.ReopenAsync();
        var other = await test.StartAsync(test.Define("- rest: { wait: PT30S }", "other"));
        await test.PassUntilAsync(other, r => r.IsFinished);
        var after = await FinishedAsync(test, run.State.Id);
        Assert.Equal((before.Records, before.Row.State, before.Row.EndedAt), (after.Records, after.Row.State, after.Row.EndedAt));
        Assert.Equal(1, Assert.Single(test.Functions.Ledger).Value);
    }

    [Fact]
    public async Task Fault_15_timers_missed_while_everything_was_down_for_three_days_fire_once()
    {
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("""
            - rest: { wait: PT1H }
            - then: { call: 'count:1.0.0@default', with: {} }
            """));
        await test.UntilAsync(id, r => r.State == RunPhase.Waiting);
        await test.CrashAsync();
        test.Time.Advance(TimeSpan.FromDays(3));
        await test.ReopenAsync();
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.Equal(1, Assert.Single(test.Functions.Ledger).Value);
    }

    /// <summary>Due times are the database's: a process whose own clock is wrong writes none that is late for others, and wakes nothing early.</summary>
    [Fact]
    public async Task Fault_15_a_worker_whose_clock_is_an_hour_ahead_or_jumps_back_an_hour_wakes_runs_in_time_and_none_early()
    {
        await using var test = await OpenAsync(Shared);
        var clock = new SkewedTime(test.Time) { Off = TimeSpan.FromHours(1) };
        var (wrong, _) = await test.JoinAsync(clock);
        await using var _1 = wrong;
        var workflow = test.Define("- rest: { wait: PT1M }");

        // Begun by the right one, both may end it; begun by the wrong one as well.
        foreach (var engine in new[] { test.Engine, wrong })
        {
            var begun = test.Time.GetUtcNow();
            var id = await StartAsync(engine, workflow);
            var row = await test.PassUntilAsync(id, r => r.WakeAt is not null);
            Assert.InRange(Time(row.WakeAt!.Value) - begun, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.5));
            await test.PassUntilAsync(id, r => r.IsFinished);
            Assert.InRange(test.Time.GetUtcNow() - begun, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.5));
        }

        // Alone now, and its clock goes two hours back while the run waits.
        test.Database.Die();
        var last = test.Time.GetUtcNow();
        var alone = await StartAsync(wrong, workflow);
        await test.PassUntilAsync(alone, r => r.WakeAt is not null);
        clock.Off = TimeSpan.FromHours(-1);
        var ended = await test.PassUntilAsync(alone, r => r.IsFinished);
        Assert.InRange(test.Time.GetUtcNow() - last, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.5));
        Assert.InRange(Time(ended.EndedAt!.Value) - last, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1.5));
    }

    /// <summary>A store that hangs must find as much to do when it comes back as one thing each that was wanted, and not one for every try.</summary>
    [Fact]
    public async Task Fault_17_a_store_that_hangs_is_not_asked_again_and_again_and_everything_goes_on_when_it_answers()
    {
        await using var test = await OpenAsync(Shared);
        var ids = new List<Guid>();
        var workflow = test.Define("- again: { try: [ { call: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT1S, limit: { attempt: { count: 1000 } } } } }");
        test.Functions.FailuresLeft = 40;
        for (var i = 0; i < 20; i++) ids.Add(await test.StartAsync(workflow));
        test.Database.Freeze();
        var before = test.Database.Writes;
        for (var i = 0; i < 240; i++)
        {
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Yield();
        }

        // Two minutes: at most a record that each run was about to write, a heartbeat and a claim.
        Assert.InRange(test.Database.Writes - before, 0, 20 + 2);
        test.Database.Thaw();
        foreach (var id in ids) Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(id, r => r.IsFinished)).State);
    }

    [Fact]
    public async Task Fault_18_a_heartbeat_is_one_write_for_each_worker_however_many_runs_it_holds()
    {
        const int Workers = 500, Runs = 300;
        await using var test = await OpenAsync(Shared);
        var workflow = test.Define(HoldThenCount);
        await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => test.StartAsync(workflow)));
        var databases = new List<CrashingDatabase> { test.Database };
        for (var i = 1; i < Workers; i++) databases.Add((await test.JoinAsync()).Database);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (test.Functions.Held.Count < Runs) await pulse.WaitForNextTickAsync(patience.Token);
        for (var beat = 1; beat <= 3; beat++)
        {
            var before = databases.ConvertAll(d => d.Writes);
            test.Time.Advance(test.Settings.LeaseTime / 4);
            while (databases.Where((d, i) => d.Writes == before[i]).Any()) await pulse.WaitForNextTickAsync(patience.Token);
            Assert.All(databases.Zip(before), d => Assert.Equal(d.Second + 1, d.First.Writes));
        }

        databases.ForEach(d => d.Die());
    }

    private static DateTimeOffset Time(long micros) => DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    private static async Task<Guid> StartAsync(DurableEngine engine, Workflow workflow) =>
        ((StartOutcome.Started)await engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.EmptyObject))).Run;

    private static async Task AliveAgainAsync(TestEngine test, long after)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (!await test.Engine.IsAliveAsync() || await test.Disk.ReadAsync(db => db.First("select alive from lease where id = $1", r => r.Long(0), 0L, after)) == 1)
            await pulse.WaitForNextTickAsync(patience.Token);
    }

    private static async Task<(RunRow Row, string Records)> FinishedAsync(TestEngine test, Guid run) => (
        await test.Disk.ReadAsync(db => RunStore.Get(db, Tenant.Default, run)!),
        string.Join('\n', await test.Disk.ReadAsync(db => db.Query("select entries from journal where run = $1 order by seq", r => System.Text.Encoding.UTF8.GetString(r.Bytes(0)), run))));
}

public sealed class WorkerFaultsOnSqlite() : WorkerFaults(TestDatabases.Sqlite);

public sealed class WorkerFaultsOnPostgres() : WorkerFaults(TestDatabases.Postgres);
