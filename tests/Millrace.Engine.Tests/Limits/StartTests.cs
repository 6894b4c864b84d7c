using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Limits;

public abstract class StartTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Count = "- work: { call: 'count:1.0.0@default', with: {} }";

    [Fact]
    public async Task No_more_runs_begin_within_the_time_of_a_rate_than_it_allows()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "rateLimit: { limit: 2, per: PT10S }");
        var runs = new List<Guid>();
        for (var i = 0; i < 5; i++) runs.Add(await test.StartAsync(workflow));
        foreach (var run in runs) await test.PassUntilAsync(run, r => r.State == RunPhase.Completed);
        var begun = new List<long>();
        foreach (var run in runs) begun.Add((await test.RowAsync(run)).StartedAt!.Value);
        begun.Sort();
        Assert.True(begun[2] - begun[0] >= 10_000_000, "the third began too soon");
        Assert.True(begun[4] - begun[2] >= 10_000_000, "the fifth began too soon");
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

    [Fact]
    public async Task However_many_follow_one_begins_in_the_longest_time()
    {
        await using var test = await OpenAsync();
        var workflow = Define(test, "debounce: { after: PT5S, max: PT12S }");
        var began = test.Time.GetUtcNow();
        var runs = new List<Guid>();
        for (var i = 0; i < 8; i++)
        {
            runs.Add(await test.StartAsync(workflow));
            await test.PassAsync(TimeSpan.FromSeconds(3));
        }
        foreach (var run in runs) await test.PassUntilAsync(run, r => r.IsFinished);
        var started = new List<long>();
        foreach (var run in runs)
            if ((await test.RowAsync(run)) is { State: RunPhase.Completed } row) started.Add(row.StartedAt!.Value);
        Assert.InRange(started.Count, 2, 3);
        Assert.InRange(started.Min() - ((began - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond), 0, 16_000_000);
    }

    private static Workflow Define(TestEngine test, string flow) => test.Define(Count, metadata: $"flow: {{ {flow} }}");

    public sealed class OnSqlite() : StartTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : StartTests(TestDatabases.Postgres);
}
