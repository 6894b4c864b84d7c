using Millrace.Engine.Execution;
using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Lines that are longer than what one turn looks at, and more lines than one look serves.</summary>
public abstract class LongLineTests(TestDatabases databases) : LimitSuite(databases)
{
    private const long Second = 1_000_000, Noon = 1_800_000_000 * Second;

    private static readonly EngineSettings Idle = new() { Works = false, Schedules = false };

    [Fact]
    public async Task However_many_wait_for_a_rate_that_is_full_they_cost_as_much_as_one()
    {
        await using var test = await OpenAsync(Idle);
        var line = new LimitLine(Tenant.Default, "test/test#start", "");
        await InsertAsync(test, db =>
        {
            for (var i = 0; i < 300; i++) LimitStore.AddStart(db, line, Guid.CreateVersion7(), Noon - i, Noon + (10 * Second));
            for (var i = 0; i < 300; i++) Stand(db, Guid.CreateVersion7(), line, Noon + i, kind: NeedKind.Rate, most: 300, micros: 10 * Second);
        });
        var statements = 0;
        test.Database.Watch = _ => statements++;
        var next = await test.Database.WriteAsync(db =>
        {
            var turn = new LimitTurn(db, Tenant.Default, Noon);
            Assert.True(turn.Serve([line]));
            Assert.Empty(turn.Given);
            return turn.Next;
        });
        Assert.Equal(Noon - 299 + (10 * Second), next);
        Assert.InRange(statements, 1, 10);
    }

    [Fact]
    public async Task A_rate_that_has_room_for_some_gives_it_to_the_first_and_says_when_there_is_more()
    {
        await using var test = await OpenAsync(Idle);
        var line = new LimitLine(Tenant.Default, "test/test#start", "");
        await InsertAsync(test, db =>
        {
            for (var i = 0; i < 3; i++) LimitStore.AddStart(db, line, Guid.CreateVersion7(), Noon - (i * Second), Noon + (10 * Second));
            for (var i = 0; i < 4; i++) Stand(db, Guid.CreateVersion7(), line, Noon + i, kind: NeedKind.Rate, most: 5, micros: 10 * Second);
        });
        var (given, next) = await test.Disk.WriteAsync(db =>
        {
            var turn = new LimitTurn(db, Tenant.Default, Noon);
            turn.Serve([line]);
            return (turn.Given.Count, turn.Next);
        });
        Assert.Equal((2, Noon - (2 * Second) + (10 * Second)), (given, next));
    }

    [Fact]
    public async Task Who_stands_behind_a_crowd_that_another_limit_holds_back_works_meanwhile()
    {
        await using var test = await OpenAsync(Idle);
        await test.Engine.Limits.SetAsync(Tenant.Default, new WorkspaceLimits(1, 3));
        var (workspace, crowd) = (new LimitLine(Tenant.Default, WorkspaceLimits.Line, ""), new LimitLine(Tenant.Default, "test/crowd", ""));
        var last = Guid.CreateVersion7();
        await InsertAsync(test, db =>
        {
            for (var i = 0; i < 2500; i++)
            {
                var run = Guid.CreateVersion7();
                Exist(db, run);
                foreach (var line in (LimitLine[])[workspace, crowd]) Stand(db, run, line, Noon + i, i == 0 ? Held.Has : Held.Waits, most: line == crowd ? 1 : 3);
            }
            Exist(db, last);
            Stand(db, last, workspace, Noon + 3000, most: 3);
        });
        var statements = 0;
        test.Database.Watch = _ => statements++;
        for (var turn = 0; turn < 10; turn++)
        {
            test.Time.Advance(TimeSpan.FromMilliseconds(50));
            await test.Engine.Worker.Limits.RunOnceAsync();
        }
        Assert.True(Assert.Single(await test.Disk.ReadAsync(db => LimitStore.Of(db, Tenant.Default, last))).IsHeld);
        Assert.Equal((1, 2), (await HeldAsync(test, crowd), await HeldAsync(test, workspace)));
        Assert.InRange(statements, 1, 300);
    }

    [Fact]
    public async Task A_line_behind_thousands_of_others_is_served_though_nobody_says_that_it_has_changed()
    {
        await using var test = await OpenAsync(Idle);
        var (works, last) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await InsertAsync(test, db =>
        {
            foreach (var run in (Guid[])[works, last]) Exist(db, run);
            for (var i = 0; i < 2100; i++)
            {
                var (line, waits) = (new LimitLine(Tenant.Default, $"line{i:0000}", ""), Guid.CreateVersion7());
                Exist(db, waits);
                Stand(db, works, line, Noon, Held.Has);
                Stand(db, waits, line, Noon + 1);
            }
            Stand(db, last, new LimitLine(Tenant.Default, "the last", ""), Noon);
        });
        for (var poll = 0; poll < 3; poll++)
        {
            test.Time.Advance(test.Settings.PollInterval);
            await test.Engine.Worker.Limits.RunOnceAsync();
        }
        Assert.True(Assert.Single(await test.Disk.ReadAsync(db => LimitStore.Of(db, Tenant.Default, last))).IsHeld);
    }

    private static Task<long> HeldAsync(TestEngine test, LimitLine line) => test.Disk.ReadAsync(db => LimitStore.CountHeld(db, line));

    private static Task<int> InsertAsync(TestEngine test, Action<DbUnit> insert) => test.Disk.WriteAsync(db =>
    {
        insert(db);
        return 0;
    });

    /// <summary>A run that nobody takes: one that is to wait for a time which never comes.</summary>
    private static void Exist(DbUnit db, Guid run) =>
        RunStore.Insert(db, RunRow.New(Tenant.Default, run, new WorkflowId("test", "crowd", "1.0.0"), "none", Noon) with { State = RunPhase.Waiting, WakeAt = long.MaxValue });

    private static void Stand(DbUnit db, Guid run, LimitLine line, long since, Held held = Held.Waits, NeedKind kind = NeedKind.Slot, int most = 1, long micros = 0) =>
        LimitStore.Insert(db, new LimitPlace(line, run, kind, held, most, OnLimit.Queue, false, "", 0, 0, since, since, micros, 0));

    public sealed class OnSqlite() : LongLineTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : LongLineTests(TestDatabases.Postgres);
}
