using Millrace.Engine.Approvals;
using Millrace.Engine.Events;
using Millrace.Engine.Execution;
using Millrace.Engine.Forks;
using Millrace.Engine.Runs;
using Millrace.Engine.Tests.Support;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Tests.Databases;
using Millrace.Workflows.Kernel;

namespace Millrace.Engine.Tests;

/// <summary>Who is asked, reminded, asked as well, and what came of it, is told to whoever listens: once, and not the content.</summary>
public abstract class ApprovalEventTests(TestDatabases databases) : EngineSuite(databases)
{
    private const string Prefix = "io.millrace.approval.";

    private static string Asking(string with) => $"- ask: {{ call: 'approve:1.0.0@default', with: {{ title: 'Pay?', show: {{ iban: DE00 }}{with} }} }}";

    private async Task<TestEngine> HeardAsync() => await Told.WantedAsync(await OpenAsync(), EventLog.ToldTypes.Where(t => t.StartsWith(Prefix, StringComparison.Ordinal)));

    private static async Task<ApprovalRow> AskedAsync(TestEngine test, Guid run)
    {
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        return await RowAsync(test, run);
    }

    private static Task<List<ApprovalRow>> RowsAsync(TestEngine test, Guid run) => test.Disk.ReadAsync(db => ApprovalStore.List(db, Tenant.Default, new ApprovalFilter([], run, null, 10)));

    private static async Task<ApprovalRow> RowAsync(TestEngine test, Guid run) => (await RowsAsync(test, run)).Single();

    private static async Task SayAsync(TestEngine test, Guid approval, string by, bool? yes = true, string? to = null) => Assert.Contains(
        (await test.Engine.Approvals.VoteAsync(Tenant.Default, approval, new ApprovalVote(by, yes, to, "between us", Json.Null, test.Engine.Approvals.Now))).Outcome, new[] { VoteOutcome.Taken, VoteOutcome.Repeated });

    /// <summary>Lets the clock run until the run asks, because it has heard something.</summary>
    private static async Task<ApprovalRow> HearingAsync(TestEngine test, Guid run)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        while (true)
        {
            if ((await RowsAsync(test, run)) is [var row]) return row;
            await pulse.WaitForNextTickAsync(patience.Token);
            test.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>Lets so many seconds pass, and waits until the question says so.</summary>
    private static async Task AfterAsync(TestEngine test, Guid run, int seconds, Func<ApprovalRow, bool> says)
    {
        await using var subscription = test.Bus.Subscribe(Topics.Run(run));
        using var patience = new CancellationTokenSource(TestEngine.Patience);
        test.Time.Advance(TimeSpan.FromSeconds(seconds));
        while (!says(await RowAsync(test, run))) await subscription.WaitAsync(patience.Token);
    }

    private static string Short(Json told) => told["type"].AsString()[Prefix.Length..^3];

    private static IEnumerable<string> Words(List<Json> told) => told.Select(Short);

    [Fact]
    public async Task Each_thing_that_happens_to_a_question_is_told_with_those_who_are_to_hear_it()
    {
        await using var test = await HeardAsync();
        var run = await test.StartAsync(test.Define(Asking(", approvers: [anna], remind: PT10S, escalate: { after: PT15S, to: { groups: [heads] } }, expire: { after: PT1H }")));
        var asked = await AskedAsync(test, run);
        await AfterAsync(test, run, 10, a => a.Reminders == 1);
        await AfterAsync(test, run, 5, a => a.Escalated);
        await AfterAsync(test, run, 5, a => a.Reminders == 2);
        await SayAsync(test, asked.Id, "anna", yes: null, to: "bert");
        await SayAsync(test, asked.Id, "bert");
        await test.EndAsync(run);

        var told = await Told.OfAsync(test, run);
        Assert.Equal(["asked", "reminded", "escalated", "reminded", "delegated", "voted", "decided"], Words(told));
        Assert.All(told, e => Assert.Equal((asked.Id.ToString(), run.ToString(), run.ToString(), asked.Step, "/do/0/ask", "Pay?", "test"),
            (e["data"]["approval"].AsString(), e["data"]["run"].AsString(), e["subject"].AsString(), (int)e["data"]["step"].AsNumber(), e["data"]["task"].AsString(), e["data"]["title"].AsString(), e["data"]["definition"]["name"].AsString())));
        Assert.Equal(["", "", "heads", "heads", "heads", "heads", "heads"], told.Select(e => string.Join(' ', e["data"]["approvers"]["groups"].AsArray().Select(g => g.AsString()))));
        Assert.Equal([0, 1, 1, 2, 2, 2, 2], told.Select(e => (int)e["data"]["reminders"].AsNumber()));
        Assert.Equal(("anna", "bert"), (told[4]["data"]["by"].AsString(), told[4]["data"]["to"].AsString()));
        Assert.Equal(("bert", "approve", "approved"), (told[5]["data"]["by"].AsString(), told[5]["data"]["decision"].AsString(), told[6]["data"]["outcome"].AsString()));
        Assert.True(DateTimeOffset.Parse(told[0]["data"]["expiresAt"].AsString(), null) - DateTimeOffset.Parse(told[0]["time"].AsString(), null) == TimeSpan.FromHours(1));
        // What they decide about, and what they say to each other, is theirs.
        Assert.All(told, e => Assert.DoesNotMatch("DE00|between us", e.ToString()));
    }

    [Theory]
    [InlineData("fail", "expired")]
    [InlineData("approve", "approved")]
    public async Task What_nobodys_decision_means_is_told_as_one(string outcome, string said)
    {
        await using var test = await HeardAsync();
        var run = await test.StartAsync(test.Define(Asking($", expire: {{ after: PT5S, outcome: {outcome} }}")));
        await AskedAsync(test, run);
        await test.PassUntilAsync(run, r => r.IsFinished);
        var told = await Told.OfAsync(test, run);
        Assert.Equal(["asked", "decided"], Words(told));
        Assert.Equal(said, told[1]["data"]["outcome"].AsString());
    }

    [Fact]
    public async Task A_question_that_nobody_needs_to_answer_any_more_is_called_off()
    {
        await using var test = await HeardAsync();
        var run = await test.StartAsync(test.Define("""
            - race:
                fork:
                  compete: true
                  branches:
                    - ask: { call: 'approve:1.0.0@default', with: { title: Pay? } }
                    - rest: { wait: PT5S }
            """));
        await AskedAsync(test, run);
        await test.PassUntilAsync(run, r => r.IsFinished);
        Assert.Equal(["asked", "cancelled"], Words(await Told.OfAsync(test, run)));

        var stopped = await test.StartAsync(test.Define(Asking(""), "stopped"));
        await AskedAsync(test, stopped);
        await test.Engine.CancelAsync(Tenant.Default, stopped, null);
        await test.EndAsync(stopped);
        Assert.Equal(["asked", "cancelled"], Words(await Told.OfAsync(test, stopped)));
    }

    [Fact]
    public async Task A_fork_tells_of_its_own_question_alone()
    {
        await using var test = await HeardAsync();
        var run = await test.StartAsync(test.Define(Asking(", quorum: 2")));
        await SayAsync(test, (await AskedAsync(test, run)).Id, "anna");
        await test.UntilAsync(run, r => r is { State: RunPhase.Waiting, Lease: null });
        var last = (await test.Engine.Journal.AfterAsync(Tenant.Default, run, -1))[^1].Seq;
        var fork = ((ForkOutcome.Started)await test.Engine.ForkAsync(new ForkRequest(Tenant.Default, run, new ForkPoint.Behind(last)))).Run;
        var anew = await AskedAsync(test, fork);
        Assert.Equal(anew.Id.ToString(), Assert.Single(await Told.OfAsync(test, fork), e => Short(e) == "asked")["data"]["approval"].AsString());
        Assert.Equal(["asked", "voted"], Words(await Told.OfAsync(test, run)));
        Assert.Equal(["asked"], Words(await Told.OfAsync(test, fork)));
    }

    [Fact]
    public async Task A_question_with_extensions_around_it_is_told_once()
    {
        await using var test = await HeardAsync();
        var run = await test.StartAsync(test.Define(Asking(""), extra: "use: { extensions: [ { check: { extend: call, before: [ { allow: { set: { n: 1 } } } ] } } ] }"));
        await SayAsync(test, (await AskedAsync(test, run)).Id, "anna");
        await test.EndAsync(run);
        Assert.Equal(["asked", "voted", "decided"], Words(await Told.OfAsync(test, run)));
    }

    [Fact]
    public async Task Whoever_asks_people_because_people_are_asked_does_not_hear_itself()
    {
        await using var test = await HeardAsync();
        var watch = test.Define($$"""
            - hear: { listen: { to: { one: { with: { type: {{Prefix}}asked.v1 } } } } }
            {{Asking("")}}
            - again: { listen: { to: { one: { with: { type: {{Prefix}}asked.v1 } } } } }
            """, "watch");
        var watching = await test.StartAsync(watch);
        await test.UntilAsync(watching, r => r is { State: RunPhase.Waiting, Lease: null });
        await AskedAsync(test, await test.StartAsync(test.Define(Asking(""), "first")));
        await SayAsync(test, (await HearingAsync(test, watching)).Id, "anna");
        while (await test.Disk.ReadAsync(db => db.First("select count(*) from subscription", r => r.Long(0), 0L)) == 0) await test.PassAsync(TimeSpan.FromMilliseconds(500));
        await test.Engine.Worker.Keeper.RunOnceAsync();
        var second = await test.StartAsync(test.Define(Asking(""), "second"));
        var end = test.EndAsync(watching);
        await test.PassUntilAsync(end);
        Assert.Equal(second.ToString(), (await end).State.Output[0]["run"].AsString());
        Assert.Equal(["asked", "voted", "decided"], Words(await Told.OfAsync(test, watching)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_at_any_write_loses_none_and_doubles_none(bool afterCommit)
    {
        var crashes = await Story.DyingAtEveryWriteAsync(HeardAsync, afterCommit, async test =>
        {
            var run = await Story.StartAsync(test, test.Define(Asking(", quorum: 2, escalate: { after: PT5S, to: [cleo] }")));
            await test.PassUntilAsync(run, r => r.IsFinished || r is { State: RunPhase.Waiting, Lease: null, WakeAt: null });
            foreach (var person in new[] { "anna", "bert" }) await SayAsync(test, (await RowAsync(test, run)).Id, person);
            await test.Engine.EndAsync(Tenant.Default, run);
            await test.Engine.Worker.Keeper.RunOnceAsync();
        }, async test =>
        {
            var run = Assert.Single(await test.Disk.ReadAsync(db => RunStore.List(db, Tenant.Default, new RunFilter([], null, null, null, null, 10)))).Id;
            Assert.Equal(["asked", "escalated", "voted", "voted", "decided"], Words(await Told.OfAsync(test, run)));
        });
        Assert.True(crashes > 6, $"only {crashes} writes to crash at");
    }
}

public sealed class ApprovalEventsOnSqliteTests() : ApprovalEventTests(TestDatabases.Sqlite);

public sealed class ApprovalEventsOnPostgresTests() : ApprovalEventTests(TestDatabases.Postgres);
