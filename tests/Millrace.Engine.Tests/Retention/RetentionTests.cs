using Millrace.Engine.Admin;
using Millrace.Engine.Approvals;
using Millrace.Engine.DeadLetters;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Journal;
using Millrace.Engine.Retention;
using Millrace.Engine.Runs;
using Millrace.Engine.Scheduling;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;
using Millrace.Workflows.Limits;

namespace Millrace.Engine.Tests.Retention;

public abstract class RetentionTests(TestDatabases databases) : EngineSuite(databases)
{
    internal const string Count = "- work: { call: 'count:1.0.0@default', with: {} }";

    [Fact]
    public async Task Runs_go_when_they_have_been_kept_for_long_enough_and_others_stay()
    {
        await using var test = await OpenAsync();
        var kept = await test.StartAsync(test.Define(Count, "kept"));
        var workflow = test.Define(Count, "goes", metadata: "retention: { completed: PT60S }");
        var runs = new List<Guid>();
        for (var i = 0; i < 20; i++) runs.Add(await test.StartAsync(workflow, key: $"key{i}"));
        foreach (var run in runs) await test.EndAsync(run);
        await test.PassAsync(TimeSpan.FromSeconds(50));
        Assert.Equal(21, await CountAsync(test, "run"));
        await UntilGoneAsync(test, runs);
        Assert.Equal(1, await CountAsync(test, "run"));
        Assert.Equal(await test.Disk.ReadAsync(db => JournalStore.LastSeq(db, Tenant.Default, kept)) + 1, await CountAsync(test, "journal"));
        foreach (var table in (string[])["start_key", "run_expiry", "run_removal", "artifact", "signal"]) Assert.Equal(0, await CountAsync(test, table));
    }

    /// <summary>Three times the same work, each time until all of it has gone: no table keeps a row more.</summary>
    [Fact]
    public async Task Fault_20_no_table_grows_with_runs_and_events_that_have_gone()
    {
        // Time passes some hundred times as fast as for the database; an event is not to be gone before its run has come to listen for it.
        var kept = TimeSpan.FromHours(5);
        await using var test = await OpenAsync(new EngineSettings { EventsKept = kept });
        test.Define(Count, "child", metadata: "retention: { completed: PT5S }");
        var workflow = test.Define("""
            - tell: { emit: { event: { with: { type: told, source: /test } } } }
            - hear: { listen: { to: { one: { with: { type: told } } } } }
            - ask: { call: 'approve:1.0.0@default', with: { title: Really?, expire: { after: PT1S, outcome: approve } } }
            - sub: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }
            - again: { try: [ { x: { call: 'flaky:1.0.0@default', with: {} } } ], catch: { retry: { delay: PT1S, limit: { attempt: { count: 5 } } } } }
            """, "busy", metadata: "retention: { completed: PT5S }, flow: { concurrency: { limit: 3 } }");
        var tables = await Table.OfAsync(test.Disk);
        var rows = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            test.Functions.FailuresLeft = 3;
            var runs = new List<Guid>();
            for (var i = 0; i < 10; i++) runs.Add(await test.StartAsync(workflow, key: $"{round} {i}"));
            foreach (var run in runs)
            {
                // One that is done first may be gone when it is asked.
                await test.PassUntilAsync(run, r => r is null || r.IsFinished);
            }
            await UntilGoneAsync(test, runs);
            // A child is looked at some time after its parent has gone.
            await UntilCountAsync(test, "run", 0);
            test.Time.Advance(kept);
            await UntilCountAsync(test, "event", 0);
            await test.PassAsync(TimeSpan.FromMinutes(2));
            rows.Add(string.Join(", ", (await test.Disk.ReadAsync(db => TableSum.Of(db, tables))).Where(t => t.Rows > 0).Select(t => $"{t.Table} {t.Rows}")));
        }
        Assert.Equal(Enumerable.Repeat(rows[0], 3), rows);
        Assert.DoesNotContain("run ", rows[0], StringComparison.Ordinal);
    }

    /// <summary>Events are made of the journal some time after it was written; a run that had gone by then was never told of.</summary>
    [Fact]
    public async Task A_run_stays_until_those_who_want_to_know_have_been_told_of_it()
    {
        await using var test = await Told.WantedAsync(await OpenAsync(), ["io.serverlessworkflow.workflow.completed.v1"]);
        var run = await test.StartAsync(test.Define(Count, "goes", metadata: "retention: { completed: PT1S }"));
        await test.EndAsync(run);
        test.Time.Advance(TimeSpan.FromSeconds(1.5));
        await test.Engine.Worker.Keeping.RunOnceAsync();
        Assert.Single(await Told.OfAsync(test, run));
        await UntilGoneAsync(test, [run]);
    }

    /// <summary>Who follows the log has come to a position, and would pass over what got one up to there later.</summary>
    [Fact]
    public async Task Positions_of_records_that_have_gone_are_not_given_again()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define(Count, "goes", metadata: "retention: { completed: PT1S }");
        var run = await test.StartAsync(workflow);
        await test.EndAsync(run);
        var last = await test.Disk.ReadAsync(db => JournalStore.Last(db, Tenant.Default, run)!.Position);
        await UntilGoneAsync(test, [run]);
        var next = await test.StartAsync(workflow);
        await test.EndAsync(next);
        Assert.True(await test.Disk.ReadAsync(db => db.First("select min(position) from journal where run = $1", r => r.Long(0), 0L, next)) > last);
    }

    [Fact]
    public async Task A_run_whose_parent_is_under_way_stays_until_that_has_ended()
    {
        await using var test = await OpenAsync();
        test.Define(Count, "child", metadata: "retention: { completed: PT1S }");
        var parent = await test.StartAsync(test.Define("- a: { run: { workflow: { namespace: test, name: child, version: 1.0.0 } } }\n- b: { wait: PT2H }"));
        await test.UntilAsync(parent, r => r.State == RunPhase.Waiting);
        await test.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, await CountAsync(test, "run"));
        await test.Engine.CancelAsync(Tenant.Default, parent, null);
        await test.EndAsync(parent);
        await test.PassAsync(TimeSpan.FromMinutes(11));
        Assert.Equal(1, await CountAsync(test, "run"));
    }

    [Fact]
    public async Task A_run_of_which_somebody_is_still_to_be_told_stays_until_that_is_done()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Count, metadata: "retention: { completed: PT1H }"));
        await test.EndAsync(run);
        var there = await test.Disk.WriteAsync(db =>
        {
            bool IsThere(long told, TimeSpan after)
            {
                db.Execute("update lifecycle set position = $1", told);
                RunKeeper.Expire(db, test.Engine.Worker.Now + (long)after.TotalMicroseconds);
                return RunStore.Get(db, Tenant.Default, run) is not null;
            }

            LifecycleStore.Begin(db, Tenant.Default);
            var last = db.First("select max(position) from journal", r => r.Long(0), 0L);
            return (Untold: IsThere(last - 1, TimeSpan.FromHours(2)), Told: IsThere(last, TimeSpan.FromHours(3)));
        });
        Assert.Equal((true, false), there);
    }

    [Fact]
    public async Task The_first_run_of_a_chain_stays_while_the_chain_lives_and_those_between_go()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("""
            - rest: { if: '${ .n == 4 }', wait: PT2H }
            - done: { if: '${ .n == 4 }', set: '${ . }', then: end }
            - next: { call: 'continue:1.0.0@default', with: { input: '${ {n: (.n + 1)} }' } }
            """, metadata: "retention: { completed: PT5S, cancelled: PT5S }");
        var first = await test.StartAsync(workflow, Json.Object("n", 0), key: "endless");
        await test.PassUntilAsync(first, r => r.IsFinished);
        await WhileAsync(test, db => RunStore.List(db, Tenant.Default, new RunFilter([RunPhase.Waiting], null, null, null, null, 1)).Count == 0);
        await UntilCountAsync(test, "run", 2);
        var last = await test.Disk.ReadAsync(db => ContinuationStore.LastOf(db, Tenant.Default, first));
        Assert.Equal(RunPhase.Waiting, (await test.RowAsync(last)).State);
        // Whoever asks again for the start, or wants the chain to end, knows the first.
        Assert.Equal(first, Assert.IsType<StartOutcome.Existing>(await test.Engine.StartAsync(new StartRequest(Tenant.Default, workflow, Json.Object("n", 0), "endless", "request"))).Run);
        await test.Engine.CancelAsync(Tenant.Default, first, "enough");
        await test.EndAsync(last);
        foreach (var table in (string[])["run", "start_key", "continuation", "journal"]) await UntilCountAsync(test, table, 0);
    }

    [Fact]
    public async Task What_people_were_asked_goes_with_the_run()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("- ask: { call: 'approve:1.0.0@default', with: { title: 'Pay?' } }", metadata: "retention: { completed: PT5S, cancelled: PT5S }"));
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var approval = (await test.Disk.ReadAsync(db => ApprovalStore.List(db, Tenant.Default, new ApprovalFilter([], run, null, 10)))).Single();
        await test.Engine.Approvals.VoteAsync(Tenant.Default, approval.Id, new ApprovalVote("ann", true, null, "fine", Json.Null, test.Engine.Approvals.Now));
        await test.PassUntilAsync(run, r => r.IsFinished);
        foreach (var table in (string[])["run", "approval", "approval_vote", "approval_link"]) await UntilCountAsync(test, table, 0);
    }

    [Fact]
    public async Task A_tick_whose_chain_lives_keeps_its_run_though_runs_of_the_chain_go()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("""
            - rest: { if: '${ .n == 4 }', wait: PT2H }
            - next: { call: 'continue:1.0.0@default', with: { input: '${ {n: ((.n // 0) + 1)} }' } }
            """, extra: "schedule: { every: PT48H }", metadata: "retention: { completed: PT5S, cancelled: PT5S }");
        await test.Disk.WriteAsync(db =>
        {
            ScheduleControl.Follow(db, Tenant.Default, workflow, test.Engine.Worker.Now);
            return 0;
        });
        var (first, _) = (await test.Engine.Schedules.TriggerAsync(Tenant.Default, "test", "test", null))!.Value;
        await test.PassUntilAsync(first, r => r.IsFinished);
        await WhileAsync(test, db => RunStore.List(db, Tenant.Default, new RunFilter([RunPhase.Waiting], null, null, null, null, 1)).Count == 0);
        await UntilCountAsync(test, "run", 2);
        Assert.Equal(1, await CountAsync(test, "schedule_run"));
    }

    [Fact]
    public async Task What_the_workspace_says_holds_for_runs_whose_definition_says_nothing()
    {
        await using var test = await OpenAsync();
        await test.Engine.Retention.SetAsync(Tenant.Default, new RunRetention(TimeSpan.FromSeconds(5), null, null));
        var run = await test.StartAsync(test.Define(Count));
        await test.EndAsync(run);
        await UntilGoneAsync(test, [run]);
        var faulted = await test.StartAsync(test.Define("- a: { raise: { error: { type: https://example.com/no, status: 400 } } }", "faults"));
        await test.EndAsync(faulted);
        await test.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, await CountAsync(test, "run"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_while_runs_go_leaves_nothing_half_gone(bool afterCommit)
    {
        for (var at = 1; at <= 6; at++)
        {
            await using var test = await OpenAsync();
            var workflow = test.Define(Count, metadata: "retention: { completed: PT20S }");
            var runs = new List<Guid> { await test.StartAsync(workflow), await test.StartAsync(workflow) };
            foreach (var run in runs) await test.EndAsync(run);
            test.Database.AfterCommit = afterCommit;
            test.Database.DieAt = test.Database.Writes + at;
            await test.PassAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(0, await test.Disk.ReadAsync(JournalStore.Broken));
            await test.CrashAsync();
            await test.ReopenAsync();
            await UntilGoneAsync(test, runs);
            Assert.Equal(0, await CountAsync(test, "journal"));
        }
    }

    [Fact]
    public async Task A_run_that_nobody_can_carry_on_is_put_aside_and_goes_on_when_it_can()
    {
        await using var test = await OpenAsync();
        var workflow = test.Define("- a: { wait: PT5S }\n" + Count);
        var run = await test.StartAsync(workflow);
        await test.UntilAsync(run, r => r.State == RunPhase.Waiting);
        await test.CrashAsync();
        test.Forget(workflow);
        await test.ReopenAsync();
        await test.PassUntilAsync(run, r => r.State == RunPhase.Faulted);
        var letter = Assert.Single(await LettersAsync(test));
        Assert.Equal((DeadLetterKind.Run, run.ToString(), "run.given_up", "test/test"), (letter.Kind, letter.Subject, letter.Reason, letter.Definition));
        Assert.NotNull((await test.Engine.DeadLetters.RequeueAsync(letter)).Refusal);
        Assert.Single(await LettersAsync(test));

        test.Remember(workflow);
        var again = await test.Engine.DeadLetters.RequeueAsync(letter);
        Assert.Null(again.Refusal);
        Assert.Equal(RunPhase.Completed, (await test.PassUntilAsync(again.Run!.Value, r => r.IsFinished)).State);
        Assert.Empty(await LettersAsync(test));
    }

    [Fact]
    public async Task Faulted_runs_are_put_aside_where_their_definition_says_so()
    {
        await using var test = await OpenAsync();
        const string Fails = "- a: { raise: { error: { type: https://example.com/no, status: 400, title: no } } }";
        var told = test.Define(Fails, "told", metadata: "deadLetter: true");
        await test.EndAsync(await test.StartAsync(told));
        await test.EndAsync(await test.StartAsync(test.Define(Fails, "untold")));
        var letter = Assert.Single(await LettersAsync(test));
        Assert.Equal(("run.faulted", "no"), (letter.Reason, letter.Error!.Title));
    }

    private static Task<List<DeadLetter>> LettersAsync(TestEngine test) =>
        test.Disk.ReadAsync(db => DeadLetterStore.List(db, Tenant.Default, new DeadLetterFilter(null, null, null, null, 10)));

    private static Task<int> CountAsync(TestEngine test, string table) => test.Disk.ReadAsync(db => db.First($"select count(*) from {table}", r => r.Int(0), -1));

    private static Json Large(char of) => Json.Object("text", new string(of, 100_000));

    private static HashSet<string> Kept(TestEngine test) =>
        [.. Directory.GetFiles(test.BlobsFolder, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f)) + Path.GetFileName(f))];

    private static async Task UntilKeptAsync(TestEngine test, Func<HashSet<string>, bool> says)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (!says(Kept(test)) || await CountAsync(test, "loose_blob") > 0)
        {
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    [Fact]
    public async Task Large_values_and_files_of_a_run_that_went_go_and_those_that_others_refer_to_stay()
    {
        await using var test = await OpenAsync();
        const string save = "- save: { call: 'save:1.0.0@default', with: { text: '${ .text }' } }";
        var (goes, stays) = (test.Define(save, "goes", metadata: "retention: { completed: PT5S }"), test.Define(save, "stays"));
        var went = new List<Guid> { await test.StartAsync(goes, Large('a')), await test.StartAsync(goes, Large('b')) };
        var kept = await test.StartAsync(stays, Large('b'));
        foreach (var run in went.Append(kept)) await test.EndAsync(run);
        // Each text is an input as JSON, and a file as it is.
        Assert.Equal(4, Kept(test).Count);
        await UntilGoneAsync(test, went);
        Assert.Equal(4, Kept(test).Count);
        test.Time.Advance(LooseBlobs.Kept + LooseBlobs.Between);
        await UntilKeptAsync(test, k => k.Count == 2);
        Assert.Equal(Large('b').ToString(), (await test.HistoryAsync(kept)).State.Input.ToString());
        Assert.True((await WholeDatabase.CheckAsync(test.Disk, test.Blobs)).IsSound);
    }

    [Fact]
    public async Task Content_that_is_wanted_again_before_it_went_stays()
    {
        await using var test = await OpenAsync();
        var goes = test.Define(Count, "goes", metadata: "retention: { completed: PT5S }");
        var run = await test.StartAsync(goes, Large('a'));
        await test.EndAsync(run);
        await UntilGoneAsync(test, [run]);
        Assert.Equal(1, await CountAsync(test, "loose_blob"));
        var again = await test.StartAsync(test.Define(Count, "stays"), Large('a'));
        Assert.Equal(0, await CountAsync(test, "loose_blob"));
        await test.EndAsync(again);
        test.Time.Advance(LooseBlobs.Kept + LooseBlobs.Between);
        await test.Engine.Worker.Keeping.Loose.RunOnceAsync(() => false);
        Assert.Equal(Large('a').ToString(), (await test.HistoryAsync(again)).State.Input.ToString());
    }

    [Fact]
    public async Task Content_that_is_being_removed_is_put_anew_when_that_is_done()
    {
        await using var test = await OpenAsync();
        var goes = test.Define(Count, "goes", metadata: "retention: { completed: PT5S }");
        var run = await test.StartAsync(goes, Large('a'));
        await test.EndAsync(run);
        await UntilGoneAsync(test, [run]);
        await test.Disk.WriteAsync(db => db.Execute("update loose_blob set going_since = $1", test.Engine.Worker.Now));
        var starting = test.StartAsync(test.Define(Count, "stays"), Large('a'));
        await test.PassAsync(TimeSpan.FromSeconds(5));
        Assert.False(starting.IsCompleted);
        await test.Blobs.RemoveAsync(Assert.Single(await test.Disk.ReadAsync(db => LooseBlobStore.Due(db, long.MaxValue, long.MaxValue, 10))));
        await test.Disk.WriteAsync(db => db.Execute("delete from loose_blob"));
        await test.PassUntilAsync(starting);
        Assert.Equal(Large('a').ToString(), (await test.EndAsync(await starting)).State.Input.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_while_content_goes_leaves_what_is_referred_to(bool afterCommit)
    {
        for (var at = 1; at <= 4; at++)
        {
            await using var test = await OpenAsync();
            var (goes, stays) = (test.Define(Count, "goes", metadata: "retention: { completed: PT5S }"), test.Define(Count, "stays"));
            var went = new List<Guid> { await test.StartAsync(goes, Large('a')), await test.StartAsync(goes, Large('b')) };
            var kept = await test.StartAsync(stays, Large('b'));
            foreach (var run in went.Append(kept)) await test.EndAsync(run);
            await UntilGoneAsync(test, went);
            test.Time.Advance(LooseBlobs.Kept + LooseBlobs.Between);
            (test.Database.AfterCommit, test.Database.DieAt) = (afterCommit, test.Database.Writes + at);
            await test.PassAsync(TimeSpan.FromSeconds(10));
            await test.CrashAsync();
            await test.ReopenAsync();
            test.Time.Advance(TimeSpan.FromMinutes(30));
            await UntilKeptAsync(test, k => k.Count == 1);
            Assert.Equal(Large('b').ToString(), (await test.HistoryAsync(kept)).State.Input.ToString());
        }
    }

    internal static Task UntilGoneAsync(TestEngine test, List<Guid> runs) => WhileAsync(test, db =>
        runs.Exists(r => RunStore.Get(db, Tenant.Default, r) is not null || JournalStore.LastSeq(db, Tenant.Default, r) >= 0) || db.First("select 1 from run_removal", r => true, false));

    /// <summary>Until no more rows are left of the table.</summary>
    private static Task UntilCountAsync(TestEngine test, string table, int left) => WhileAsync(test, db => db.First($"select count(*) from {table}", r => r.Int(0), -1) > left);

    internal static async Task WhileAsync(TestEngine test, Func<DbUnit, bool> says)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (await test.Disk.ReadAsync(says))
        {
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    public sealed class OnSqlite() : RetentionTests(TestDatabases.Sqlite);

    public sealed class OnPostgres() : RetentionTests(TestDatabases.Postgres);
}
