using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests.Faults;

/// <summary>More than anybody meant: of runs, of bytes, of records. See docs/faults.md.</summary>
public abstract class VolumeFaults(TestDatabases databases) : EngineSuite(databases)
{
    [Fact]
    public async Task Fault_19_thirteen_thousand_runs_at_once_can_be_listed_and_cancelled()
    {
        const int Runs = 13_000;
        await using var test = await OpenAsync();
        var workflow = test.Define("- rest: { wait: PT1H }");
        var ids = await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => test.StartAsync(workflow)));
        var page = await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 100)));
        Assert.Equal(100, page.Count);
        var answers = await Task.WhenAll(ids.Select(id => test.Engine.CancelAsync(Tenant.Default, id, "all")));
        Assert.All(answers, a => Assert.Equal(ControlOutcome.Accepted, a));
        foreach (var id in ids) await test.PassUntilAsync(id, r => r.IsFinished, TimeSpan.FromMinutes(2));
        Assert.Equal([(RunPhase.Cancelled, (long)Runs, 0L)], await test.Disk.ReadAsync(db => RunStore.CountByState(db, Tenant.Default)));
        Assert.Equal(0, await test.Disk.ReadAsync(db => db.First("select count(*) from signal", r => r.Int(0), -1)));
    }

    [Fact]
    public async Task Fault_22_an_output_of_a_hundred_megabytes_is_kept_by_reference_and_comes_back()
    {
        await using var test = await OpenAsync();
        Json large = new string('x', 100_000_000);
        var run = await test.EndAsync(await test.StartAsync(test.Define("- keep: { call: 'count:1.0.0@default', with: { all: '${ . }' }, output: { as: '${ .all }' } }"), large));
        Assert.Equal((RunPhase.Completed, 100_000_000), (run.State.Phase, run.State.Output.AsString().Length));
        var stored = await test.Disk.ReadAsync(db => db.First("select sum(length(entries)) from journal", r => r.Long(0), 0L));
        Assert.InRange(stored, 1, 100_000);
    }

    /// <summary>Records of a run that waits, put there in bulk: what people see of it must cost what they look at, and another worker goes on with it.</summary>
    [Fact]
    public async Task Fault_22_a_journal_of_a_million_records_is_read_page_by_page_and_gone_on_with()
    {
        const int Records = 1_000_000, Batch = 10_000;
        await using var test = await OpenAsync();
        var id = await test.StartAsync(test.Define("- rest: { wait: PT1H }\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }"));
        await test.UntilAsync(id, r => r is { State: RunPhase.Waiting, Lease: null });
        var first = (int)await test.Disk.ReadAsync(db => JournalStore.LastSeq(db, Tenant.Default, id)) + 1;
        var entries = "[{\"e\":\"run.resumed\"}]"u8.ToArray();
        for (var at = 0; at < Records; at += Batch)
        {
            var from = first + at;
            await test.Disk.WriteAsync(db =>
            {
                for (var i = 0; i < Batch; i++) JournalStore.Append(db, Tenant.Default, id, from + i, 0, null, entries);
                return 0;
            });
        }

        var before = GC.GetTotalMemory(forceFullCollection: true);
        var records = await test.Engine.Journal.AfterAsync(Tenant.Default, id, first + Records - 101, limit: 100);
        Assert.Equal(Enumerable.Range(first + Records - 100, 100).Select(i => (long)i), records.Select(r => r.Seq));
        var (read, after) = (0, -1L);
        while (await test.Engine.Journal.AfterAsync(Tenant.Default, id, after, limit: 2_000) is { Count: > 0 } page)
        {
            (read, after) = (read + page.Count, page[^1].Seq);
            if (read % 200_000 == 0) Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64L << 20);
        }

        Assert.Equal(first + Records, read);

        await test.CrashAsync();
        await test.ReopenAsync();
        test.Time.Advance(TimeSpan.FromHours(1));
        var end = await test.EndAsync(id);
        Assert.Equal((RunPhase.Completed, 1), (end.State.Phase, test.Functions.Ledger.Count));
        Assert.InRange(end.State.Position, first + Records, first + Records + 5);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64L << 20);
    }
}

/// <summary>They measure the memory of the process, so nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneInTheProcess
{
    public const string Name = "alone in the process";
}

[Collection(AloneInTheProcess.Name)]
public sealed class VolumeFaultsOnSqlite() : VolumeFaults(TestDatabases.Sqlite);

[Collection(AloneInTheProcess.Name)]
public sealed class VolumeFaultsOnPostgres() : VolumeFaults(TestDatabases.Postgres);
