using Millrace.Engine.Approvals;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Engine.Views;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Decisions that people take (fault 13: neither bypassed nor in the way of other branches; double, late and early ones).</summary>
public abstract class ApprovalTests(TestDatabases databases) : EngineSuite(databases)
{
    private static string Asking(string with = "", string rest = "") =>
        $"- ask: {{ call: 'approve:1.0.0@default', with: {{ title: 'Pay ${{ .n }}?', show: {{ amount: '${{ .n }}' }}{with} }}{rest} }}";

    private static Task<RunRow> WaitingAsync(TestEngine test, Guid run) => test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });

    private static async Task<ApprovalRow> AskedAsync(TestEngine test, Guid run)
    {
        await WaitingAsync(test, run);
        return (await OfAsync(test, run)).Single();
    }

    private static Task<List<ApprovalRow>> OfAsync(TestEngine test, Guid run) =>
        test.Disk.ReadAsync(db => ApprovalStore.List(db, Tenant.Default, new ApprovalFilter([], run, null, 100)));

    private static Task<(VoteOutcome Outcome, ApprovalRow? Row)> SayAsync(TestEngine test, Guid approval, string by, bool? yes = true, string? to = null, string? comment = null) =>
        test.Engine.Approvals.VoteAsync(Tenant.Default, approval, new ApprovalVote(by, yes, to, comment, Json.Null, test.Engine.Approvals.Now));

    /// <summary>Lets so many seconds pass, and waits until the question says so.</summary>
    private static async Task AfterAsync(TestEngine test, Guid run, int seconds, Func<ApprovalRow, bool> says)
    {
        await using var subscription = test.Bus.Subscribe(Topics.Run(run));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        test.Time.Advance(TimeSpan.FromSeconds(seconds));
        while (!says((await OfAsync(test, run)).Single())) await subscription.WaitAsync(patience.Token);
    }

    [Fact]
    public async Task A_run_waits_for_a_person_in_nobodys_memory_and_goes_on_with_what_they_said()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking()), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        Assert.Equal(("Pay 5?", ApprovalState.Open, """{"amount":5}"""), (asked.Ask.Title, asked.State, asked.Ask.Show.ToString()));
        var wait = Assert.Single((await test.HistoryAsync(run)).Waiting());
        Assert.Equal((WaitKind.Person, asked.Id), (wait.On, wait.Approval));
        Assert.Equal("'ask' waits for somebody to decide on 'Pay 5?': 0 of 1 have agreed.", wait.Detail);

        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "anna", comment: "fine")).Outcome);

        var output = (await test.EndAsync(run)).State.Output;
        Assert.Equal(("approved", asked.Hash, "anna", "fine"), (output["outcome"].AsString(), output["hash"].AsString(), output["decisions"][0]["by"].AsString(), output["decisions"][0]["comment"].AsString()));
        Assert.Equal(ApprovalState.Approved, (await OfAsync(test, run)).Single().State);
    }

    /// <summary>The run's clock and a person may come to the same end at once; then it is the person's, and the run says who it was.</summary>
    [Fact]
    public async Task A_question_does_not_expire_where_a_vote_has_settled_it_alike()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", expire: { after: PT1H, outcome: reject }")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "anna", yes: false)).Outcome);
        await test.EndAsync(run);
        Task<int> SettleAsync(bool expired) => test.Disk.WriteAsync(db =>
        {
            ApprovalStore.Settle(db, Tenant.Default, run, new Command.Settle(asked.Id, ApprovalState.Rejected, expired), seen: long.MaxValue, test.Engine.Approvals.Now);
            return 0;
        });
        await SettleAsync(expired: false);
        await Assert.ThrowsAsync<OvertakenException>(() => SettleAsync(expired: true));
    }

    /// <summary>Who was told that the vote counts is named by the run, even where it decides nothing.</summary>
    [Fact]
    public async Task A_question_does_not_expire_before_the_run_has_heard_every_vote_that_was_in_time()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2, expire: { after: PT1H, outcome: reject }")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        Task<bool> ExpireAsync(long seen) => test.Disk.WriteAsync(db =>
        {
            SignalStore.Send(db, Tenant.Default, run, "approval", Json.EmptyObject, test.Engine.Approvals.Now);
            ApprovalStore.Settle(db, Tenant.Default, run, new Command.Settle(asked.Id, ApprovalState.Rejected, Expired: true), seen, test.Engine.Approvals.Now);
            db.Execute("delete from signal where run = $1", run);
            return true;
        });
        await Assert.ThrowsAsync<OvertakenException>(() => ExpireAsync(seen: 0));
        Assert.Equal(ApprovalState.Open, (await OfAsync(test, run)).Single().State);
        Assert.True(await ExpireAsync(seen: long.MaxValue));
        Assert.Equal(ApprovalState.Rejected, (await OfAsync(test, run)).Single().State);
    }

    [Fact]
    public async Task The_hash_is_that_of_what_is_shown_however_its_members_stand()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("""
            - one: { call: 'approve:1.0.0@default', with: { title: a, show: { b: 1, a: [ { y: 2, x: 1 } ] }, expire: { after: PT1S, outcome: approve } } }
            """));
        var asked = await AskedAsync(test, run);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("""{"a":[{"x":1,"y":2}],"b":1}"""u8)), asked.Hash);
    }

    [Fact]
    public async Task A_rejection_faults_the_step_which_a_try_may_catch()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("""
            - pay:
                try:
                  - ask: { call: 'approve:1.0.0@default', with: { title: Pay? } }
                catch: { errors: { with: { status: 403 } }, do: [ { no: { set: '${ {said: $error.detail} }' } } ] }
            """));
        await SayAsync(test, (await AskedAsync(test, run)).Id, "bert", yes: false, comment: "too dear");
        Assert.Equal("""{"said":"'Pay?' was rejected by bert: too dear"}""", (await test.EndAsync(run)).State.Output.ToString());
    }

    [Fact]
    public async Task A_rejection_may_go_on_and_say_so()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", onReject: continue")), Json.Object("n", 5));
        await SayAsync(test, (await AskedAsync(test, run)).Id, "bert", yes: false);
        Assert.Equal("rejected", (await test.EndAsync(run)).State.Output["outcome"].AsString());
    }

    [Fact]
    public async Task A_quorum_counts_people_and_not_votes()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2, reject: quorum, approvers: [anna, bert, cleo]")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "anna")).Outcome);
        Assert.Equal(VoteOutcome.Repeated, (await SayAsync(test, asked.Id, "anna")).Outcome);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "bert", yes: false)).Outcome);
        await WaitingAsync(test, run);
        Assert.Equal(ApprovalState.Open, (await OfAsync(test, run)).Single().State);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "cleo")).Outcome);
        var output = (await test.EndAsync(run)).State.Output;
        Assert.Equal(["anna approve", "bert reject", "cleo approve"], output["decisions"].AsArray().Select(d => $"{d["by"].AsString()} {d["decision"].AsString()}"));
    }

    [Fact]
    public async Task Votes_are_told_in_the_order_in_which_they_counted_whatever_the_clocks_of_those_who_took_them_said()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2, reject: quorum, onReject: continue")), Json.Object("n", 5));
        var (asked, now) = (await AskedAsync(test, run), test.Engine.Approvals.Now);
        foreach (var (by, yes, before) in new[] { ("anna", true, 0), ("bert", false, 2), ("cleo", false, 1) })
            Assert.Equal(VoteOutcome.Taken, (await test.Engine.Approvals.VoteAsync(Tenant.Default, asked.Id, new ApprovalVote(by, yes, null, null, Json.Null, now - before))).Outcome);
        var output = (await test.EndAsync(run)).State.Output;
        Assert.Equal(["anna", "bert", "cleo"], output["decisions"].AsArray().Select(d => d["by"].AsString()));
        var votes = await test.Disk.ReadAsync(db => ApprovalStore.Votes(db, Tenant.Default, asked.Id));
        Assert.Equal(["anna", "bert", "cleo"], votes.Select(v => v.Person));
        Assert.Equal(votes[^1].At, (await OfAsync(test, run)).Single().EndedAt);
    }

    [Fact]
    public async Task Fault_13_a_double_decision_is_answered_as_before_and_another_one_refused()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        await SayAsync(test, asked.Id, "anna");
        Assert.Equal(VoteOutcome.SaidOtherwise, (await SayAsync(test, asked.Id, "anna", yes: false)).Outcome);
        await SayAsync(test, asked.Id, "bert");
        await test.EndAsync(run);
        Assert.Equal(VoteOutcome.Repeated, (await SayAsync(test, asked.Id, "anna")).Outcome);
    }

    [Fact]
    public async Task Fault_13_a_late_decision_is_refused_though_the_run_has_not_heard_the_one_that_settled_it()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking()), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        var both = await Task.WhenAll(SayAsync(test, asked.Id, "anna"), SayAsync(test, asked.Id, "bert", yes: false));
        Assert.Equal([VoteOutcome.Taken, VoteOutcome.Closed], both.Select(b => b.Outcome).Order());
        var state = (await test.EndAsync(run)).State;
        Assert.Equal(both[0].Outcome == VoteOutcome.Taken ? RunPhase.Completed : RunPhase.Faulted, state.Ended);
    }

    [Fact]
    public async Task Fault_13_a_decision_before_the_step_waits_finds_nothing_to_decide()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define($"- slow: {{ call: 'hold:1.0.0@default', with: {{}}, output: {{ as: '${{ {{n: 1}} }}' }} }}\n{Asking()}"));
        await test.Functions.Entered;
        Assert.Empty(await OfAsync(test, run));
        Assert.Equal(VoteOutcome.NotFound, (await SayAsync(test, Guid.CreateVersion7(), "anna")).Outcome);
        test.Functions.Open();
        Assert.Equal(ApprovalState.Open, (await AskedAsync(test, run)).State);
    }

    [Fact]
    public async Task Fault_13_an_approval_in_one_branch_neither_holds_up_the_others_nor_is_passed_by_them()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("""
            - both:
                fork:
                  branches:
                    - ask: { call: 'approve:1.0.0@default', with: { title: Pay? } }
                    - work: { do: [ { a: { call: 'count:1.0.0@default', with: { n: 1 } } }, { b: { call: 'count:1.0.0@default', with: { n: 2 } } } ] }
            - after: { call: 'count:1.0.0@default', with: { n: 3 } }
            """));
        var asked = await AskedAsync(test, run);
        Assert.Equal(2, test.Functions.Ledger.Count);
        await SayAsync(test, asked.Id, "anna");
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
        Assert.Equal(3, test.Functions.Ledger.Count);
    }

    [Fact]
    public async Task A_branch_that_loses_a_race_leaves_no_open_question()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define("""
            - race:
                fork:
                  compete: true
                  branches:
                    - ask: { call: 'approve:1.0.0@default', with: { title: Pay? } }
                    - rest: { wait: PT5S }
            """));
        var asked = await AskedAsync(test, run);
        await test.PassUntilAsync(run, r => r.IsFinished);
        Assert.Equal(ApprovalState.Cancelled, (await OfAsync(test, run)).Single().State);
        Assert.Equal(VoteOutcome.Closed, (await SayAsync(test, asked.Id, "anna")).Outcome);
    }

    [Fact]
    public async Task A_cancelled_run_leaves_no_open_question()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking()), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        await test.Engine.CancelAsync(Tenant.Default, run, null);
        await test.EndAsync(run);
        Assert.Equal(ApprovalState.Cancelled, (await OfAsync(test, run)).Single().State);
        Assert.Equal(VoteOutcome.Closed, (await SayAsync(test, asked.Id, "anna")).Outcome);
    }

    [Fact]
    public async Task A_vote_can_be_handed_to_another_once()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", approvers: [anna]")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "anna", yes: null, to: "bert")).Outcome);
        Assert.Equal(VoteOutcome.SaidOtherwise, (await SayAsync(test, asked.Id, "anna")).Outcome);
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "bert")).Outcome);
        var output = (await test.EndAsync(run)).State.Output;
        Assert.Equal(("anna", "bert"), (output["delegations"][0]["by"].AsString(), output["delegations"][0]["to"].AsString()));
    }

    [Fact]
    public async Task Votes_stay_where_they_are_when_the_workflow_wants_that()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", delegate: false")), Json.Object("n", 5));
        Assert.Equal(VoteOutcome.NotDelegable, (await SayAsync(test, (await AskedAsync(test, run)).Id, "anna", yes: null, to: "bert")).Outcome);
    }

    [Fact]
    public async Task People_are_reminded_then_more_are_asked_then_time_is_up()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", approvers: [anna], remind: PT10S, escalate: { after: PT25S, to: { groups: [heads] } }, expire: { after: PT32S }")), Json.Object("n", 5));
        await AskedAsync(test, run);
        await AfterAsync(test, run, 10, a => a.Reminders == 1);
        await AfterAsync(test, run, 10, a => a.Reminders == 2);
        await AfterAsync(test, run, 5, a => a.Escalated);
        Assert.Contains("anna, the group heads", Assert.Single((await test.HistoryAsync(run)).Waiting()).Detail, StringComparison.Ordinal);
        await AfterAsync(test, run, 5, a => a.Reminders == 3);
        await AfterAsync(test, run, 2, a => a.State == ApprovalState.Expired);
        var row = await test.UntilAsync(run, r => r.IsFinished);
        Assert.Equal((RunPhase.Faulted, 408), (row.State, row.Error!.Status));
        var approval = (await OfAsync(test, run)).Single();
        Assert.Equal((ApprovalState.Expired, 3, true), (approval.State, approval.Reminders, approval.Escalated));
        Assert.Equal(["Reminded", "Reminded", "Escalated", "Reminded", "Settled"], (await test.Engine.Journal.AfterAsync(Tenant.Default, run, -1))
            .SelectMany(r => r.Entries).OfType<ApprovalEntry>().Skip(1).Select(e => e.GetType().Name));
    }

    [Theory]
    [InlineData("approve", "approved")]
    [InlineData("reject", "rejected")]
    public async Task Nobodys_decision_means_what_the_workflow_says(string outcome, string said)
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking($", onReject: continue, expire: {{ after: PT5S, outcome: {outcome} }}")), Json.Object("n", 5));
        await AskedAsync(test, run);
        await test.PassUntilAsync(run, r => r.IsFinished);
        var output = (await test.HistoryAsync(run)).State.Output;
        Assert.Equal((said, true), (output["outcome"].AsString(), output["expired"].IsTruthy));
    }

    [Fact]
    public async Task A_suspended_run_hears_a_decision_and_goes_on_when_it_is_resumed()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking() + "\n- after: { call: 'count:1.0.0@default', with: { n: 1 } }"), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        await test.Engine.SuspendAsync(Tenant.Default, run, null);
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null });
        Assert.Equal(VoteOutcome.Taken, (await SayAsync(test, asked.Id, "anna")).Outcome);
        await test.UntilAsync(run, r => r is { State: RunPhase.Suspended, Lease: null, WakeAt: null });
        Assert.Empty(test.Functions.Ledger);
        await test.Engine.ResumeAsync(Tenant.Default, run, null);
        Assert.Equal(RunPhase.Completed, (await test.EndAsync(run)).State.Ended);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_no_question_and_no_vote(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(() => OpenAsync(), afterCommit, async test =>
        {
            var run = await Story.StartAsync(test, test.Define("""
                - both:
                    fork:
                      branches:
                        - ask: { call: 'approve:1.0.0@default', with: { title: Pay?, quorum: 2, remind: PT10S } }
                        - work: { call: 'count:1.0.0@default', with: { n: 1 } }
                - after: { call: 'count:1.0.0@default', with: { n: 2 } }
                """));
            foreach (var person in new[] { "anna", "bert" })
            {
                await test.PassUntilAsync(run, r => r.IsFinished || r is { State: RunPhase.Waiting, Lease: null });
                Assert.Contains((await SayAsync(test, (await OfAsync(test, run)).Single().Id, person)).Outcome, new[] { VoteOutcome.Taken, VoteOutcome.Repeated });
            }
            await test.Engine.EndAsync(Tenant.Default, run);
        }, async test =>
        {
            var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10))));
            Assert.Equal((RunPhase.Completed, ApprovalState.Approved), (run.State, Assert.Single(await OfAsync(test, run.Id)).State));
            Assert.Equal(2, test.Functions.Ledger.Count);
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }

    [Fact]
    public async Task A_fork_of_a_run_that_waits_asks_for_itself()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2")), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        await SayAsync(test, asked.Id, "anna");
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var last = (await test.Engine.Journal.AfterAsync(Tenant.Default, run, -1))[^1].Seq;
        var fork = ((ForkOutcome.Started)await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, run, new ForkPoint.Behind(last)))).Run;
        var anew = await AskedAsync(test, fork);
        Assert.NotEqual(asked.Id, anew.Id);
        await SayAsync(test, anew.Id, "anna");
        await SayAsync(test, anew.Id, "bert");
        Assert.Equal("approved", (await test.EndAsync(fork)).State.Output["outcome"].AsString());
        Assert.Equal(ApprovalState.Open, (await OfAsync(test, run)).Single().State);
    }

    [Fact]
    public async Task Only_the_hash_of_a_link_is_kept()
    {
        await using var test = await OpenAsync();
        var run = await test.StartAsync(test.Define(Asking()), Json.Object("n", 5));
        var asked = await AskedAsync(test, run);
        var token = (await test.Engine.Approvals.LinkAsync(Tenant.Default, asked.Id, "anna"))!;
        Assert.Equal((asked.Id, "anna"), await test.Engine.Approvals.FindLinkAsync(Tenant.Default, token, default));
        Assert.Null(await test.Engine.Approvals.FindLinkAsync(Tenant.Default, token[..^1] + (token[^1] == 'A' ? 'E' : 'A'), default));
        Assert.Equal(0, await test.Disk.ReadAsync(db => db.First("select count(*) from approval_link where token = $1", r => r.Long(0), -1L, token)));
        Assert.DoesNotContain(await test.Disk.ReadAsync(db => db.Query("select entries from journal", r => r.Bytes(0))), b => b.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(token)) >= 0);
    }
}

public sealed class ApprovalOnSqliteTests() : ApprovalTests(TestDatabases.Sqlite);
public sealed class ApprovalOnPostgresTests() : ApprovalTests(TestDatabases.Postgres);
