using Millrace.Engine.Execution;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

/// <summary>Rates and quiet times, with a crash at every write.</summary>
public abstract class StartCrashTests(TestDatabases databases) : LimitSuite(databases)
{
    private const long Second = 1_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_lets_no_more_begin_than_a_rate_allows_and_keeps_none(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            var workflow = Define(test, "rateLimit: { limit: 1, per: PT10S }");
            var runs = new List<Guid>();
            foreach (var key in (string[])["a", "b", "c"]) runs.Add(await StartAsync(test, workflow, key));
            foreach (var run in runs) await test.Engine.EndAsync(Tenant.Default, run);
        }, async test =>
        {
            Assert.All(await RunsAsync(test), r => Assert.Equal(RunPhase.Completed, r.State));
            Assert.Equal(3, test.Functions.Ledger.Count);
            var starts = await test.Disk.ReadAsync(db => db.Query("select at from limit_start order by at", r => r.Long(0)));
            for (var i = 1; i < starts.Count; i++) Assert.True(starts[i] - starts[i - 1] >= 10 * Second, $"starts at {string.Join(", ", starts)}");
            Assert.Equal(0, await test.Disk.ReadAsync(db => db.First("select count(*) from limit_place", r => r.Long(0), 0L)));
        });
        Assert.True(crashes > 8, $"only {crashes} writes to crash at");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_leaves_the_last_of_several_starts_the_one_that_works(bool afterCommit)
    {
        List<Guid> started = [];
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, first: async test =>
        {
            var workflow = Define(test, "debounce: { key: '${ .order }', after: PT10S }");
            // A list of its own: what has died may still be at it.
            List<Guid> runs = [];
            foreach (var key in (string[])["a", "b", "c"])
            {
                runs.Add(await StartAsync(test, workflow, key));
                await InLineAsync(test, runs[^1]);
                test.Time.Advance(TimeSpan.FromMilliseconds(1));
            }
            started = runs;
        }, tell: async test =>
        {
            foreach (var run in started) await test.Engine.EndAsync(Tenant.Default, run);
        }, check: async test =>
        {
            var runs = (await RunsAsync(test)).OrderBy(r => r.CreatedAt).ToList();
            Assert.Equal([RunPhase.Cancelled, RunPhase.Cancelled, RunPhase.Completed], runs.Select(r => r.State));
            Assert.All(runs[..2], r => Assert.Contains("later start", r.Reason));
            Assert.Single(test.Functions.Ledger);
            Assert.Equal(0, await test.Disk.ReadAsync(db => db.First("select count(*) from limit_place", r => r.Long(0), 0L)));
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }

    private static Workflow Define(TestEngine test, string flow) => test.Define("- work: { call: 'count:1.0.0@default', with: {} }", metadata: $"flow: {{ {flow} }}");

    private static async Task<Guid> StartAsync(TestEngine test, Workflow workflow, string key) =>
        await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.Object("order", "one"), key, "request")) switch
        {
            StartOutcome.Started started => started.Run,
            StartOutcome.Existing existing => existing.Run,
            _ => throw new InvalidOperationException("conflict"),
        };

    private static Task<List<RunRow>> RunsAsync(TestEngine test) => test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));

    public sealed class OnSqlite() : StartCrashTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : StartCrashTests(TestDatabases.Postgres);
}
