using Millrace.Engine.Execution;
using Millrace.Engine.Limits;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Tests.Limits;

public abstract class StartTests(TestDatabases databases) : LimitSuite(databases)
{
    private const string Count = "- work: { call: 'count:1.0.0@default', with: {} }";

    private const long Second = 1_000_000, Noon = 1_800_000_000 * Second;

    [Fact]
    public async Task No_more_runs_begin_within_the_time_of_a_rate_than_it_allows()
    {
        await using var test = await OpenAsync(new EngineSettings { Works = false, Schedules = false });
        for (var i = 0; i < 5; i++) await StandAsync(test, NeedKind.Rate, Noon + i, most: 2, micros: 10 * Second);
        Assert.Equal(2, (await TurnAsync(test, Noon)).Given.Count);
        var later = await TurnAsync(test, Noon + (4 * Second));
        Assert.Empty(later.Given);
        Assert.Equal(Noon + (10 * Second), later.Next);
        Assert.Equal(2, (await TurnAsync(test, Noon + (10 * Second))).Given.Count);
        Assert.Empty((await TurnAsync(test, Noon + (19 * Second))).Given);
        Assert.Single((await TurnAsync(test, Noon + (20 * Second))).Given);
    }

    [Fact]
    public async Task A_run_under_a_rate_begins_when_its_time_has_come()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "rateLimit: { limit: 1, per: PT10S }");
        var runs = new List<Guid> { await test.StartAsync(workflow), await test.StartAsync(workflow), await test.StartAsync(workflow) };
        foreach (var run in runs) await test.PassUntilAsync(run, r => r.State == RunPhase.Completed);
    }

    [Fact]
    public async Task However_many_follow_one_begins_in_the_longest_time()
    {
        await using var test = await OpenAsync(new EngineSettings { Works = false, Schedules = false });
        var begun = new List<long>();
        for (var at = 0; at < 30; at += 3)
        {
            await StandAsync(test, NeedKind.Quiet, Noon + (at * Second), most: 1, micros: 5 * Second, microsMax: 12 * Second);
            if ((await TurnAsync(test, Noon + (at * Second))).Given.Count > 0) begun.Add(at);
        }
        // The first of a row at 0 and at 15: their last begin 12 seconds later, with those that have come by then.
        Assert.Equal([12L, 27L], begun);
    }

    [Fact]
    public async Task Of_starts_that_follow_each_other_the_last_becomes_a_run_that_works()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "debounce: { key: '${ .order }', after: PT5S }");
        var runs = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            runs.Add(await test.StartAsync(workflow, Json.Object("order", "a")));
            await InLineAsync(test, runs[i]);
            await test.PassAsync(TimeSpan.FromSeconds(2));
        }
        var wait = await test.Disk.ReadAsync(db => LimitWaits.Of(db, Tenant.Default, runs[2]));
        Assert.Contains("without another start", Assert.Single(wait).Detail);
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(runs[2], r => r.IsFinished)).State);
        foreach (var earlier in runs[..2])
        {
            var row = await test.PassUntilAsync(earlier, r => r.IsFinished);
            Assert.Equal(RunPhase.Cancelled, row.State);
            Assert.Contains("later start", row.Reason);
        }
        Assert.Single(test.Functions.Ledger);
    }

    private static readonly LimitLine Line = new(Tenant.Default, "test/test#start", "");

    private static Task<int> StandAsync(TestEngine test, NeedKind kind, long since, int most, long micros, long microsMax = 0) => test.Disk.WriteAsync(db =>
    {
        LimitStore.Insert(db, new LimitPlace(Line, Guid.CreateVersion7(), kind, Held.Waits, most, OnLimit.Queue, false, "", 0, 0, since, since, micros, microsMax));
        return 0;
    });

    private static Task<LimitTurn> TurnAsync(TestEngine test, long now) => test.Disk.WriteAsync(db =>
    {
        var turn = new LimitTurn(db, Tenant.Default, now);
        Assert.True(turn.Serve([Line]));
        return turn;
    });

    private static Workflow Define(TestEngine test, string flow) => test.Define(Count, metadata: $"flow: {{ {flow} }}");

    public sealed class OnSqlite() : StartTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : StartTests(TestDatabases.Postgres);
}
