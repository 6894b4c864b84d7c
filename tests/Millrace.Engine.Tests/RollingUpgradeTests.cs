using Millrace.Tests.Databases;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Functions;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Tests.Support;
using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>While builds are exchanged one by one, an older worker meets what a newer one has written.</summary>
public abstract class RollingUpgradeTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Rest = """
        - rest: { wait: PT1H }
        - after: { call: 'count:1.0.0@default', with: { n: 1 } }
        """;

    [Fact]
    public async Task Fault_27_a_run_with_an_entry_of_a_newer_build_is_left_as_it_is_and_a_newer_worker_ends_it()
    {
        await using var test = await OpenAsync();
        var id = await WaitingAsync(test);
        await test.CrashAsync();
        await test.ReopenAsync();
        await AppendAsync(test, id, """[{"e":"step.dreamt","step":1}]""");
        test.Time.Advance(TimeSpan.FromHours(2));
        var left = await LeftAsync(test, id);
        Assert.Equal((RunPhase.Waiting, null), (left.State, left.Lease));
        Assert.Contains("newer build", left.Reason, StringComparison.Ordinal);
        Assert.Contains("step.dreamt", left.Reason, StringComparison.Ordinal);

        // What the entry means only a newer build knows; to the one that stands for it here it means nothing.
        await test.CrashAsync();
        test.Settings = test.Settings with { Format = EntryReader.Format + 1 };
        await test.ReopenAsync(before: db => db.WriteAsync(unit => unit.Execute("update journal set entries = $1 where run = $2 and seq = (select max(seq) from journal where run = $2)", "[]"u8.ToArray(), id)));
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(id)).State.Phase);
        Assert.All(test.Functions.Ledger.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_signal_of_a_newer_build_is_kept_for_it()
    {
        await using var test = await OpenAsync();
        var id = await WaitingAsync(test);
        await test.Database.WriteAsync(db =>
        {
            SignalStore.Send(db, Tenant.Default, id, "approve", Millrace.Jq.Json.EmptyObject, Now(test));
            return 0;
        });
        test.Time.Advance(TimeSpan.FromMinutes(1));
        await LeftAsync(test, id);
        Assert.Equal(1, await test.Database.ReadAsync(db => db.First("select count(*) from signal where run = $1", r => r.Long(0), -1L, id)));
    }

    [Fact]
    public async Task A_left_run_is_not_asked_for_again_and_again()
    {
        await using var test = await OpenAsync();
        var id = await WaitingAsync(test);
        await AppendAsync(test, id, """[{"e":"step.dreamt","step":1}]""");
        await test.Engine.CancelAsync(Tenant.Default, id, null);
        await LeftAsync(test, id);
        Assert.Null(await test.Database.ReadAsync(db => RunStore.NextWake(db, EntryReader.Format)));
        Assert.Empty(await test.Database.WriteAsync(db => RunStore.Claim(db, 1, long.MaxValue, 10, EntryReader.Format)));
        Assert.Equal(1, (await test.Database.ReadAsync(db => RunStore.Queue(db, long.MaxValue))).Due);
    }

    [Fact]
    public async Task Fault_27_a_definition_that_only_a_newer_build_can_load_leaves_its_runs_to_it_while_both_work()
    {
        await using var test = await OpenAsync();
        var id = await WaitingAsync(test);
        await test.CrashAsync();
        test.Settings = test.Settings with { Alone = false };
        await test.ReopenAsync(definitions: new OlderBuild());
        test.Time.Advance(TimeSpan.FromHours(2));
        await LeftAsync(test, id);
        await using var newer = await DurableEngine.OpenAsync(
            new EngineParts(test.Database, test.Blobs, test.Bus, new FunctionRegistry(test.Functions.All), test, test, test.Time, NullLogger.Instance),
            test.Settings with { Format = EntryReader.Format + 1 });
        Assert.Equal(RunPhase.Completed, (await test.UntilAsync(id, r => r.IsFinished)).State);
    }

    [Fact]
    public async Task Runs_under_limits_are_left_to_builds_that_know_of_limits_and_others_are_taken()
    {
        await using var test = await OpenAsync(new EngineSettings { Works = false, Schedules = false });
        var limited = await test.StartAsync(test.Define("- a: { call: 'count:1.0.0@default', with: { n: 1 } }", "limited", metadata: "flow: { concurrency: { limit: 1 } }"));
        var free = await test.StartAsync(test.Define("- a: { call: 'count:1.0.0@default', with: { n: 2 } }", "free"));
        var older = await test.Database.WriteAsync(db => RunStore.Claim(db, 1, long.MaxValue, 10, EntryReader.LimitsFormat - 1));
        Assert.Equal(free, Assert.Single(older).Id);
        var newer = await test.Database.WriteAsync(db => RunStore.Claim(db, 1, long.MaxValue, 10, EntryReader.LimitsFormat));
        Assert.Equal(limited, Assert.Single(newer).Id);
    }

    [Fact]
    public async Task A_fork_and_the_run_of_a_schedule_are_left_to_builds_that_know_of_limits_as_well()
    {
        await using var test = await OpenAsync(new EngineSettings { Works = false, Schedules = false });
        var limited = test.Define("- a: { call: 'count:1.0.0@default', with: { n: 1 } }", extra: "schedule: { every: PT1H }", metadata: "flow: { concurrency: { limit: 1 } }");
        var fork = (ForkOutcome.Started)await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, await test.StartAsync(limited), new ForkPoint.Behind(0)));
        await test.Database.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, limited, Now(test));
            return 0;
        });
        var scheduled = await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "test", null);
        Assert.Empty(await test.Database.WriteAsync(db => RunStore.Claim(db, 1, long.MaxValue, 10, EntryReader.LimitsFormat - 1)));
        var newer = await test.Database.WriteAsync(db => RunStore.Claim(db, 1, long.MaxValue, 10, EntryReader.LimitsFormat));
        Assert.Superset(new HashSet<Guid> { fork.Run, scheduled!.Value.Run }, newer.Select(r => r.Id).ToHashSet());
    }

    private static long Now(TestEngine test) => (test.Time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static async Task<Guid> WaitingAsync(TestEngine test)
    {
        var id = await test.StartAsync(test.Define(Rest));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        return id;
    }

    private static Task<long> AppendAsync(TestEngine test, Guid run, string entries) => test.Database.WriteAsync(db =>
        JournalStore.Append(db, Tenant.Default, run, JournalStore.LastSeq(db, Tenant.Default, run) + 1, Now(test), null, System.Text.Encoding.UTF8.GetBytes(entries)));

    /// <summary>Advances the time until the worker has met the run and left it: it looks for due runs by its clock.</summary>
    private static async Task<RunRow> LeftAsync(TestEngine test, Guid run)
    {
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (true)
        {
            if (await test.Database.ReadAsync(db => db.First("select format from run where id = $1", r => r.Long(0), 0L, run)) > EntryReader.Format) return await test.RowAsync(run);
            test.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    private sealed class OlderBuild : IDefinitionSource
    {
        public ValueTask<Workflow?> ByHashAsync(Tenant tenant, string hash) => throw new NewerBuildException("Its definition has a task that this build does not know.");

        public ValueTask<Workflow?> FindAsync(Tenant tenant, string @namespace, string name, string version) => new((Workflow?)null);
    }
}

public sealed class SqliteRollingUpgradeTests() : RollingUpgradeTests(TestDatabases.Sqlite);

public sealed class PostgresRollingUpgradeTests() : RollingUpgradeTests(TestDatabases.Postgres);
