using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

public abstract class ForkRecoveryTests(TestDatabases databases) : EngineSuite(databases)
{
    /// <summary>What a fork begins again: an effect, a child, a timer; and what comes after.</summary>
    private const string Journey = """
        - one: { call: 'count:1.0.0@default', with: { n: 1 } }
        - all:
            fork:
              branches:
                - effect: { call: 'count:1.0.0@default', with: { n: 2 } }
                - child: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }
                - rest: { wait: PT2S }
        - shaky: { call: 'flaky:1.0.0@default', with: {} }
        - last: { call: 'count:1.0.0@default', with: { n: 4 } }
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_makes_one_fork_that_repeats_no_recorded_step(bool afterCommit)
    {
        var crashes = 0;
        for (var at = 1; ; at = NextDeath(at))
        {
            await using var test = await OpenAsync();
            test.Define("- give: { call: 'count:1.0.0@default', with: { n: 9 } }", "child");
            var source = await SourceAsync(test);
            var before = test.Functions.Ledger.Count;
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            // Behind the record in which the branches begin: all three are under way.
            var records = await test.Engine.Journal.AfterAsync(Tenant.Default, source, -1);
            var begun = records.First(r => r.Entries.Any(e => e is Entry.StepStarted { Child: not null })).Seq;
            var request = new ForkRequest(Tenant.Default, source, new ForkPoint.Behind(begun)) { IdempotencyKey = "fork", RequestHash = "request" };
            var crashed = await ForkedAsync(test, request);
            if (crashed)
            {
                await test.CrashAsync();
                await test.ReopenAsync();
                Assert.False(await ForkedAsync(test, request));
            }
            // From the disk itself: the process may die at a write that comes after the fork's end.
            var forks = await test.Disk.ReadAsync(db => db.Query("select id, state from run where fork_of is not null", r => (r.Id(0), (RunPhase)r.Long(1))));
            Assert.Equal(RunPhase.Completed, Assert.Single(forks).Item2);
            // One effect, one child with one effect, and the last call.
            Assert.Equal(before + 3, test.Functions.Ledger.Count);
            Assert.All(test.Functions.Ledger.Values, attempts => Assert.InRange(attempts, 1, 2));
            if (!crashed) break;
            crashes++;
        }
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }

    private static async Task<Guid> SourceAsync(TestEngine test)
    {
        test.Functions.FailuresLeft = 1;
        var source = await test.StartAsync(test.Define(Journey));
        await test.PassUntilAsync(test.Engine.EndAsync(Tenant.Default, source));
        Assert.Equal(RunPhase.Faulted, (await test.RowAsync(source)).State);
        return source;
    }

    /// <returns>Whether the process died before the fork had ended.</returns>
    private static async Task<bool> ForkedAsync(TestEngine test, ForkRequest request)
    {
        var end = EndAsync(test, request);
        var either = Task.WhenAny(end, test.Database.Died);
        await test.PassUntilAsync(either);
        return !test.Database.Spare() || !end.IsCompleted;
    }

    private static async Task EndAsync(TestEngine test, ForkRequest request)
    {
        var run = await test.Engine.ForkAsync(request) switch
        {
            ForkOutcome.Started started => started.Run,
            ForkOutcome.Existing existing => existing.Run,
            var other => throw new InvalidOperationException(other.ToString()),
        };
        await test.Engine.EndAsync(Tenant.Default, run);
    }
}

public sealed class ForkRecoveryOnSqliteTests() : ForkRecoveryTests(TestDatabases.Sqlite);

public sealed class ForkRecoveryOnPostgresTests() : ForkRecoveryTests(TestDatabases.Postgres);
