using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Documents;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Scheduling;

public abstract class ScheduleTests(TestDatabases databases) : EngineSuite(databases)
{
    /// <summary>Nobody looks after schedules but the test, and no heart beats meanwhile.</summary>
    private static readonly EngineSettings Quiet = new() { Schedules = false, Alone = false, LeaseTime = TimeSpan.FromDays(30) };

    private const string Short = "- one: { set: { done: true } }";
    private const string Held = "- one: { call: 'hold:1.0.0@default', with: {} }";

    [Fact]
    public async Task A_tick_starts_a_run_that_says_what_started_it_and_on_what()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H", policy: "input: { n: 7 }");
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromMinutes(59)));
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromMinutes(1)));

        var started = Assert.Single(await RunsAsync(test, schedule));
        var run = await test.EndAsync(started.Run);
        Assert.Equal(RunPhase.Completed, run.State.Phase);
        Assert.Equal(new RunTrigger(schedule, started.Tick), run.State.Trigger);
        Assert.Equal(run.State.Trigger, (await test.RowAsync(started.Run)).Trigger);
        Assert.Equal(7, run.State.Input["n"].AsNumber());
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromMinutes(59)));
    }

    [Fact]
    public async Task A_fork_of_a_ticks_run_and_what_it_goes_on_as_are_not_the_schedules()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H", "overlap: skip, input: { n: 1 }", "- next: { if: '${ $workflow.input.n == 1 }', call: 'continue:1.0.0@default', with: { input: { n: 2 } } }");
        await PassAsync(test, TimeSpan.FromHours(1));
        var run = Assert.Single(await RunsAsync(test, schedule)).Run;
        var next = await NextAsync(run);
        Assert.Equal(schedule, (await test.RowAsync(next)).Trigger?.Schedule);

        var fork = Assert.IsType<ForkOutcome.Started>(await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, run, new ForkPoint.Before(1)))).Run;
        var onward = await NextAsync(fork);
        foreach (var id in (Guid[])[fork, onward]) Assert.Equal((null, null), ((await test.RowAsync(id)).Trigger, (await test.HistoryAsync(id)).State.Trigger));
        Assert.Equal([next], await test.Disk.ReadAsync(db => db.Query("select run from schedule_end", r => r.Id(0))));

        async Task<Guid> NextAsync(Guid before)
        {
            var after = Guid.Parse((await test.EndAsync(before)).State.Output["continuedBy"].AsString());
            Assert.Equal(RunPhase.Completed, (await test.EndAsync(after)).State.Phase);
            return after;
        }
    }

    [Fact]
    public async Task A_tick_that_a_backfill_took_before_its_time_came_starts_no_other_run_and_stops_no_other_schedule()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H", policy: "jitter: PT50M");
        await FollowAsync(test, "every: PT2H", name: "other");
        var row = await RowAsync(test);
        var (tick, at) = (row.NextTick!.Value, row.NextAt!.Value);
        Assert.True(at > tick, "the jitter of this schedule is none");
        await PassAsync(test, TimeSpan.FromMicroseconds((tick + at) / 2 - test.Engine.Worker.Now));
        var (_, done) = (await test.Engine.Schedules.BackfillAsync(Tenant.Default, "test", "job", tick, test.Engine.Worker.Now))!.Value;
        Assert.Equal((1, 0), (done!.Started, done.Known));

        Assert.Equal(0, await PassAsync(test, TimeSpan.FromMicroseconds(at - test.Engine.Worker.Now)));
        Assert.Equal(tick, Assert.Single(await RunsAsync(test, schedule)).Tick);
        Assert.True((await RowAsync(test)).NextTick > tick);
        Assert.InRange(await PassAsync(test, TimeSpan.FromHours(2)), 2, 3);
    }

    [Fact]
    public async Task The_loop_sleeps_until_the_next_is_due()
    {
        await using var test = await OpenAsync(Quiet with { Schedules = true });
        var schedule = await FollowAsync(test, "cron: '0 0 8 * * *'");
        await PassUntilAsync(test, async () => (await RunsAsync(test, schedule)).Count == 2, TimeSpan.FromMinutes(30));
        foreach (var started in await RunsAsync(test, schedule)) await test.PassUntilAsync(started.Run, r => r.IsFinished);
    }

    [Fact]
    public async Task Fault_15_two_schedulers_start_one_run_for_each_tick()
    {
        await using var test = await OpenAsync(Quiet with { Schedules = true });
        var (other, _) = await test.JoinAsync();
        var schedules = new List<Guid>();
        for (var i = 0; i < 40; i++) schedules.Add(await FollowAsync(test, "every: PT1M", "catchUp: { mode: all }", name: $"job{i}"));
        await PassUntilAsync(test, async () =>
        {
            var counts = new List<int>();
            foreach (var schedule in schedules) counts.Add((await RunsAsync(test, schedule)).Count);
            return counts.Min() >= 5;
        }, TimeSpan.FromSeconds(5));
        foreach (var schedule in schedules)
        {
            var runs = await RunsAsync(test, schedule);
            Assert.Equal(runs.Count, runs.Select(r => r.Run).Distinct().Count());
            Assert.All(runs.Zip(runs.Skip(1)), pair => Assert.Equal(60_000_000, pair.First.Tick - pair.Second.Tick));
        }
        Assert.Equal(await CountAsync(test, "select count(*) from schedule_run"), await CountAsync(test, "select count(*) from run"));
        await other.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_the_start_of_a_run_neither_loses_the_tick_nor_doubles_it(bool afterCommit)
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H");
        test.Time.Advance(TimeSpan.FromHours(1));
        // The sweep writes first.
        (test.Database.DieAt, test.Database.AfterCommit) = (test.Database.Writes + 2, afterCommit);
        _ = test.Engine.Worker.Schedules.RunOnceAsync();
        await test.Database.Died.WaitAsync(TestEngine.Patience);
        await test.CrashAsync();
        await test.ReopenAsync();
        Assert.Equal(afterCommit ? 1 : 0, (await RunsAsync(test, schedule)).Count);
        await test.Engine.Worker.Schedules.RunOnceAsync();
        var started = Assert.Single(await RunsAsync(test, schedule));
        await test.PassUntilAsync(started.Run, r => r.State == RunPhase.Completed);
    }

    [Fact]
    public async Task The_end_of_a_run_begins_the_next_however_often_the_process_dies_between()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "after: PT10M", tasks: Held);
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromMinutes(10)));
        await test.Functions.Entered;
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromHours(5)));
        test.Functions.Open();
        var first = Assert.Single(await RunsAsync(test, schedule));
        await test.PassUntilAsync(first.Run, r => r.IsFinished);
        await test.CrashAsync();
        await test.ReopenAsync();

        await PassAsync(test, TimeSpan.Zero);
        var ended = (await test.RowAsync(first.Run)).EndedAt!.Value;
        Assert.Equal(ended + 600_000_000, (await RowAsync(test)).NextAt);
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromMinutes(10)));
    }

    [Fact]
    public async Task An_end_that_nobody_told_of_is_found()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "after: PT10M", tasks: Held);
        await PassAsync(test, TimeSpan.FromMinutes(10));
        await test.Functions.Entered;
        test.Functions.Open();
        var first = Assert.Single(await RunsAsync(test, schedule));
        await test.PassUntilAsync(first.Run, r => r.IsFinished);
        // As a build that knows no schedules would have left it.
        await test.Disk.WriteAsync(db => db.Execute("delete from schedule_end"));
        await PassAsync(test, TimeSpan.Zero);
        Assert.Null((await RowAsync(test)).NextAt);
        await PassAsync(test, TimeSpan.FromMinutes(5));
        Assert.NotNull((await RowAsync(test)).NextAt);
    }

    [Fact]
    public async Task The_end_of_a_run_whose_schedule_is_gone_is_forgotten()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "after: PT10M");
        await PassAsync(test, TimeSpan.FromMinutes(10));
        var first = Assert.Single(await RunsAsync(test, schedule));
        await FollowAsync(test, null, version: "1.0.1");
        await test.PassUntilAsync(first.Run, r => r.IsFinished);
        await PassAsync(test, TimeSpan.Zero);
        Assert.Equal(0, await CountAsync(test, "select count(*) from schedule_end"));
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_followed_here_says_why_and_is_tried_again()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "cron: '0 * * * *'", "timeZone: Europe/Berlin");
        await FollowAsync(test, "every: PT1H", name: "other");
        await test.Disk.WriteAsync(db => db.Execute("update schedule set source = replace(source, 'Europe/Berlin', 'Europe/Atlantis')"));
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromHours(1)));
        Assert.Contains("Atlantis", (await RowAsync(test)).Error, StringComparison.Ordinal);
        await test.Disk.WriteAsync(db => db.Execute("update schedule set source = replace(source, 'Europe/Atlantis', 'Europe/Berlin')"));
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromMinutes(1)));
        Assert.Null((await RowAsync(test)).Error);
        Assert.Single(await RunsAsync(test, schedule));
    }

    [Fact]
    public async Task The_run_under_way_is_cancelled_and_the_next_begins_when_it_has_ended()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1M", "overlap: cancelOther", Held);
        await PassAsync(test, TimeSpan.FromMinutes(1));
        await test.Functions.Entered;
        var first = Assert.Single(await RunsAsync(test, schedule)).Run;
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromMinutes(1)));
        Assert.Equal(RunPhase.Cancelled, (await test.PassUntilAsync(first, r => r.IsFinished)).State);
        Assert.Equal("its schedule has come to its next time", (await test.RowAsync(first)).Reason);
        await PassAsync(test, TimeSpan.Zero);
        Assert.Equal(2, (await RunsAsync(test, schedule)).Count);
    }

    [Fact]
    public async Task While_it_is_paused_nothing_begins_and_nothing_is_made_up_for()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H", "catchUp: { mode: all }");
        Assert.True((await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "job", paused: true))!.Paused);
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromHours(5)));
        var resumed = await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "job", paused: false);
        Assert.Equal((false, (await RowAsync(test)).Anchor + 6 * 3_600_000_000L), (resumed!.Paused, resumed.NextAt));
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromHours(1)));
        Assert.Null(await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "none", paused: true));
    }

    [Fact]
    public async Task A_new_latest_version_takes_over_and_keeps_what_is_due()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT2H");
        await PassAsync(test, TimeSpan.FromHours(1));
        var before = await RowAsync(test);
        await FollowAsync(test, "every: PT2H", version: "1.0.1");
        Assert.Equal((before.NextAt, "1.0.1"), ((await RowAsync(test)).NextAt, (await RowAsync(test)).Definition.Version));
        await FollowAsync(test, "every: PT30M", version: "1.0.2");
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromMinutes(30)));
        Assert.Equal("1.0.2", (await test.RowAsync((await RunsAsync(test, schedule))[0].Run)).Definition.Version);
        await FollowAsync(test, null, version: "1.0.3");
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromHours(9)));
        Assert.Null(await test.Disk.ReadAsync(db => ScheduleStore.Find(db, Tenant.Default, "test", "job")));
    }

    [Fact]
    public async Task A_backfill_starts_what_has_not_been_started()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "cron: '0 * * * *'", "overlap: skip");
        await PassAsync(test, TimeSpan.FromHours(1));
        await test.PassUntilAsync((await RunsAsync(test, schedule))[0].Run, r => r.IsFinished);
        var now = (await RunsAsync(test, schedule))[0].Tick;
        var (_, done) = (await test.Engine.Schedules.BackfillAsync(Tenant.Default, "test", "job", now - 86_400_000_000, now))!.Value;
        Assert.Equal((24, 1), (done!.Started, done.Known));
        (_, done) = (await test.Engine.Schedules.BackfillAsync(Tenant.Default, "test", "job", now - 86_400_000_000, now + 86_400_000_000))!.Value;
        Assert.Equal((0, 25), (done!.Started, done.Known));
        (_, done) = (await test.Engine.Schedules.BackfillAsync(Tenant.Default, "test", "job", 0, now))!.Value;
        Assert.Null(done);
        Assert.Equal(25, (await RunsAsync(test, schedule)).Count);
    }

    [Fact]
    public async Task A_run_that_somebody_wants_begins_at_once_and_once_for_each_key()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H");
        await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "job", paused: true);
        var (first, started) = (await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "job", "key"))!.Value;
        Assert.True(started);
        Assert.Equal((first, false), (await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "job", "key"))!.Value);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(first)).State.Phase);
        // At the very same microsecond.
        await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "job", null);
        await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "job", null);
        Assert.Equal(3, (await RunsAsync(test, schedule)).Count);
        Assert.Null(await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "none", null));
    }

    [Fact]
    public async Task A_tick_that_has_started_a_run_starts_no_other_though_the_schedule_came_back()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "cron: '0 * * * *'");
        await PassAsync(test, TimeSpan.FromHours(1));
        await FollowAsync(test, null, version: "1.0.1");
        test.Time.Advance(TimeSpan.FromMinutes(-10));
        await FollowAsync(test, "cron: '0 * * * *'", version: "1.0.2");
        Assert.Equal(0, await PassAsync(test, TimeSpan.FromMinutes(10)));
        Assert.Single(await RunsAsync(test, schedule));
    }

    [Fact]
    public async Task A_clock_that_was_far_ahead_does_not_end_the_schedule()
    {
        await using var test = await OpenAsync(Quiet);
        var schedule = await FollowAsync(test, "every: PT1H");
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromHours(8)));
        test.Time.Advance(TimeSpan.FromHours(-8));
        await test.CrashAsync();
        await test.ReopenAsync();
        Assert.Equal(0, await PassAsync(test, TimeSpan.Zero));
        Assert.Equal(1, await PassAsync(test, TimeSpan.FromHours(1)));
    }

    /// <summary>Does what pushing a version as the latest does.</summary>
    private static async Task<Guid> FollowAsync(TestEngine test, string? schedule, string policy = "", string tasks = Short, string name = "job", string version = "1.0.0")
    {
        var loaded = WorkflowLoader.Load($"""
            document: {"{"} dsl: 1.0.3, namespace: test, name: {name}, version: {version}, metadata: {"{"} schedule: {"{"} {policy} {"}"} {"}"} {"}"}
            {(schedule is null ? "" : $"schedule: {{ {schedule} }}")}
            do:
            {tasks}
            """);
        Assert.True(loaded.IsExecutable, string.Join("\n", loaded.Diagnostics));
        test.Remember(loaded.Workflow!);
        await test.Disk.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, loaded.Workflow!, test.Engine.Worker.Now);
            return 0;
        });
        return ScheduleRow.IdOf(Tenant.Default, "test", name);
    }

    /// <summary>Lets time pass and looks after schedules once.</summary>
    /// <returns>Runs that were started.</returns>
    private static async Task<int> PassAsync(TestEngine test, TimeSpan time)
    {
        test.Time.Advance(time);
        var before = await CountAsync(test, "select count(*) from run");
        await test.Engine.Worker.Schedules.RunOnceAsync();
        return (int)(await CountAsync(test, "select count(*) from run") - before);
    }

    private static async Task PassUntilAsync(TestEngine test, Func<Task<bool>> says, TimeSpan step)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        // Days pass here, and every poll of every loop falls into them.
        using var patience = new CancellationTokenSource(TestEngine.Patience * 4);
        while (!await says())
        {
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(step);
        }
    }

    private static Task<List<ScheduledRun>> RunsAsync(TestEngine test, Guid schedule) =>
        test.Disk.ReadAsync(db => ScheduleStore.Runs(db, Tenant.Default, schedule, 10_000));

    private static Task<ScheduleRow> RowAsync(TestEngine test) => test.Disk.ReadAsync(db => ScheduleStore.Find(db, Tenant.Default, "test", "job")!);

    private static Task<long> CountAsync(TestEngine test, string sql) => test.Disk.ReadAsync(db => db.First(sql, r => r.Long(0), 0L));
}

public sealed class SchedulesOnSqliteTests() : ScheduleTests(TestDatabases.Sqlite);

public sealed class SchedulesOnPostgresTests() : ScheduleTests(TestDatabases.Postgres);
