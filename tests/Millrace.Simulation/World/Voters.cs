using Millrace.Engine.Approvals;
using Millrace.Engine.Execution;
using Millrace.Jq;
using Millrace.Storage;
using Millrace.Testing.Virtual;
using Millrace.Workflows.Kernel;

namespace Millrace.Simulation.World;

/// <param name="Counts">Whether the person was told that it counts; else that it came too late.</param>
/// <param name="IsSure">No earlier attempt went without an answer, so it cannot have been taken after all.</param>
internal sealed record Said(Guid Approval, ApprovalVote Vote, bool Counts, bool IsSure);

/// <summary>People who are asked: they answer early and late, twice, for others, and again when no answer comes.</summary>
/// <param name="links">Who is sent a link, and decides with it.</param>
internal sealed class Voters(Cluster cluster, Clients clients, Dice dice, Dice links)
{
    private const int PeopleMax = 5;

    private readonly Process _process = cluster.Scheduler.Start("voters");
    private int _last;

    /// <summary>What each person was told in the end.</summary>
    public List<Said> All { get; } = [];

    /// <summary>Links that were followed.</summary>
    public int Followed { get; private set; }

    private sealed record Led((Guid Approval, string Person)? To);

    /// <param name="within">The time over which they come.</param>
    public void Come(int votes, TimeSpan within)
    {
        for (var i = 0; i < votes; i++)
        {
            var after = within * dice.Fraction();
            _process.Go(async () =>
            {
                await _process.DelayAsync(after);
                // Also about what is decided already.
                var questions = await QuestionsAsync(onlyOpen: dice.Chance(0.8));
                if (questions.Count > 0) await DecideAsync(dice.Of(questions), $"person{dice.Below(PeopleMax)}");
            });
        }
    }

    /// <summary>Somebody new says something about every open question.</summary>
    public async Task DecideAllAsync()
    {
        foreach (var question in await QuestionsAsync(onlyOpen: true)) await DecideAsync(question, $"late{_last++}");
    }

    private async Task DecideAsync(Guid approval, string person)
    {
        var to = dice.Chance(0.1) ? $"heir{dice.Below(PeopleMax)}" : null;
        bool? approves = to is null ? dice.Chance(0.7) : null;
        if (links.Chance(0.2)) await FollowAsync(approval, person);
        var form = await FormAsync(approval, approves);
        if (dice.Chance(0.2)) _process.Go(() => VoteAsync(approval, person, approves, to, form));
        await VoteAsync(approval, person, approves, to, form);
    }

    /// <summary>Has a link made, for as long as the question is open, and follows it: it leads there in that person's name, also past a crash.</summary>
    private async Task FollowAsync(Guid approval, string person)
    {
        if (await clients.AskAsync(async engine => (await engine.Approvals.LinkAsync(Tenant.Default, approval, person))!) is not { } token) return;
        await _process.DelayAsync(links.Span(TimeSpan.FromSeconds(2)));
        if (await clients.AskAsync(async engine => new Led(await engine.Approvals.FindLinkAsync(Tenant.Default, token, default))) is not { } led) return;
        if (led.To != (approval, person)) cluster.Scheduler.Fail($"a link for {person} to {Names.Of(approval)} leads to {led.To}");
        Followed++;
    }

    /// <summary>What somebody fills in, at first sometimes wrongly, which the question does not take.</summary>
    private async Task<Json> FormAsync(Guid approval, bool? approves)
    {
        if (approves is not { } says || await clients.AskAsync(async engine => (object)(await engine.Worker.Database.ReadAsync(db => ApprovalStore.Get(db, Tenant.Default, approval)))!) is not ApprovalRow row) return Json.Null;
        var filled = dice.Chance(0.2) ? Json.Object("n", Programs.AskNode.FormNumbers) : Json.Null;
        while (ApprovalForm.Check(row.Form, says, filled).Count > 0) filled = row.Form is null ? Json.Null : Json.Object("n", dice.Below(Programs.AskNode.FormNumbers));
        return filled;
    }

    private async Task VoteAsync(Guid approval, string person, bool? approves, string? to, Json form)
    {
        var sure = true;
        for (var times = 0; times < 20; times++)
        {
            var sent = default(ApprovalVote);
            var answer = await clients.AskAsync(async engine =>
            {
                sent = new ApprovalVote(person, approves, to, null, form, engine.Approvals.Now);
                return (object)(await engine.Approvals.VoteAsync(Tenant.Default, approval, sent)).Outcome;
            });
            if (answer is VoteOutcome outcome)
            {
                cluster.Scheduler.Note($"{person} says {(to is null ? $"{approves}" : $"ask {to}")} to {Names.Of(approval)}: {outcome}");
                if (outcome is VoteOutcome.NotFound) cluster.Scheduler.Fail($"the question {Names.Of(approval)} is not known to whom {person} answered");
                All.Add(new Said(approval, sent!, outcome is VoteOutcome.Taken or VoteOutcome.Repeated, sure));
                return;
            }
            sure = false;
            await _process.DelayAsync(dice.Span(TimeSpan.FromSeconds(1)));
        }
    }

    private async Task<List<Guid>> QuestionsAsync(bool onlyOpen)
    {
        if (cluster.Database is not { } database) return [];
        try
        {
            return await database.ReadAsync(db => db.Query($"select id from approval where workspace = $1 and run in (select id from run where state < 4) {(onlyOpen ? "and state = 0" : "")} order by id", r => r.Id(0), Tenant.Default.Workspace));
        }
        catch (StorageUnavailableException)
        {
            return [];
        }
    }
}
