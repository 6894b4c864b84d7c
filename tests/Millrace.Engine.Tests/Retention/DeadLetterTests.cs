using Millrace.Engine.DeadLetters;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Retention;

/// <summary>Events and schedules that could not start their runs.</summary>
public abstract class DeadLetterTests(TestDatabases databases) : EngineSuite(databases)
{
    [Fact]
    public async Task An_event_whose_definition_cannot_be_read_is_put_aside_and_starts_its_run_once_when_it_can()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- count: { call: 'count:1.0.0@default', with: { n: '${ .[0].data }' } }", extra: "schedule: { on: { one: { with: { type: wanted } } } }");
        await test.Disk.WriteAsync(db =>
        {
            TriggerStore.Follow(db, Tenant.Default, workflow, now: 0);
            return 0;
        });
        test.Forget(workflow);
        await test.Engine.Events.PublishAsync(Tenant.Default, [Wanted("e1")]);
        // The same event again, as a sender does that heard nothing.
        await test.Engine.Events.PublishAsync(Tenant.Default, [Wanted("e1")]);
        var letter = Assert.Single(await LettersAsync(test));
        Assert.Equal((DeadLetterKind.Event, "event.start_failed", "test/test", "/test e1 test/test"), (letter.Kind, letter.Reason, letter.Definition, letter.Subject));
        Assert.Empty(await RunsAsync(test));
        Assert.NotNull((await test.Engine.DeadLetters.RequeueAsync(letter)).Refusal);

        test.Remember(workflow);
        var both = await Task.WhenAll(test.Engine.DeadLetters.RequeueAsync(letter), test.Engine.DeadLetters.RequeueAsync(letter));
        var run = Assert.Single(both, r => r.Run is not null).Run!.Value;
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        Assert.Equal(run, Assert.Single(await RunsAsync(test)).Id);

        // Once more, when it has started its run: there is nothing to put aside.
        test.Forget(workflow);
        await test.Engine.Events.PublishAsync(Tenant.Default, [Wanted("e1")]);
        Assert.Empty(await LettersAsync(test));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_while_an_event_is_tried_again_neither_loses_it_nor_starts_two_runs(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            var workflow = test.Define("- count: { call: 'count:1.0.0@default', with: { n: 1 } }", extra: "schedule: { on: { one: { with: { type: wanted } } } }");
            await test.Disk.WriteAsync(db =>
            {
                TriggerStore.Follow(db, Tenant.Default, workflow, now: 0);
                return 0;
            });
            // Whoever heard nothing sends it again, whatever became of it.
            var isStarted = (await RunsAsync(test)).Count > 0;
            if (!isStarted) test.Forget(workflow);
            await test.Engine.Events.PublishAsync(Tenant.Default, [Wanted("e1")]);
            if (!isStarted) test.Remember(workflow);
            foreach (var letter in await LettersAsync(test)) await test.Engine.DeadLetters.RequeueAsync(letter);
            foreach (var run in await RunsAsync(test)) await test.Engine.EndAsync(Tenant.Default, run.Id);
        }, async test =>
        {
            Assert.Equal(RunPhase.Completed, Assert.Single(await RunsAsync(test)).State);
            Assert.Empty(await LettersAsync(test));
        });
        Assert.True(crashes > 2, $"only {crashes} writes to crash at");
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_followed_is_put_aside_once_counted_and_due_at_once_when_it_is_tried_again()
    {
        await using var test = await OpenAsync(new EngineSettings { Schedules = false, Alone = false, LeaseTime = TimeSpan.FromDays(30) });
        var workflow = test.Define("- a: { set: { n: 1 } }", extra: "schedule: { cron: '0 * * * *' }", metadata: "schedule: { timeZone: Europe/Berlin }");
        await test.Disk.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, workflow, test.Engine.Worker.Now);
            return db.Execute("update schedule set source = replace(source, 'Europe/Berlin', 'Europe/Atlantis')");
        });
        for (var i = 0; i < 3; i++)
        {
            test.Time.Advance(TimeSpan.FromHours(1));
            await test.Engine.Worker.Schedules.RunOnceAsync();
        }
        var letter = Assert.Single(await LettersAsync(test));
        Assert.Equal((DeadLetterKind.Schedule, "schedule.failed", "test/test", 3L), (letter.Kind, letter.Reason, letter.Subject, letter.Times));
        Assert.Contains("Atlantis", letter.Error!.Detail, StringComparison.Ordinal);
        Assert.Empty(await RunsAsync(test));

        await test.Disk.WriteAsync(db => db.Execute("update schedule set source = replace(source, 'Europe/Atlantis', 'Europe/Berlin')"));
        Assert.Null((await test.Engine.DeadLetters.RequeueAsync(letter)).Refusal);
        await test.Engine.Worker.Schedules.RunOnceAsync();
        Assert.Single(await RunsAsync(test));
        Assert.Empty(await LettersAsync(test));
    }

    [Fact]
    public async Task A_schedule_that_is_paused_cannot_be_tried_again()
    {
        await using var test = await OpenAsync(new EngineSettings { Schedules = false, Alone = false, LeaseTime = TimeSpan.FromDays(30) });
        var workflow = test.Define("- a: { set: { n: 1 } }", extra: "schedule: { cron: '0 * * * *' }", metadata: "schedule: { timeZone: Europe/Berlin }");
        await test.Disk.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, workflow, test.Engine.Worker.Now);
            return db.Execute("update schedule set source = replace(source, 'Europe/Berlin', 'Europe/Atlantis')");
        });
        test.Time.Advance(TimeSpan.FromHours(1));
        await test.Engine.Worker.Schedules.RunOnceAsync();
        var letter = Assert.Single(await LettersAsync(test));
        Assert.Null((await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "test", paused: true))!.NextAt);
        await test.Disk.WriteAsync(db => db.Execute("update schedule set source = replace(source, 'Europe/Atlantis', 'Europe/Berlin')"));
        Assert.Contains("paused", (await test.Engine.DeadLetters.RequeueAsync(letter)).Refusal, StringComparison.Ordinal);
        Assert.Single(await LettersAsync(test));
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_followed_is_paused_resumed_and_started_by_hand_all_the_same()
    {
        await using var test = await OpenAsync(new EngineSettings { Schedules = false, Alone = false, LeaseTime = TimeSpan.FromDays(30) });
        var workflow = test.Define("- a: { set: { n: 1 } }", extra: "schedule: { cron: '0 * * * *' }", metadata: "schedule: { timeZone: Europe/Berlin }");
        await test.Disk.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, workflow, test.Engine.Worker.Now);
            return db.Execute("update schedule set source = replace(source, 'Europe/Berlin', 'Europe/Atlantis')");
        });
        await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "test", paused: true);
        var resumed = await test.Engine.Schedules.PauseAsync(Tenant.Default, "test", "test", paused: false);
        Assert.Contains("Atlantis", resumed!.Error, StringComparison.Ordinal);
        await test.Engine.Worker.Schedules.RunOnceAsync();
        Assert.Equal("schedule.failed", Assert.Single(await LettersAsync(test)).Reason);
        Assert.True((await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "test", null))!.Value.Started);
        Assert.Single(await RunsAsync(test));

        await test.Disk.WriteAsync(db => db.Execute("update schedule set source = replace(source, 'Europe/Atlantis', 'Europe/Berlin')"));
        test.Time.Advance(TimeSpan.FromHours(1));
        await test.Engine.Worker.Schedules.RunOnceAsync();
        Assert.Equal(2, (await RunsAsync(test)).Count);
    }

    private static Json Wanted(string id) => new JsonObject.Builder().Set("specversion", "1.0").Set("id", id).Set("source", "/test").Set("type", "wanted").Set("data", 1).Build();

    private static Task<List<RunRow>> RunsAsync(TestEngine test) => test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));

    private static Task<List<DeadLetter>> LettersAsync(TestEngine test) =>
        test.Disk.ReadAsync(db => DeadLetterStore.List(db, Tenant.Default, new DeadLetterFilter(null, null, null, null, 10)));

    public sealed class OnSqlite() : DeadLetterTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : DeadLetterTests(TestDatabases.Postgres);
}
