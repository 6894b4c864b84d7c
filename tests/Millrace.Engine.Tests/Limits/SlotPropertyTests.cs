using Millrace.Engine.Limits;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Random runs under limits leave by every way out, while workers die: no slot is lost, none is given twice, and nobody waits while one is free.</summary>
public abstract class SlotPropertyTests(TestDatabases databases) : EngineSuite(databases)
{
    private static readonly string[] Bodies =
    [
        "- a: { call: 'count:1.0.0@default', with: {} }",
        "- a: { wait: PT2S }\n- b: { call: 'count:1.0.0@default', with: {} }",
        "- a: { raise: { error: { type: https://example.com/no, status: 400, title: no } } }",
        "- a:\n    try:\n      - b: { call: 'flaky:1.0.0@default', with: {} }\n    catch: { retry: { delay: PT1S, limit: { attempt: { count: 9 } } } }",
        "- a: { call: 'broken:1.0.0@default', with: {} }",
        "- a: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task No_slot_is_lost_whatever_way_runs_leave(int seed)
    {
        var dice = new Random(seed);
        await using var test = await OpenAsync();
        test.Define("- a: { call: 'count:1.0.0@default', with: {} }", "child", metadata: "flow: { concurrency: { name: shared, limit: 2 } }");
        var workflows = Bodies.Select((body, i) => test.Define(body, $"body{i}",
            metadata: i % 2 == 0 ? "flow: { concurrency: [{ key: '${ .k }', limit: 2 }, { name: shared, limit: 3 }] }" : "flow: { concurrency: { name: all, limit: 2, counts: unfinished } }")).ToList();
        test.Functions.FailuresLeft = 3;
        var runs = new List<Guid>();
        for (var round = 0; round < 40; round++)
        {
            await ActAsync(test, dice, workflows, runs);
            await CheckAsync(test);
        }
        foreach (var run in runs)
        {
            await test.Engine.ResumeAsync(Tenant.Default, run, null);
            await test.PassUntilAsync(run, r => r.IsFinished);
        }
        Assert.Empty(await test.Disk.ReadAsync(db => LimitStore.List(db, Tenant.Default, null, 100)));
    }

    private static async Task ActAsync(TestEngine test, Random dice, List<Workflow> workflows, List<Guid> runs)
    {
        var run = runs.Count == 0 ? Guid.Empty : runs[dice.Next(runs.Count)];
        switch (dice.Next(12))
        {
            case 0: await test.Engine.CancelAsync(Tenant.Default, run, "chance"); break;
            case 1: await test.Engine.SuspendAsync(Tenant.Default, run, "chance"); break;
            case 2: await test.Engine.ResumeAsync(Tenant.Default, run, "chance"); break;
            case 3 or 4: await test.PassAsync(TimeSpan.FromMilliseconds(dice.Next(3000))); break;
            case 5:
                await test.CrashAsync();
                await test.ReopenAsync();
                break;
            default: runs.Add(await test.StartAsync(workflows[dice.Next(workflows.Count)], Json.Object("k", dice.Next(2)))); break;
        }
    }

    /// <summary>In one view of the database: no limit is exceeded, and who holds a slot has not ended.</summary>
    private static async Task CheckAsync(TestEngine test)
    {
        var (lines, ended) = await test.Disk.ReadAsync(db => (LimitStore.List(db, Tenant.Default, null, 100),
            db.Query("select run from limit_place", r => r.Id(0)).Distinct().Count(run => RunStore.Get(db, Tenant.Default, run) is not { IsFinished: false })));
        Assert.All(lines, line => Assert.InRange(line.Held, 0, line.Limit));
        Assert.Equal(0, ended);
    }

    public sealed class OnSqlite() : SlotPropertyTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : SlotPropertyTests(TestDatabases.Postgres);
}
